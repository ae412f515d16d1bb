"""Random misfortune on the stage; after every look a judge of its own looks at the result.

What can truly be promised with three PoPs and a quorum of two: at most one PoP is silent at a
time. Two silent PoPs leave one watcher that sees nobody, and it must not be believed; nothing is
then decided about the second death. With that, and with a PoP counting as *usable* when it lives,
is fit, has its sessions, and no operator wants it empty:

(a) while any usable PoP exists and the broker is there, from 1 s after a change (2.5 s after a
    restart of the controller, which listens first) every answer lies inside a prefix of the normal
    length or longer on the wire of a living, fit PoP; a cover does not count, and for a PoP's own
    address no silent PoP's stale route is as long.
(b) a PoP's prefix is on a living wire while DNS gives it and for TTL + tail after, unless a fault
    has come since (an emergency may be worse than a plan, never a plan without one).
(c) the stamps of each host's orders strictly grow, restarts included.
(d) a second look at the same world publishes nothing.
(e) while the broker is away nothing is published.
(f) at the moment home is told to withdraw its prefixes, another living PoP has them on its wire.

Not promised: that cached answers of a PoP lost while every other was unusable are carried again
before it is back itself.
"""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.choreography.fleets import AMS, FRA, LHR, three_pops
from tests.choreography.judge import Judge
from tests.choreography.stage import Stage, restarted

QUICK = {"ttl": 0.8, "tail": 1.2, "stagger": 0.6, "settle_down": 1.0, "shutdown_wait": 0.4}
ACTS = ("silence", "restore", "unfit", "fit", "bare", "dressed", "drain", "undrain")
LOOK = 0.2

pops = st.sampled_from((AMS, FRA, LHR))
acts = st.one_of(
    st.tuples(st.sampled_from(ACTS), pops),
    st.tuples(st.sampled_from(("deaf", "heard", "restart")), st.just(AMS)),
)
gaps = st.sampled_from((0.0, 0.2, 0.6, 1.4, 3.0, 8.0))


@settings(max_examples=60)
@given(st.lists(st.tuples(acts, gaps), min_size=1, max_size=9))
@example([(("silence", AMS), 3.0), (("restore", AMS), 8.0)])
@example([(("drain", AMS), 8.0), (("undrain", AMS), 8.0)])
@example([(("deaf", AMS), 0.6), (("drain", AMS), 1.4), (("heard", AMS), 3.0)])
def test_whatever_happens_answers_lead_to_somebody_alive(story):
    stage = Stage(three_pops(**QUICK))
    judge = Judge(stage)
    for (act, pop), gap in [(("start", AMS), 3.0), *story, (("end", AMS), 2.0)]:
        do(stage, judge, act, pop)
        until = stage.now + gap
        while stage.now < until - 1e-6:
            stage.pass_time(LOOK, every=LOOK)
            judge.looked()
        judge.look_twice()


def do(stage, judge, act, pop):
    """One act, where the promise of one silent PoP at most allows it."""
    harm = {"silence": stage.silent, "unfit": stage.unfit, "bare": stage.bare}
    cure = {"restore": stage.silent, "fit": stage.unfit, "dressed": stage.bare}
    if act == "silence" and stage.silent:
        return
    if act in harm:
        harm[act].add(pop)
        judge.act(fault=True)
    elif act in cure:
        cure[act].discard(pop)
        judge.act(fault=False)
    elif act in {"drain", "undrain"}:
        (stage.drain if act == "drain" else stage.undrain)(pop)
    elif act == "deaf" and not stage.deaf:
        stage.lose_broker()
    elif act == "heard" and stage.deaf:
        stage.find_broker()
        judge.act(fault=True)
    elif act == "restart" and not stage.deaf:
        restarted(stage, stage.run)
        judge.act(fault=False, grace=2.5)
