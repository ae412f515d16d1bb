"""A scenario as a value: settings, load, steps, expectations. No lab is needed to read one.

Texts may still hold ``$names``; :mod:`lab.scenarios.substitution` fills them in once a trial knows
what they stand for.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from lab.scenarios.bounds import Bound
from lab.scenarios.targets import Catchment


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """One probe: `rate` requests a second from `client` to `target`."""

    name: str
    client: str
    probe: str
    target: str
    rate: float
    where: str = ""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is done, `at` seconds after the load started."""

    at: float
    action: str
    arguments: dict[str, str] = {}
    where: str = ""


class ProbeExpectation(msgspec.Struct, frozen=True, tag="probe", kw_only=True):
    """Bounds on one probe's requests; with `after`, only on those sent since that step.

    `healed`: when the last request that got no answer was sent, from step `after` (the first).
    `served`: the PoP that must have answered last; `left`: the PoP that must not.
    """

    text: str
    probe: str
    outage: Bound | None = None
    lost: Bound | None = None
    healed: Bound | None = None
    served: str | None = None
    left: str | None = None
    after: int | None = None


class AgreeExpectation(msgspec.Struct, frozen=True, tag="agree", kw_only=True):
    """Both layers agree from `within` seconds after step `after` until the next step.

    ``dns`` asks less of routing and more of the answers: none may name the dead PoP's own address,
    though others may have taken that over.
    """

    text: str
    layer: Literal["layers", "dns"]
    within: float
    after: int


class EventExpectation(msgspec.Struct, frozen=True, tag="event", kw_only=True):
    """The controller reports an event of this kind within so many seconds after a step."""

    text: str
    kind: str
    within: float
    after: int


class RouteCountExpectation(msgspec.Struct, frozen=True, tag="route-count", kw_only=True):
    """How often the routers changed their minds about steered prefixes.

    ``changed``: every change at every router. ``withdrawals``: how often the last route to a PoP
    for one of its own prefixes went away, of the prefix that lost it most often.

    Attributes:
        pop: whose prefixes; for ``withdrawals`` only.
        family: only of that one.
        after: only since that step; None: since the load started.
    """

    text: str
    what: Literal["changed", "withdrawals"]
    bound: Bound
    pop: str | None = None
    family: str | None = None
    after: int | None = None


class RouteTimeExpectation(msgspec.Struct, frozen=True, tag="route-time", kw_only=True):
    """When the routers were done, counted from a step until the next one.

    ``same``: all routes are for good as they were when the step began. ``gone``: no router sends
    any of the PoP's own prefixes to it, for good. ``back``: its neighbors hold every route from it
    that they held when the step began, used or not.
    """

    text: str
    what: Literal["same", "gone", "back"]
    within: float
    after: int
    pop: str | None = None


class LandingExpectation(msgspec.Struct, frozen=True, tag="landing", kw_only=True):
    """How much of any living PoP's capacity the answers make use of, at most; a share of 1."""

    text: str
    bound: Bound
    after: int | None = None


class TakeoverExpectation(msgspec.Struct, frozen=True, tag="takeovers", kw_only=True):
    """How many PoPs the controller took over, or gave up for lost."""

    text: str
    bound: Bound
    after: int | None = None


class SteadyExpectation(msgspec.Struct, frozen=True, tag="steady", kw_only=True):
    """Something that must hold in every look, since a step or since the load started.

    ``session``: no BGP session of a PoP ended at a router. ``advertised``: for every steered
    prefix some router has a route, or one for a prefix that covers it (`exact`: that very prefix).
    ``answers``: no nameserver
    gave an address that it did not give at the beginning.
    """

    text: str
    subject: Literal["session", "advertised", "answers"]
    exact: bool = False
    family: str | None = None
    after: int | None = None


class RefusedExpectation(msgspec.Struct, frozen=True, tag="refused", kw_only=True):
    """Each of `who` (hosts, or `controller`) refused at least so often, with `because` in why."""

    text: str
    who: tuple[str, ...]
    because: str
    at_least: int = 1
    after: int | None = None


class EgressExpectation(msgspec.Struct, frozen=True, tag="egress", kw_only=True):
    """Answers of a PoP's hosts leave by this router from `within` seconds after a step on.

    For good, until the next step; `family`: of that one only.
    """

    text: str
    router: str
    pop: str
    within: float
    after: int
    family: str | None = None


Expectation = (
    ProbeExpectation
    | AgreeExpectation
    | EventExpectation
    | RouteCountExpectation
    | RouteTimeExpectation
    | TakeoverExpectation
    | SteadyExpectation
    | LandingExpectation
    | RefusedExpectation
    | EgressExpectation
)


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario file.

    Attributes:
        matrix: parameter -> values; every combination is run.
        settings: as written, see :mod:`lab.scenarios.words`.
        let: name -> what it stands for at the start of a trial.
        end: seconds after which a trial ends.
        baselines: techniques that run the same steps alone.
    """

    name: str
    topology: str
    matrix: dict[str, tuple[str, ...]]
    trials: int
    settings: dict[str, str]
    let: dict[str, Catchment]
    load: tuple[Load, ...]
    steps: tuple[Step, ...]
    expect: tuple[Expectation, ...]
    baselines: tuple[str, ...]
    end: float
