"""Scenarios: what is done to a lab, under which load, and what must hold then."""
