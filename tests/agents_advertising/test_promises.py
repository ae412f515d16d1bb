"""I5, I7, I8 and I12, whatever happens in whatever order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agents.advertising.accept import Accepted
from agents.advertising.allowance import permitted
from agents.advertising.observations import (
    BgpSeen,
    BusChanged,
    KernelSeen,
    OrderArrived,
    OrderUnreadable,
    ServiceChecked,
    Tick,
)
from ambicast.contract.messages import Order
from ambicast.model.identifiers import Family
from ambicast.model.prefixes import contains
from tests.agents_advertising.hosts import (
    ALLOW,
    ANYCAST,
    COVER,
    FACTS,
    OWN,
    OWN6,
    TERMINATE,
    UPPER_HALF,
    VIDEO,
    Host,
    adverts,
    stamp,
    watched,
)

PREFIXES = (OWN, OWN6, UPPER_HALF, ANYCAST, VIDEO, COVER, "192.0.2.0/24", "198.18.0.0/25")
PATHS = adverts(*PREFIXES)

subsets = st.lists(st.sampled_from(TERMINATE), unique=True)
stamps = st.builds(stamp, st.integers(0, 3), st.integers(0, 2))
orders = st.builds(
    OrderArrived,
    stamps,
    st.builds(
        Order,
        advertisements=st.lists(st.sampled_from(PATHS), unique=True).map(tuple),
        terminate=subsets.map(tuple),
        keepers=st.dictionaries(st.sampled_from(PREFIXES), st.sampled_from(["ams", "fra"])),
        lease=st.floats(0.1, 60),
    ),
)
ribs = st.frozensets(st.sampled_from(PATHS))
looks = st.builds(
    KernelSeen,
    terminated=subsets.map(frozenset),
    carrier=st.fixed_dictionaries({"north": st.booleans(), "south": st.booleans()}),
    default_uplink=st.dictionaries(st.sampled_from(Family), st.sampled_from(["north", "south"])),
)
checks = st.builds(ServiceChecked, st.sampled_from(["www", "video"]), st.booleans())
silence = st.one_of(
    st.builds(BusChanged, st.booleans()),
    st.just(Tick()),
    st.builds(OrderUnreadable, st.text(max_size=5)),
)
others = st.one_of(
    st.builds(BgpSeen, attached=st.booleans(), rib=ribs, wire=ribs),
    looks,
    checks,
    st.builds(watched, st.booleans(), st.booleans()),
)
histories = st.lists(st.tuples(st.floats(0, 100), st.one_of(orders, others, silence)), max_size=25)


def lived(history):
    host = Host()
    for wait, observation in history:
        host.now += wait
        host.tell(observation)
    return host


def ordered_addresses(host):
    held = host.state.held
    return held.order.terminate if held else FACTS.table.addresses


@given(histories)
def test_i5_nothing_is_added_that_cannot_be_served(history):
    host = Host()
    for wait, observation in history:
        host.now += wait
        host.tell(observation)
        wanted = host.desired.advertisements or frozenset()
        rib = host.state.rib or frozenset()
        standing = {(each.prefix, each.uplink) for each in rib}
        kernel = host.state.kernel
        there = kernel.terminated if kernel else frozenset()
        for each in wanted:
            assert permitted(ALLOW, each.prefix)
            done = {prefix for deed in host.state.deeds for prefix in deed.prefixes}
            assert each in host.state.bound.advertisements or each.prefix in done
            if (each.prefix, each.uplink) not in standing:
                inside = {a for a in ordered_addresses(host) if contains(each.prefix, a)}
                assert kernel
                assert inside <= there


@given(histories)
def test_i5_no_address_goes_while_something_that_leads_to_it_is_wanted(history):
    host = lived(history)
    wanted, addresses = host.desired.advertisements, host.desired.addresses
    if wanted and addresses is not None:
        ordered = host.state.held.order.terminate
        assert all(
            address in addresses
            for each in wanted
            for address in ordered
            if contains(each.prefix, address)
        )


@given(histories)
def test_i7_the_keeper_never_withdraws_for_an_unfit_service(history):
    host = lived(history)
    before = host.desired.advertisements
    for service in ("www", "video"):
        host.judge(service, fit=False)
    if before is not None:
        kept = {p for p, keeper in host.state.bound.keepers.items() if keeper == "ams"}
        after = host.desired.advertisements
        assert {each for each in before if each.prefix in kept} <= after


@given(histories, st.lists(st.tuples(st.floats(0, 0.01), silence), max_size=10))
def test_i8_silence_changes_nothing(history, quiet):
    host = lived(history)
    before = host.desired
    for _, observation in quiet:
        host.tell(observation)
        assert host.desired == before


@given(histories)
def test_i8_time_alone_withdraws_nothing_from_a_healthy_host(history):
    host = Host.healthy(OWN, ANYCAST)
    before = host.desired
    for wait, observation in history:
        host.now += wait
        if isinstance(observation, (BusChanged, Tick, OrderUnreadable)):
            host.tell(observation)
    assert host.desired == before


@given(histories)
def test_i12_the_order_that_is_held_only_gets_newer(history):
    host = Host()
    for wait, observation in history:
        host.now += wait
        before = host.state.held
        host.tell(observation)
        after = host.state.held
        if before is not None:
            assert after.stamp >= before.stamp
            assert after.stamp > before.stamp or after == before


@given(histories, orders)
def test_i12_an_order_given_twice_is_an_order_given_once(history, arrived):
    once = lived(history)
    once.tell(arrived)
    state = once.state
    if isinstance(state.verdict, Accepted):
        once.tell(arrived)
        assert once.state.held == state.held
        assert isinstance(once.state.verdict, Accepted)


@given(histories)
def test_the_same_history_leads_to_the_same_decision(history):
    assert lived(history).desired == lived(history).desired
