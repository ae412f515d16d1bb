"""PoP-to-PoP liveness: authenticated UDP probes between identity and witness addresses."""
