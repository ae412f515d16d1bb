"""How full the answers make the PoPs: every client's demand at the PoP its answer leads to.

A client's demand is shared evenly over the answers it could get (families, nameservers). Answers
that lead nowhere, or to a dead PoP, land on nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from lab.judging.agreement import Sample
from lab.judging.rows import Row
from lab.judging.steadiness import Steadiness, Timed, at_second, since_step
from lab.scenarios.shapes import LandingExpectation


def landing(
    wanted: LandingExpectation, samples: Sequence[Sample], found: Steadiness, times: Timed
) -> Row:
    """The fullest PoP of all samples, as a share of its capacity."""
    since, scope = since_step(wanted.after, found, times)
    fullest, where, when = 0.0, "", since
    looked = False
    for sample in samples:
        if not since <= sample.t_ns < times.end_ns:
            continue
        for pop, load in loads(sample, found.demand).items():
            looked = True
            if pop in found.capacity and load / found.capacity[pop] > fullest:
                fullest, where, when = load / found.capacity[pop], pop, sample.t_ns
    measured = round(fullest, 3) if looked else None
    return Row(
        text=f"fullest PoP{scope}",
        measured=measured,
        bound=wanted.bound.text,
        ok=wanted.bound.holds(measured),
        unit="",
        why=f"{where} at {at_second(when, found)}" if where else "nothing was seen",
    )


def loads(sample: Sample, demand: Mapping[str, float]) -> Mapping[str, float]:
    """PoP (its node) -> bits per second that the answers of one moment lead to it."""
    answers: defaultdict[str, list[str]] = defaultdict(list)
    for asked, verdict in sample.verdicts.items():
        if verdict.end and not verdict.layers:
            answers[asked.client].append(verdict.end)
    carried: defaultdict[str, float] = defaultdict(float)
    for client, ends in answers.items():
        for end in ends:
            carried[end] += demand.get(client, 0.0) / len(ends)
    return carried
