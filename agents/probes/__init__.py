"""Checks of the services on this host."""
