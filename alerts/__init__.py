"""Rules, the alerts that they raise, and telling people of them.

`judging` is called by the road inside the transaction of its batch, writes alerts there and
hands notifications of them to `outbox`, for which `mail` writes the texts. Leaves what a
crossing is to `geofence`, sending to `outbox`, and pushing frames to the road.
"""
