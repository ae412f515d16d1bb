"""Random bad weather: silences of one family, uplinks, deeds without a controller, restarts.

What is promised after every look, whatever happens (with at most one PoP silent at a time, and in
one family at most):

(a) nothing that clients were given ends: from some seconds after the last change every answer of
    each family lies inside a prefix of the normal length or longer that the longest match leads to
    a PoP that is not silent in that family.
(b) while nobody but agents acts, no order and no answer changes; and no agent takes anything off.
(c) each shared prefix has exactly one keeper, the same in the orders of all hosts.
(d) no order asks a neighbor for more than it takes, and none advertises a more-specific without
    its whole.
(e) a controller that comes back (with its journal, without, with an old one) takes nothing off any
    wire that its plans do not let go of one by one.
(f) when the weather is over, everybody is at home, answers are those of the beginning, and hosts
    have nothing left that they did by themselves.
"""

from __future__ import annotations

import ipaddress

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ambicast.model.identifiers import Family
from controller.choreography.phases import Phase
from tests.choreography.fleets import AMS, FRA, LHR, MAD, four_pops
from tests.choreography.stage import Stage, restarted

QUICK = {"ttl": 0.8, "tail": 1.2, "stagger": 0.6, "settle_down": 1.0, "shutdown_wait": 0.4}
LOOK = 0.2
POPS = (AMS, FRA, LHR, MAD)

acts = st.one_of(
    st.tuples(st.sampled_from(("silence", "restore", "overload", "calm")), st.sampled_from(POPS)),
    st.tuples(
        st.sampled_from(("half", "dull", "bright")),
        st.tuples(st.sampled_from(POPS), st.sampled_from(tuple(Family))),
    ),
    st.tuples(st.sampled_from(("away", "back", "restart", "forget", "outdate")), st.just(AMS)),
)
gaps = st.sampled_from((0.2, 0.6, 1.4, 3.0, 8.0))


@settings(max_examples=40)
@given(st.lists(st.tuples(acts, gaps), min_size=1, max_size=8))
@example([(("half", (AMS, Family.V6)), 3.0), (("restore", AMS), 8.0)])
@example([(("away", AMS), 0.6), (("silence", FRA), 1.4), (("forget", AMS), 3.0)])
@example([(("dull", (AMS, Family.V4)), 1.4), (("outdate", AMS), 3.0), (("silence", AMS), 3.0)])
@example([(("away", AMS), 0.2), (("half", (LHR, Family.V4)), 3.0), (("outdate", AMS), 8.0)])
@example(
    [
        (("silence", FRA), 0.6),
        (("forget", AMS), 1.4),
        (("restore", MAD), 0.2),
        (("half", (AMS, Family.V6)), 0.6),
        (("restore", FRA), 1.4),
        (("dull", (MAD, Family.V6)), 8.0),
    ]
)
def test_whatever_the_weather_clients_find_somebody(story):
    stage = Stage(four_pops(**QUICK))
    stage.pass_time(3.0)
    storm = Storm(stage)
    for act, gap in story:
        storm.do(*act)
        storm.live(gap)
    storm.clear_up()


class Storm:
    """Acts, and judges after every look."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.old = stage.run
        self.calm = stage.run.steering.answers
        self.changed = stage.now

    def do(self, act: str, what: object) -> None:
        stage = self.stage
        self.changed = stage.now
        if act in {"silence", "half"} and (stage.silent or stage.half):
            return
        match act, what:
            case (("silence" | "half"), _):
                (stage.silent if act == "silence" else stage.half).add(what)
            case "restore", _:
                stage.silent.clear()
                stage.half.clear()
            case (("overload" | "calm"), _):
                change = stage.overloaded.add if act == "overload" else stage.overloaded.discard
                change(what)
            case (("dull" | "bright"), (pop, kind)):
                dull = stage.alone.dull
                (dull.add if act == "dull" else dull.discard)((pop, "north", kind))
            case (("away" | "back"), _) if stage.deaf is (act == "back"):
                (stage.find_broker if act == "back" else stage.lose_broker)()
            case (("restart" | "forget" | "outdate"), _):
                self._come_back({"restart": stage.run, "forget": None, "outdate": self.old}[act])

    def _come_back(self, run: object) -> None:
        if self.stage.deaf:
            self.stage.find_broker()
        before = self._routes()
        restarted(self.stage, run)
        for _ in range(3):
            self.stage.pass_time(LOOK, every=LOOK)
        if run is None:
            lost = {each for each in before - self._routes() if not self._in_parts(each)}
            assert not lost, f"(e) {sorted(lost)}"

    def live(self, seconds: float) -> None:
        for _ in range(max(1, round(seconds / LOOK))):
            orders, answers, routes = dict(self.stage.orders), self._answers(), self._routes()
            self.stage.pass_time(LOOK, every=LOOK)
            if self.stage.deaf:
                assert (self.stage.orders, self._answers()) == (orders, answers), "(b)"
                assert routes <= self._routes(), "(b)"
            self._judge_orders()
            if not self.stage.deaf and self.stage.now > self.changed + 3.0:
                self._judge_answers()

    def clear_up(self) -> None:
        stage = self.stage
        self.do("back", None)
        stage.silent.clear()
        stage.half.clear()
        stage.overloaded.clear()
        stage.alone.dull.clear()
        stage.pass_time(60, every=0.5)
        phases = {name: pop.phase for name, pop in stage.run.pops.items()}
        # Every loss doubles the time a PoP must have served before it is trusted again.
        assert set(phases.values()) == {Phase.HOME}, f"(f) {phases}"
        assert stage.run.steering.answers == self.calm, "(f)"
        assert not any(stage.alone.deeds.values()), "(f)"
        assert {pop.shed for pop in stage.run.pops.values()} == {1.0}, "(f)"

    def _judge_orders(self) -> None:
        orders = [(host, order) for host, (_, order) in self.stage.orders.items()]
        keepers = {tuple(sorted(order.keepers.items())) for _, order in orders}
        assert len(keepers) == 1, f"(c) {keepers}"
        shared = {*self.stage.fleet.anycast_prefixes(), *self.stage.fleet.covering}
        assert {prefix for prefix, _ in keepers.pop()} == shared, "(c)"
        steered = [ipaddress.ip_network(each) for each in self.stage.fleet.steered()]
        for host, order in orders:
            sent = {(each.prefix, each.uplink) for each in order.advertisements}
            assert len(sent) == len(order.advertisements), f"(d) {host} repeats itself"
            for prefix, uplink in sent:
                part = ipaddress.ip_network(prefix)
                wholes = [w for w in steered if w.version == part.version and part.subnet_of(w)]
                whole = max(wholes, key=lambda each: each.prefixlen)
                assert (str(whole), uplink) in sent, f"(d) {host}: {prefix} without {whole}"

    def _judge_answers(self) -> None:
        for group, addresses in self._answers().items():
            for address in addresses:
                one = ipaddress.ip_address(address)
                kind = Family.V6 if one.version == 6 else Family.V4
                carriers = [pop for pop in POPS if self._carries(pop, one)]
                gone = {p for p in carriers if p in self.stage.silent}
                gone |= {p for p in carriers if (p, kind) in self.stage.half}
                assert set(carriers) - gone, f"(a) {group}: {address} leads to {gone}"

    def _carries(self, pop: str, address: object) -> bool:
        """Whether what ``pop`` sends wins at all for this address."""
        own = self._longest(pop, address)
        return own > 17 and own == max(self._longest(each, address) for each in POPS)

    def _longest(self, pop: str, address: object) -> int:
        nets = (ipaddress.ip_network(each) for each in self.stage.wire(pop))
        covers = {17, 37}
        found = (n.prefixlen for n in nets if n.version == address.version and address in n)
        return max((size for size in found if size not in covers), default=0)

    def _answers(self) -> dict[str, tuple[str, ...]]:
        newest = max(each for each in self.stage.answers.values())
        return dict(newest[1].answers["www"])

    def _routes(self) -> set[tuple[str, str, str]]:
        return {
            (pop, each.prefix, each.uplink)
            for pop in POPS
            for host in self.stage.fleet.bgp_hosts(pop)
            for each in self.stage._sent(pop, host)
        }

    def _in_parts(self, route: tuple[str, str, str]) -> bool:
        pop, prefix, uplink = route
        halves = ipaddress.ip_network(prefix).subnets()
        return all((pop, str(half), uplink) in self._routes() for half in halves)
