"""How loaded this host is: its CPUs, and its uplinks against what they can carry."""
