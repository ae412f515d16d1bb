"""What must hold whatever happens, as pure functions of snapshots.

Each returns the first violation it finds, or none: ``dns_within_bgp`` (I1), ``make_before_break``
(I3), ``able_to_serve`` (I5), ``last_one_stays`` (I7), ``fail_static`` (I8), ``ordered_and_fenced``
(I12). They judge what the decider could know; the lab's judge measures the ground truth and
shares no code with them.
"""

from ambicast.invariants.able_to_serve import able_to_serve
from ambicast.invariants.dns_within_bgp import dns_within_bgp
from ambicast.invariants.fail_static import fail_static
from ambicast.invariants.landing import Landing, landing
from ambicast.invariants.last_one_stays import last_one_stays
from ambicast.invariants.make_before_break import make_before_break
from ambicast.invariants.ordered_and_fenced import ordered_and_fenced
from ambicast.invariants.snapshot import PopState, Snapshot, Stamp, Uplink
from ambicast.invariants.violation import Violation

__all__ = [
    "Landing",
    "PopState",
    "Snapshot",
    "Stamp",
    "Uplink",
    "Violation",
    "able_to_serve",
    "dns_within_bgp",
    "fail_static",
    "landing",
    "last_one_stays",
    "make_before_break",
    "ordered_and_fenced",
]
