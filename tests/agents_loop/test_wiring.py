"""Parts that fail, orders that are restored, settings that are read again."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import pairwise

import msgspec
import pytest
import yaml

from agents.__main__ import main
from agents.advertising.accept import Distrusted, Held
from agents.config import load
from agents.orders.storage import Kept
from agents.wiring import LONGEST_PAUSE, Reload, facts_of, kept_alive, restored
from ambicast.contract.messages import Brake, BrakeKind
from tests.agents_advertising.hosts import ANYCAST, FACTS, OWN, adverts, order, stamp
from tests.agents_loop.test_settings import FLEET


@pytest.mark.looptime
async def test_a_part_that_fails_is_started_again_ever_more_slowly():
    starts = []

    async def part():
        starts.append(asyncio.get_running_loop().time())
        if len(starts) < 8:
            raise RuntimeError

    failures = Counter()
    await kept_alive("part", part, failures)
    waits = [after - before for before, after in pairwise(starts)]
    assert waits == pytest.approx([0.5, 1, 2, 4, 8, LONGEST_PAUSE, LONGEST_PAUSE])
    assert failures == {"part": 7}


def test_a_kept_order_is_in_force_at_once():
    held = Held(stamp(4), order(OWN))
    assert restored(Kept(held), FACTS, 0.0).held == held


def test_a_kept_order_is_judged_by_todays_allow_list():
    narrow = msgspec.structs.replace(FACTS, allow=())
    assert restored(Kept(Held(stamp(4), order(OWN))), narrow, 0.0).held is None


def test_a_distrusted_order_is_refused_however_often_it_comes():
    kept = Kept(Held(stamp(4), order(OWN)), distrusted=stamp(4))
    state = restored(kept, FACTS, 0.0)
    assert state.held is None
    assert state.verdict == Distrusted(stamp(4))


def test_what_was_held_before_a_boot_is_known_from_the_start():
    frozen = frozenset(adverts(OWN))
    hold = Brake(kind=BrakeKind.HOLD, reason="x")
    state = restored(Kept(Held(stamp(4), order(ANYCAST))), FACTS, 0.0, hold, frozen)
    assert state.braking.frozen == frozen
    assert state.held is not None


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "agent.yaml"
    settings = {
        "fleet": str(FLEET),
        "pop": "ams",
        "host": "ams-1",
        "broker": {"host": "127.0.0.1"},
        "watch_key_file": "/etc/ambicast/watch.key",
        "state_dir": str(tmp_path),
        "allow": [{"prefix": "198.18.0.0/15", "longest": 24}],
    }
    file.write_text(yaml.safe_dump(settings))
    return file


class Reconfigured(list):
    def reconfigure(self, facts):
        self.append(facts)


def test_a_reload_brings_the_new_allow_list_into_force(file):
    settings = load(file)
    agent = Reconfigured()
    reload = Reload(settings, file, agent, facts_of(settings, "i", 0.0))
    file.write_text(file.read_text().replace("longest: 24", "longest: 22"))
    reload()
    assert [facts.allow[0].longest for facts in agent] == [22]


def test_a_reload_of_a_faulty_file_keeps_the_last_good_one(file):
    settings = load(file)
    agent = Reconfigured()
    reload = Reload(settings, file, agent, facts_of(settings, "i", 0.0))
    file.write_text("nonsense")
    reload()
    assert agent == []


@pytest.mark.parametrize("command", [[], ["exabgp"], ["nameserver"]])
def test_bad_settings_are_one_line_and_exit_2(command, tmp_path, capsys):
    missing = tmp_path / "none.yaml"
    assert main([*command, "--config", str(missing)]) == 2
    assert capsys.readouterr().err == f"ambicast-agent: {missing}: No such file or directory\n"
