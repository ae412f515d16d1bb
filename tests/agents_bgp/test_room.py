"""Never beyond a neighbor's limit on the way from one set to another, whatever both are."""

from hypothesis import assume, given
from hypothesis import strategies as st

from agents.bgp.difference import Advertise, applied, diff
from agents.bgp.paths import Path
from agents.bgp.room import within
from ambicast.model.prefixes import length, split

NORTH, MOST = "10.3.1.1", 4
OWN, LHR = "198.18.0.0/22", "198.18.4.0/22"
PREFIXES = (OWN, LHR, *split(OWN, 1), *split(LHR, 1), *split(OWN, 2))
PATH, OTHER = Path("10.3.1.2", (64500,)), Path("10.3.1.2", (64500, 64500))

sets = st.dictionaries(st.sampled_from(PREFIXES), st.sampled_from([PATH, OTHER]), max_size=MOST)


def rib(*prefixes):
    return dict.fromkeys(prefixes, PATH)


def steps(wanted, held, most=MOST):
    """What is held after each turn; what is withdrawn in one was sent before the next."""
    held, going = dict(held), set()
    while True:
        allowed = within({NORTH: wanted}, {NORTH: held}, {NORTH: going}, {NORTH: most})
        changes = diff(allowed, {NORTH: held})
        if not changes and not going:
            return
        now = applied({NORTH: held}, changes)[NORTH]
        yield held, going, now
        going, held = set(held) - set(now), now


@given(sets, sets)
def test_the_neighbor_never_has_more_than_it_takes_in_whatever_order_changes_are_sent(want, held):
    for before, going, after in steps(want, held):
        assert len(set(before) | set(after) | going) <= MOST


@given(sets, sets)
def test_it_ends_at_what_is_wanted(wanted, held):
    last = held
    for turn, (_, _, after) in enumerate(steps(wanted, held)):
        assert turn < 2 * MOST
        last = after
    assert last == wanted


@given(sets, sets)
def test_where_both_fit_side_by_side_all_comes_at_once(wanted, held):
    assume(len({**wanted, **held}) <= MOST)
    assert within({NORTH: wanted}, {NORTH: held}, {}, {NORTH: MOST}) == {NORTH: wanted}


@given(sets, sets)
def test_nothing_goes_before_the_new_is_there_unless_its_room_is_needed(wanted, held):
    for before, _, after in steps(wanted, held):
        missing, gone = set(wanted) - set(after), set(before) - set(after)
        if missing:
            assert len(gone) <= len(missing)


def test_the_shortest_come_first_and_the_most_specific_go_first():
    held = rib(OWN, LHR, *split(OWN, 1))
    (_, _, first), *_ = steps(rib(OWN, LHR, "198.18.128.0/17"), held)
    assert first == rib(OWN, LHR, split(OWN, 1)[0])


def test_what_leaves_counts_until_it_was_sent():
    asked = {NORTH: rib(OWN, LHR)}
    assert within(asked, {NORTH: rib(OWN)}, {NORTH: {"198.18.8.0/22"}}, {NORTH: 2}) == {
        NORTH: rib(OWN)
    }


def test_a_limit_that_was_lowered_takes_nothing_away():
    held = rib(OWN, *split(OWN, 1))
    assert within({NORTH: held}, {NORTH: held}, {}, {NORTH: 2}) == {NORTH: held}


def test_what_never_fits_is_never_said():
    *_, (_, _, last) = steps(rib(*split(OWN, 2), OWN), {}, most=3)
    assert len(last) == 3
    assert min(last, key=length) == OWN


def test_changes_of_what_is_there_need_no_room():
    changed = {OWN: OTHER, LHR: OTHER}
    (only,) = diff(
        within({NORTH: changed}, {NORTH: rib(OWN, LHR)}, {}, {NORTH: 2}), {NORTH: rib(OWN, LHR)}
    )
    assert isinstance(only, Advertise)
