"""Rules, the alerts that they raise, and telling people of them.

`judging` is called by the road inside the transaction of its batch, and writes alerts and
pending notifications there. `outbox` sends what is due. Leaves what a crossing is to
`geofence`, and pushing frames to the road.
"""
