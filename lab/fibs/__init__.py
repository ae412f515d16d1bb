"""What every router of the lab forwards where, watched live through the kernel's own messages."""

from lab.fibs.events import FibEvent, Path
from lab.fibs.monitor import FibMonitor

__all__ = ["FibEvent", "FibMonitor", "Path"]
