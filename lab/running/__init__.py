"""Trials: a fresh lab, load, steps, verdict, result."""
