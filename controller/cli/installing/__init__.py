"""Bringing a host's or the controller's files and units to where systemd starts them."""
