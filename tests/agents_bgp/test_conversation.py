"""The conversation against a scripted ExaBGP; time is an argument, so none passes."""

import msgspec
import pytest

from agents.bgp import conversation
from agents.bgp.conversation import (
    ANSWER_WITHIN,
    AUDIT,
    LostThread,
    Stuck,
)
from agents.bgp.flight import LONGEST
from tests.agents_bgp import said
from tests.agents_bgp.talk import (
    NORTH4,
    NORTH6,
    SHOW_RIB,
    SHOW_SESSIONS,
    SOUTH4,
    SOUTH6,
    P,
    Q,
    announce,
    flush,
    withdraw,
)


def test_it_asks_for_sessions_and_then_for_what_is_held(talk):
    assert talk.said() == ["enable-ack", SHOW_SESSIONS]
    assert not talk.talk.ready
    assert talk.attach() == [SHOW_RIB]
    assert talk.talk.ready


def test_answers_to_a_predecessor_are_skipped(talk):
    talk.said()
    talk.hear("done", "error", said.row(NORTH4, P), "something else", "done")
    assert talk.attach() == [SHOW_RIB]
    assert talk.talk.rib == {}


def test_what_was_wanted_before_is_said_as_soon_as_we_know_what_is_held(talk):
    talk.said()
    talk.want(P, Q)
    assert talk.said() == []
    assert talk.attach(said.row(NORTH4, P)) == [
        SHOW_RIB, announce(NORTH4, Q), SHOW_RIB, flush(NORTH4),
    ]  # fmt: skip


def test_established_sessions_with_routes_are_asked_to_send_again_at_attach(talk):
    talk.said()
    assert talk.attach(said.row(SOUTH4, P)) == [SHOW_RIB, flush(SOUTH4)]
    talk.hear(said.sent(SOUTH4, [P]))
    assert set(talk.talk.lines[SOUTH4].wire) == {P}


def test_a_session_that_is_down_is_not_asked_to_send(talk):
    talk.said()
    assert talk.attach(said.row(SOUTH4, P), state="IDLE") == [SHOW_RIB]


def test_without_an_order_nothing_is_changed(attached):
    attached.talk.want(None, attached.now)
    attached.tick(AUDIT + 1)
    assert all(line.startswith("show ") for line in attached.said())


def test_a_change_is_said_at_once_and_read_back(attached):
    attached.want(P)
    assert attached.said() == [announce(NORTH4, P), SHOW_RIB]
    attached.want(P)
    assert attached.said() == []


def test_changes_do_not_wait_for_answers(attached):
    attached.want(P)
    attached.want(Q)
    assert attached.said() == [announce(NORTH4, P), SHOW_RIB, announce(NORTH4, Q), SHOW_RIB]
    attached.hear("done", said.row(NORTH4, P), "done")
    assert set(attached.talk.rib[NORTH4]) == {P, Q}  # that answer is from before the change
    attached.hear(said.sent(NORTH4, [P]))
    assert attached.said() == [withdraw(NORTH4, P), SHOW_RIB]
    attached.hear("done", said.row(NORTH4, P), said.row(NORTH4, Q), "done")
    assert set(attached.talk.rib[NORTH4]) == {Q}
    attached.hear("done", said.row(NORTH4, Q), "done")
    attached.tick()
    assert attached.said() == []


def test_a_prefix_is_not_changed_again_before_its_last_change_was_sent(attached):
    attached.want(P)
    attached.want()
    attached.want(P)
    attached.want()
    assert attached.said() == [announce(NORTH4, P), SHOW_RIB]
    attached.hear("done", said.row(NORTH4, P), "done")
    assert attached.said() == []
    attached.hear(said.sent(NORTH4, [P]))
    assert attached.said() == [withdraw(NORTH4, P), SHOW_RIB]


def test_only_the_same_prefix_on_the_same_session_waits(attached):
    attached.want(P)
    attached.want(P, uplink="south")
    assert attached.said() == [announce(NORTH4, P), SHOW_RIB, announce(SOUTH4, P), SHOW_RIB]


def test_the_echo_of_another_path_is_not_the_one_that_is_waited_for(attached):
    attached.want(P)
    attached.hear("done", said.row(NORTH4, P), "done", said.sent(NORTH4, [P]))
    attached.talk.want({NORTH4: {P: _prepended(attached)}}, attached.now)
    attached.want()
    attached.said()
    attached.hear(said.sent(NORTH4, [P]))
    assert attached.said() == []


def _prepended(attached):
    path = attached.talk.rib[NORTH4][P]
    return msgspec.structs.replace(path, as_path=(64500, 64500))


@pytest.mark.parametrize("gone", [True, False], ids=["it goes down", "it was down"])
def test_where_nothing_can_be_sent_nothing_is_waited_for(talk, gone):
    talk.attach(state="ESTABLISHED" if gone else "IDLE")
    talk.want(P)
    talk.want()
    talk.said()
    talk.hear(*[said.down(NORTH4)] * gone, "done")
    assert talk.said() == [withdraw(NORTH4, P), SHOW_RIB]


def test_a_change_without_an_echo_is_not_waited_for_for_ever(attached):
    attached.want(P)
    attached.hear("done", said.row(NORTH4, P), "done")
    attached.want()
    attached.said()
    attached.tick(LONGEST)
    assert withdraw(NORTH4, P) in attached.said()


@pytest.mark.parametrize(
    "lines",
    [("error",), ("gibberish",), (said.row(NORTH4, P),), ("[]",), ("done", "done", "done")],
    ids=lambda lines: lines[0][:12],
)
def test_whatever_does_not_fit_loses_the_thread(attached, lines):
    attached.want(P)
    with pytest.raises(LostThread):
        attached.hear(*lines)


def test_an_answer_that_does_not_come_loses_the_thread(attached):
    attached.want(P)
    for _ in range(int(ANSWER_WITHIN)):
        attached.tick()
    with pytest.raises(Stuck, match="no answer within 5 s to 'neighbor"):
        attached.tick(0.1)


def test_an_idle_exabgp_is_asked_whether_it_lives(attached):
    pings = []
    for _ in range(10):
        attached.talk.tick(attached.now)
        pings += attached.said()
        attached.now += 1
        if pings[-1:] == ["enable-ack"]:
            attached.hear("done")
            pings.append("answered")
    assert pings == ["enable-ack", "answered"] * 4
    for _ in range(6):
        attached.talk.tick(attached.now)
        attached.now += 1
    with pytest.raises(Stuck, match="no answer within 5 s to 'enable-ack'"):
        attached.talk.tick(attached.now)


def test_what_came_while_we_stood_still_is_not_late(attached):
    attached.want(P)
    attached.tick(20)
    attached.tick()
    attached.hear(said.sent(NORTH4, [P]), "done", said.row(NORTH4, P), "done")
    for _ in range(9):
        attached.tick()


def test_an_exabgp_without_any_neighbor_is_of_no_use(talk):
    talk.said()
    with pytest.raises(Stuck, match="without any neighbor"):
        talk.hear("[]")


def test_a_neighbor_exabgp_does_not_know_is_left_alone_and_the_others_are_served(talk):
    talk.said()
    talk.want(P)
    talk.hear("done", said.table((SOUTH4, "ESTABLISHED", ["ipv4 unicast"])), "done", "done")
    assert talk.said() == [SHOW_RIB]
    talk.want(P, uplink="south")
    assert talk.said() == [announce(SOUTH4, P), SHOW_RIB]
    assert talk.talk.absent == {NORTH4, NORTH6, SOUTH6}
    assert talk.talk.rib == {SOUTH4: talk.talk.rib[SOUTH4]}


@pytest.mark.parametrize("row", [("IDLE", []), ("ESTABLISHED", [])], ids=str)
def test_a_session_that_changed_unheard_loses_the_thread(attached, row):
    attached.tick(AUDIT + 1)
    with pytest.raises(LostThread, match="missed that"):
        attached.hear(said.table((NORTH4, *row)), "done")


def test_routes_of_neighbors_that_are_none_of_ours_are_left_alone(talk):
    talk.said()
    talk.want(P)
    lines = talk.attach(said.row("192.0.2.1", P))
    assert lines == [SHOW_RIB, announce(NORTH4, P), SHOW_RIB]


def test_events_come_at_any_time(talk):
    talk.said()
    talk.hear(said.negotiated(NORTH4, said.UP4), said.up(NORTH4), said.up("192.0.2.9"))
    talk.attach()
    talk.want(P)
    talk.hear(said.sent(NORTH4, [P]), "done", said.connected(SOUTH4), said.row(NORTH4, P), "done")
    assert set(talk.talk.lines[NORTH4].wire) == {P}


def test_limits_are_what_the_documents_say():
    assert (conversation.AUDIT, conversation.PATIENCE, conversation.ANSWER_WITHIN) == (30, 1, 5)
