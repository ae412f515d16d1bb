"""Graceful restart: the end of the table is ours to say."""

import pytest

from tests.agents_bgp import said
from tests.agents_bgp.talk import NORTH4, NORTH6, SHOW_RIB, SOUTH4, SOUTH6, P, Talk, announce, end


@pytest.fixture
def graceful(sessions):
    return Talk(sessions, says_end=True)


def test_the_end_of_a_table_is_said_once_all_that_is_wanted_was_sent(graceful):
    graceful.attach()
    graceful.want(P)
    assert graceful.said() == [announce(NORTH4, P), SHOW_RIB]
    graceful.hear("done", said.row(NORTH4, P), "done")
    assert graceful.said() == [end(each) for each in sorted((NORTH6, SOUTH4, SOUTH6))]
    graceful.hear(said.sent(NORTH4, [P]))
    assert graceful.said() == [end(NORTH4)]
    graceful.hear(*["done"] * 4)
    graceful.tick()
    assert graceful.said() == []


def test_without_an_order_the_end_is_not_said(graceful):
    graceful.attach()
    graceful.tick()
    graceful.tick()
    assert graceful.said() == []


def test_a_session_that_comes_back_is_told_the_end_again(graceful):
    graceful.attach()
    graceful.want()
    graceful.tick()
    graceful.hear(*["done"] * 4)
    graceful.said()
    graceful.hear(said.down(NORTH4), said.negotiated(NORTH4, said.UP4), said.up(NORTH4))
    assert graceful.said() == [end(NORTH4)]
    graceful.hear("error")  # it went down again


def test_without_graceful_restart_exabgp_says_the_end_itself(attached):
    attached.want()
    attached.tick()
    assert attached.said() == []
