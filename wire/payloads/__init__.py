"""Payloads of LoRaWAN uplinks: decoded by the network server, or by a codec of ours."""
