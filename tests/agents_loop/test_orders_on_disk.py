"""The order that survives a restart, and the one that does not."""

from __future__ import annotations

import pytest

from agents.advertising.accept import Held
from agents.orders.storage import WITHIN, Kept, OrderStorage
from tests.agents_advertising.hosts import ANYCAST, OWN, order, stamp

HELD = Held(stamp(3), order(OWN, ANYCAST, keepers={ANYCAST: "ams"}))


@pytest.fixture
def storage(tmp_path):
    return OrderStorage(tmp_path / "state")


def test_the_first_start_begins_with_nothing(storage):
    assert storage.start(10.0) == Kept()


def test_a_kept_order_is_there_after_a_restart(storage):
    storage.start(10.0)
    storage.keep(HELD)
    storage.stopped()
    assert storage.start(20.0) == Kept(HELD)


def crash(storage, at):
    for now in at:
        storage.start(now)
        storage.keep(HELD)


def test_three_crashes_within_a_minute_set_the_order_aside(storage):
    crash(storage, [10.0, 20.0, 30.0])
    assert storage.start(40.0) == Kept(None, distrusted=HELD.stamp)
    assert storage.start(1000.0) == Kept(None, distrusted=HELD.stamp)


def test_crashes_far_apart_do_not(storage):
    crash(storage, [10.0, 20.0, 30.0 + WITHIN])
    assert storage.start(40.0 + WITHIN) == Kept(HELD)


def test_clean_ends_are_no_crashes(storage):
    for now in range(10):
        storage.start(float(now))
        storage.keep(HELD)
        storage.stopped()
    assert storage.start(11.0) == Kept(HELD)


def test_a_newer_order_ends_the_distrust(storage):
    crash(storage, [10.0, 20.0, 30.0])
    storage.start(40.0)
    newer = Held(stamp(4), order(OWN))
    storage.keep(newer)
    storage.stopped()
    assert storage.start(50.0) == Kept(newer)


@pytest.mark.parametrize("content", [b"", b"{", b'{"type": "presence"}', b"\xff"])
def test_a_file_that_is_no_order_is_no_order(storage, tmp_path, content):
    storage.start(10.0)
    (tmp_path / "state" / "order.json").write_bytes(content)
    storage.stopped()
    assert storage.start(20.0) == Kept()


def test_a_disk_that_cannot_be_written_does_not_stop_the_agent(storage, tmp_path):
    storage.start(10.0)
    (tmp_path / "state" / "order.draft").mkdir()
    storage.keep(HELD)


def test_an_order_that_cannot_be_kept_leaves_no_older_one_behind(storage, tmp_path):
    """A restart with the older one would take back what the newer one advertises."""
    storage.start(10.0)
    storage.keep(HELD)
    (tmp_path / "state" / "order.draft").mkdir()
    storage.keep(Held(stamp(4), order(OWN)))
    storage.stopped()
    assert storage.start(20.0) == Kept()


def test_a_full_disk_does_not_keep_an_agent_from_starting(storage, tmp_path):
    (tmp_path / "state" / "starts.draft").mkdir(parents=True)
    assert storage.start(10.0) == Kept()
