"""What runs inside a node. `start` and `service` need nothing beyond the standard library."""
