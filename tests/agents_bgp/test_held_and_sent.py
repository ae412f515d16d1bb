"""What ExaBGP holds is read back, and what it holds and did not send is sent again."""

from agents.bgp.conversation import AUDIT, PATIENCE
from tests.agents_bgp import said
from tests.agents_bgp.talk import NORTH4, SHOW_RIB, SHOW_SESSIONS, P, announce, flush


def test_a_route_exabgp_did_not_keep_is_said_again(attached):
    attached.want(P)
    attached.said()
    attached.hear("done", "done")
    attached.tick()
    assert attached.said() == [announce(NORTH4, P), SHOW_RIB]


def test_what_is_held_is_read_again_every_half_minute(attached):
    attached.tick(AUDIT - 1)
    assert attached.said() == []
    attached.tick(2)
    assert attached.said() == [SHOW_SESSIONS, SHOW_RIB]


def _settled(attached):
    attached.want(P)
    attached.hear("done", said.row(NORTH4, P), "done")
    attached.said()


def test_what_is_held_and_not_sent_is_sent_again_after_a_second(attached):
    _settled(attached)
    attached.tick()
    assert attached.said() == []
    attached.tick(PATIENCE)
    assert attached.said() == [flush(NORTH4)]


def test_what_was_sent_is_not_sent_again(attached):
    _settled(attached)
    attached.hear(said.sent(NORTH4, [P]))
    for _ in range(9):
        attached.tick()
    assert attached.said() == []


def test_a_withdrawal_that_was_not_sent_is_noticed_too(attached):
    attached.hear(said.sent(NORTH4, [P]))
    attached.tick()
    attached.tick(PATIENCE)
    assert attached.said() == [flush(NORTH4)]


def test_sending_again_that_does_not_help_is_not_repeated_at_once(attached):
    _settled(attached)
    attached.tick()
    attached.tick(PATIENCE)
    attached.hear("done")
    attached.said()
    for _ in range(9):
        attached.tick()
    assert attached.said() == []


def test_a_session_that_is_down_owes_nothing(attached):
    _settled(attached)
    attached.hear(said.down(NORTH4))
    for _ in range(9):
        attached.tick()
    assert attached.said() == []


def test_a_refused_resend_means_that_the_session_went_down(talk):
    talk.attach(said.row(NORTH4, P))
    talk.hear("error")
    talk.tick()
