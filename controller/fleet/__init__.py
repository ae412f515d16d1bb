"""The agents, over MQTT: the only room of the controller that knows the bus."""
