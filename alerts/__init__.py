"""Rules, the alerts that they raise, and the notifications about them.

`rule_judging` is called by the road inside the transaction of its batch, writes alerts there and
hands notifications to `outbox`; `alert_texts` renders their texts. Crossings belong to
`geofence`, sending to `outbox`, and publishing frames to the road.
"""
