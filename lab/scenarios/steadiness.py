"""Expectations that something stays as it is: routes, sessions, advertisements, answers."""

from __future__ import annotations

from typing import Final, Literal, cast

from ambicast.model.quantities import QuantityError, duration
from lab.scenarios.arguments import FAMILIES
from lab.scenarios.bounds import Bound, count_bound, share_bound
from lab.scenarios.located import Located
from lab.scenarios.shapes import (
    EgressExpectation,
    Expectation,
    LandingExpectation,
    RefusedExpectation,
    RouteCountExpectation,
    RouteTimeExpectation,
    SteadyExpectation,
    TakeoverExpectation,
)

CONTROLLER: Final = "controller"
COUNTED: Final = ("changed", "withdrawals")
TIMED: Final = ("same", "gone", "back")
OF_A_POP: Final = ("gone", "back")
WORDS: Final[dict[str, tuple[str, ...]]] = {
    "session": ("up",),
    "advertised": ("every", "exactly"),
    "answers": ("unchanged",),
}
STEADY: Final = ("routes", "takeovers", "landing", "refused", "egress", *WORDS)


def steady(
    field: Located, kind: str, pops: tuple[str, ...], hosts: tuple[str, ...], steps: int
) -> Expectation:
    """One entry of `expect` whose subject is one of `STEADY`.

    `pops` may stand after `of`, `hosts` and `controller` after `refused`.
    """
    if kind == "refused":
        return _refused(field, (*hosts, CONTROLLER), steps)
    if kind == "egress":
        return _egress(field, pops, steps)
    fields = field.fields("an expectation")
    if kind == "routes":
        timed = isinstance(fields["routes"].value, str)
        return _timed(field, pops, steps) if timed else _counted(field, pops, steps)
    if kind == "takeovers":
        fields = field.fields(kind, (kind, "after"))
        return TakeoverExpectation(
            text=text_of(fields), bound=_count(fields[kind]), after=_perhaps(fields, steps)
        )
    if kind == "landing":
        fields = field.fields(kind, (kind, "after"))
        return LandingExpectation(
            text=text_of(fields), bound=_share(fields[kind]), after=_perhaps(fields, steps)
        )
    allowed = (kind, "after", *(("family",) if kind == "answers" else ()))
    fields = field.fields(kind, allowed)
    word = fields[kind].word(kind, WORDS[kind])
    return SteadyExpectation(
        text=text_of(fields),
        subject=cast(Literal["session", "advertised", "answers"], kind),
        exact=word == "exactly",
        family=_family(fields),
        after=_perhaps(fields, steps),
    )


def _counted(field: Located, pops: tuple[str, ...], steps: int) -> Expectation:
    """``{routes: {changed: 0}}``, ``{routes: {withdrawals: "<= 3"}, of: ams}``."""
    fields = field.fields("routes", ("routes", "of", "family", "after"))
    counted = fields["routes"].fields("routes", COUNTED)
    if len(counted) != 1:
        raise fields["routes"].fault("routes: needs exactly one of", (*COUNTED, *TIMED))
    ((what, bound),) = counted.items()
    return RouteCountExpectation(
        text=text_of(fields),
        what=cast(Literal["changed", "withdrawals"], what),
        bound=_count(bound),
        pop=_pop(field, pops, needed=what == "withdrawals"),
        family=_family(fields),
        after=_perhaps(fields, steps),
    )


def _timed(field: Located, pops: tuple[str, ...], steps: int) -> Expectation:
    """``{routes: same, within: 3s, after: 1}``, ``{routes: gone, of: ams, ...}``."""
    needed = ("routes", "within", "after")
    what = field.fields("routes", (*needed, "of"))["routes"].word("routes", TIMED)
    fields = field.fields("routes", None, needed)
    return RouteTimeExpectation(
        text=text_of(fields),
        what=cast(Literal["same", "gone", "back"], what),
        within=within_of(fields["within"]),
        after=after_of(fields["after"], steps),
        pop=_pop(field, pops, needed=what in OF_A_POP),
    )


def _refused(field: Located, allowed: tuple[str, ...], steps: int) -> Expectation:
    """``{refused: [ams-1, fra-1], because: "is not allowed", at_least: 2, after: 4}``."""
    keys = ("refused", "because", "at_least", "after")
    fields = field.fields("refused", keys, keys[:2])
    who = fields["refused"]
    listed = who.entries("refused") if isinstance(who.value, tuple) else (who,)
    least = fields["at_least"].text("at_least") if "at_least" in fields else "1"
    if not least.isdigit() or int(least) == 0:
        raise fields["at_least"].fault(f"at_least: {least!r}", "a whole number from 1")
    names = tuple(each.word("refused", allowed) for each in listed)
    if not names:
        raise who.fault("refused is empty", allowed)
    return RefusedExpectation(
        text=text_of({key: value for key, value in fields.items() if key != "refused"}),
        who=names,
        because=fields["because"].text("because"),
        at_least=int(least),
        after=_perhaps(fields, steps),
    )


def _egress(field: Located, pops: tuple[str, ...], steps: int) -> Expectation:
    """``{egress: t4, of: ams, within: 15s, after: 1}``."""
    needed = ("egress", "of", "within", "after")
    fields = field.fields("egress", (*needed, "family"), needed)
    return EgressExpectation(
        text=text_of(fields),
        router=fields["egress"].text("egress"),
        pop=fields["of"].word("of", pops),
        within=within_of(fields["within"]),
        after=after_of(fields["after"], steps),
        family=_family(fields),
    )


def _pop(field: Located, pops: tuple[str, ...], *, needed: bool) -> str | None:
    fields = field.fields("routes", None, ("of",) if needed else ())
    if "of" not in fields:
        return None
    if not needed:
        raise fields["of"].fault("of: stands with withdrawals, gone and back only")
    return fields["of"].word("of", pops)


def _count(field: Located) -> Bound:
    try:
        return count_bound(field.text("bound"))
    except QuantityError as fault:
        raise field.fault(str(fault)) from None


def _share(field: Located) -> Bound:
    try:
        return share_bound(field.text("bound"))
    except QuantityError as fault:
        raise field.fault(str(fault)) from None


def _family(fields: dict[str, Located]) -> str | None:
    return fields["family"].word("family", FAMILIES) if "family" in fields else None


def _perhaps(fields: dict[str, Located], steps: int) -> int | None:
    return after_of(fields["after"], steps) if "after" in fields else None


def after_of(field: Located, steps: int) -> int:
    """The number of a step."""
    text = field.text("after")
    if not text.isdigit() or not 1 <= int(text) <= steps:
        raise field.fault(f"after: {text!r}", f"the number of a step, 1 to {steps}")
    return int(text)


def within_of(field: Located) -> float:
    """A duration with its unit, in seconds."""
    try:
        return duration(field.text("within"))
    except QuantityError as fault:
        raise field.fault(f"within: {fault}") from None


def text_of(fields: dict[str, Located]) -> str:
    """An expectation as people read it."""
    return " ".join(f"{key}: {_said(value)}" for key, value in fields.items())


def _said(field: Located) -> str:
    if isinstance(field.value, dict):
        return "{" + text_of(field.value) + "}"
    return field.text("a value")
