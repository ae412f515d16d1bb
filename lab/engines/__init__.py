"""Bringing a topology up: from network namespaces (`netns`) or by containerlab (`clab`)."""

from lab.engines.bringing import attach, up
from lab.engines.faults import LabError
from lab.engines.running import RunningLab

__all__ = ["LabError", "RunningLab", "attach", "up"]
