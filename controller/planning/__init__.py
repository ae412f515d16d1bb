"""Where traffic should go: distances, assignments, answers, failover tables, guards. Pure."""
