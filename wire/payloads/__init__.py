"""What is inside a LoRaWAN uplink: decoded payloads, whoever decoded them."""
