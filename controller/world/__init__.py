"""What the controller believes about the fleet, and how it came to believe it. Pure."""
