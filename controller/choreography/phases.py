"""The life of one PoP as a table: phase x event -> phase. A missing row changes nothing."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """Which plan a PoP is in, or has finished."""

    STARTING = "starting"  # not yet seen to serve; given no clients
    HOME = "home"  # serves its own clients
    COVERED = "covered"  # withdrew by itself; others advertise the same length
    TAKEN_OVER = "taken-over"  # silent; others advertise more-specifics too
    RETURNING = "returning"  # serves again, survivors are leaving one by one
    DRAINING = "draining"  # the operator wants it empty
    DRAINED = "drained"  # empty


class Event(StrEnum):
    """What can happen to a PoP."""

    ESTABLISHED = "established"  # serving, own prefixes on the wire
    LOST = "lost"  # a quorum of watchers says gone, in one family at least
    FAILED = "failed"  # its own agent says unfit, or its prefixes left every wire
    EXTENDED = "extended"  # away already, and more of it must be carried, or by others
    RECOVERED = "recovered"  # has been serving for the settle-down time
    DRAIN = "drain"  # the operator asked, and no guard refused
    UNDRAIN = "undrain"  # the operator took it back
    DONE = "done"  # the last step of its plan settled


TRANSITIONS: dict[tuple[Phase, Event], Phase] = {
    (Phase.STARTING, Event.ESTABLISHED): Phase.HOME,
    (Phase.STARTING, Event.LOST): Phase.TAKEN_OVER,
    (Phase.STARTING, Event.DRAIN): Phase.DRAINING,
    (Phase.HOME, Event.LOST): Phase.TAKEN_OVER,
    (Phase.HOME, Event.FAILED): Phase.COVERED,
    (Phase.HOME, Event.DRAIN): Phase.DRAINING,
    (Phase.COVERED, Event.LOST): Phase.TAKEN_OVER,
    (Phase.COVERED, Event.EXTENDED): Phase.COVERED,
    (Phase.COVERED, Event.RECOVERED): Phase.RETURNING,
    (Phase.COVERED, Event.DRAIN): Phase.DRAINING,
    (Phase.TAKEN_OVER, Event.EXTENDED): Phase.TAKEN_OVER,
    (Phase.TAKEN_OVER, Event.RECOVERED): Phase.RETURNING,
    (Phase.TAKEN_OVER, Event.DRAIN): Phase.DRAINING,
    (Phase.RETURNING, Event.LOST): Phase.TAKEN_OVER,
    (Phase.RETURNING, Event.FAILED): Phase.COVERED,
    (Phase.RETURNING, Event.DRAIN): Phase.DRAINING,
    (Phase.RETURNING, Event.DONE): Phase.HOME,
    (Phase.DRAINING, Event.LOST): Phase.TAKEN_OVER,
    (Phase.DRAINING, Event.FAILED): Phase.COVERED,
    (Phase.DRAINING, Event.UNDRAIN): Phase.RETURNING,
    (Phase.DRAINING, Event.DONE): Phase.DRAINED,
    (Phase.DRAINED, Event.UNDRAIN): Phase.RETURNING,
}

# While it is in one of these, no other PoP may be moved by plan.
UNSETTLED = frozenset({Phase.COVERED, Phase.TAKEN_OVER, Phase.RETURNING, Phase.DRAINING})
# In these the PoP's own clients are elsewhere, and its dead routes may still be about.
AWAY_FROM_HOME = frozenset({Phase.COVERED, Phase.TAKEN_OVER})


def after(phase: Phase, event: Event) -> Phase | None:
    """The phase that ``event`` leads to, or none where it means nothing."""
    return TRANSITIONS.get((phase, event))
