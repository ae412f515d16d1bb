"""Expectations: what is measured, and the bound it must stay within."""

from __future__ import annotations

from collections.abc import Callable

from ambicast.model.quantities import QuantityError
from lab.scenarios.bounds import Bound, count_bound, time_bound
from lab.scenarios.located import Located
from lab.scenarios.shapes import (
    AgreeExpectation,
    EventExpectation,
    Expectation,
    ProbeExpectation,
)
from lab.scenarios.steadiness import STEADY, after_of, steady, text_of, within_of
from lab.scenarios.words import DNS, LAYERS

BOUNDS = ("outage", "lost", "healed", "served", "left")
KINDS = ("probe", "layers", "dns", "event", *STEADY)


def parse_expectation(
    field: Located,
    probes: tuple[str, ...],
    served: tuple[str, ...],
    steps: int,
    hosts: tuple[str, ...] = (),
) -> Expectation:
    """One entry of `expect`.

    Args:
        field: the entry.
        probes: the loads' names.
        served: what may stand for a PoP.
        steps: how many steps there are.
        hosts: as the fleet file calls them.
    """
    fields = field.fields("an expectation")
    kinds = [kind for kind in KINDS if kind in fields]
    if len(kinds) != 1:
        raise field.fault("an expectation needs exactly one subject", KINDS)
    if kinds[0] == "probe":
        return _of_probe(field, probes, served, steps)
    if kinds[0] in STEADY:
        return steady(field, kinds[0], served, hosts, steps)
    return _of_time(field, kinds[0], steps)


def _of_probe(
    field: Located, probes: tuple[str, ...], served: tuple[str, ...], steps: int
) -> ProbeExpectation:
    fields = field.fields("probe", ("probe", *BOUNDS, "after"), ("probe",))
    probe = fields["probe"].word("probe", probes)
    if not any(bound in fields for bound in BOUNDS):
        raise field.fault("a probe expectation needs a bound", BOUNDS)
    after = after_of(fields["after"], steps) if "after" in fields else None
    return ProbeExpectation(
        text=text_of(fields),
        probe=probe,
        outage=_bound(fields.get("outage"), time_bound),
        lost=_bound(fields.get("lost"), count_bound),
        healed=_bound(fields.get("healed"), time_bound),
        served=fields["served"].word("served", served) if "served" in fields else None,
        left=fields["left"].word("left", served) if "left" in fields else None,
        after=after,
    )


def _of_time(field: Located, kind: str, steps: int) -> Expectation:
    fields = field.fields(kind, (kind, "within", "after"), (kind, "within", "after"))
    text = text_of(fields)
    within = within_of(fields["within"])
    after = after_of(fields["after"], steps)
    if kind == "event":
        return EventExpectation(
            text=text, kind=fields["event"].text("event"), within=within, after=after
        )
    if kind == "layers":
        fields["layers"].word("layers", LAYERS)
        return AgreeExpectation(text=text, layer="layers", within=within, after=after)
    fields["dns"].word("dns", DNS)
    return AgreeExpectation(text=text, layer="dns", within=within, after=after)


def _bound(field: Located | None, parse: Callable[[str], Bound]) -> Bound | None:
    if field is None:
        return None
    try:
        return parse(field.text("bound"))
    except QuantityError as fault:
        raise field.fault(str(fault)) from None
