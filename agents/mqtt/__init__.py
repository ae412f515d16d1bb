"""MQTT: orders and steering come in, receipts, reports and sightings go out."""
