"""Reading the fleet file: every fault named with file, line and path, or an immutable fleet.

``load_fleet`` for programs, ``validate`` for people (warnings too), ``schema`` for editors.
"""

from ambicast.files.faults import Fault, FleetFileError, Severity
from ambicast.files.loading import load_fleet, validate
from ambicast.files.raw import schema

__all__ = ["Fault", "FleetFileError", "Severity", "load_fleet", "schema", "validate"]
