"""What counts as sent, and when it stops counting."""

from agents.bgp.events import Down, Negotiated, Sent, SessionRow, Up
from agents.bgp.paths import Path
from agents.bgp.wire import Line, fold, found
from ambicast.model.identifiers import Family

PEER = "10.3.1.1"
PATH, LONGER = Path("10.3.1.2", (64500,)), Path("10.3.1.2", (64500, 64500))
OPENED = (Negotiated(PEER, (Family.V4,)), Up(PEER, 5.0))


def after(*events, line=None):
    for event in events:
        line = fold(line or Line(), event)
    return line


def sent(*prefixes, path=PATH, withdrawn=()):
    return Sent(PEER, dict.fromkeys(prefixes, path), withdrawn)


def test_an_echo_on_an_established_session_is_on_the_wire():
    line = after(*OPENED, sent("198.18.0.0/22"))
    assert (line.established, line.since, line.wire) == (True, 5.0, {"198.18.0.0/22": PATH})


def test_the_last_echo_of_a_prefix_counts():
    line = after(*OPENED, sent("198.18.0.0/22"), sent("198.18.0.0/22", path=LONGER))
    assert line.wire == {"198.18.0.0/22": LONGER}
    assert after(sent(withdrawn=("198.18.0.0/22",)), line=line).wire == {}


def test_withdrawing_what_was_not_there_changes_nothing():
    line = after(*OPENED, sent("198.18.0.0/22"))
    assert after(sent(withdrawn=("198.18.9.0/24",)), line=line) == line


def test_a_session_that_goes_down_takes_its_routes_with_it():
    line = after(*OPENED, sent("198.18.0.0/22"), Down(PEER, 9.0, "hold"))
    assert (line.established, line.families, line.since, line.wire) == (False, (), 9.0, {})
    assert after(*OPENED, line=line).wire == {}


def test_a_family_that_was_not_negotiated_is_not_on_the_wire_even_if_echoed():
    line = after(*OPENED, sent("198.18.0.0/22", "2001:db8::/46"))
    assert set(line.wire) == {"198.18.0.0/22"}
    assert line.carries("198.18.0.0/24")
    assert not line.carries("2001:db8::/47")


def test_an_echo_before_the_session_is_up_does_not_count():
    assert after(OPENED[0], sent("198.18.0.0/22")).wire == {}


def test_a_session_found_established_has_sent_nothing_that_we_know_of():
    line = found(SessionRow(PEER, True, (Family.V4,)))
    assert (line.established, line.families, line.wire) == (True, (Family.V4,), {})


def test_a_session_found_between_open_and_up_has_negotiated_already():
    line = after(
        Up(PEER, 5.0), sent("198.18.0.0/22"), line=found(SessionRow(PEER, False, (Family.V4,)))
    )
    assert set(line.wire) == {"198.18.0.0/22"}
