"""The way to the MQTT broker, the same for both programs: where it is, and who comes."""
