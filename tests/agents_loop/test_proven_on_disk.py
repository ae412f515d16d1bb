"""Which uplinks have worked survives the agent; what happens to the file costs only itself."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from agents.loop import Agent, Ports
from agents.orders.proven import ProvenStorage
from agents.orders.storage import Kept
from agents.wiring import restored
from ambicast.model.identifiers import Family
from tests.agents_advertising.hosts import AMS, FACTS, watched

NORTH = frozenset({("north", Family.V4), ("north", Family.V6)})


class Silent:
    def __getattr__(self, name):
        return lambda *_, **__: None


def test_what_was_kept_is_read_again(tmp_path):
    assert ProvenStorage(tmp_path, AMS).read() == frozenset()
    ProvenStorage(tmp_path, AMS).keep(NORTH)
    assert ProvenStorage(tmp_path, AMS).read() == NORTH


@pytest.mark.parametrize("field", ["identity", "neighbor"])
def test_an_uplink_with_other_addresses_proves_itself_anew(tmp_path, field):
    ProvenStorage(tmp_path, AMS).keep(NORTH)
    north = AMS.uplinks["north"]
    moved = replace(north, **{field: {**getattr(north, field), Family.V4: "10.9.9.9"}})
    pop = replace(AMS, uplinks={**AMS.uplinks, "north": moved})
    assert ProvenStorage(tmp_path, pop).read() == {("north", Family.V6)}


def test_an_uplink_that_is_no_more_is_forgotten(tmp_path):
    ProvenStorage(tmp_path, AMS).keep(NORTH)
    pop = replace(AMS, uplinks={"south": AMS.uplinks["south"]})
    assert ProvenStorage(tmp_path, pop).read() == frozenset()


@pytest.mark.parametrize("content", [b"", b"{", b'[{"uplink": 5}]', b"\xff\xfe", b"{}"])
def test_a_broken_file_is_forgotten(tmp_path, content):
    (tmp_path / "proven.json").write_bytes(content)
    assert ProvenStorage(tmp_path, AMS).read() == frozenset()


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path):
    nowhere = ProvenStorage(tmp_path / "not" / "there", AMS)
    nowhere.keep(NORTH)
    assert nowhere.read() == frozenset()


def test_the_loop_keeps_what_works_and_the_next_agent_begins_with_it(tmp_path):
    storage = ProvenStorage(tmp_path, AMS)
    kept = []
    port = type("Port", (), {"keep": lambda _, ways: (kept.append(ways), storage.keep(ways))})()
    ports = Ports(bus=Silent(), orders=Silent(), proven=port)
    agent = Agent(FACTS, ports, lambda: 1000.0, restored(Kept(), FACTS, 1000.0))
    for _ in range(3):
        agent.step(watched(south=False))
    assert kept == [NORTH]
    assert restored(Kept(), FACTS, 1.0, proven=storage.read()).weather.proven == NORTH
