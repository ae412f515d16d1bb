"""The kernel's side of a PoP: service addresses, the ways out, and the carrier of the uplinks."""
