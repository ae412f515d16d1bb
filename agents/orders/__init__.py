"""The last accepted order, kept across restarts of the agent."""
