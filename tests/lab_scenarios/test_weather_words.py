"""The words of bad weather: how they are read, what follows from them, what they expect."""

from __future__ import annotations

import pytest

from lab.engines.faults import LabError
from lab.judging.world import World
from lab.running.acting import _end
from lab.running.cell import Cell, with_capacity
from lab.scenarios.agenda import agenda
from lab.scenarios.located import ScenarioError, parse_located
from lab.scenarios.parsing import parse_scenario
from lab.scenarios.substitution import filled_expectation, filled_step
from lab.topology import three_pops
from lab.topology.settings import FLEET_FILE

HEAD = """\
scenario: a
topology: TOPOLOGY
let: {victim: "catchment(c1, www.anycast.v4)"}
load:
  - {from: c1, probe: udp, to: www.anycast.v4, rate: 1/s}
steps:
"""


@pytest.fixture
def read(tmp_path):
    (tmp_path / "order.json").write_text("{}")

    def parse(*steps, expect="", topology="three-pops"):
        text = HEAD.replace("TOPOLOGY", topology)
        text += "".join(f"  - {{at: {place + 1}s, do: {s}}}\n" for place, s in enumerate(steps))
        text += f"expect:\n  - {expect}\n" if expect else ""
        return parse_scenario(parse_located(text, str(tmp_path / "a.yaml")))

    return parse


def acts(scenario):
    return [(act.at, act.step.action, act.number) for act in agenda(scenario.steps)]


def test_a_fault_with_for_is_taken_back_by_its_own_word_and_has_no_number(read):
    scenario = read(
        "pause, node: fra, process: agent, for: 5s",
        "silence, node: ams, family: v6, for: 300ms",
        "mqtt-stop, for: 500ms",
    )
    assert acts(scenario) == [
        (1.0, "pause", 1),
        (2.0, "silence", 2),
        (2.3, "unsilence", 0),
        (3.0, "mqtt-stop", 3),
        (3.5, "mqtt-start", 0),
        (6.0, "resume", 0),
    ]
    undo = {act.step.action: act.step.arguments for act in agenda(scenario.steps)}
    assert undo["resume"] == {"node": "fra", "process": "agent"}
    assert undo["unsilence"] == {"node": "ams"}
    assert undo["mqtt-start"] == {}
    assert scenario.end == 16.0  # ten seconds after all that is done


def test_a_flapping_service_is_a_row_of_failures_and_recoveries(read):
    scenario = read("service-flap, pop: ams, service: www, every: 7s, times: 2, down: 2s")
    assert acts(scenario) == [
        (1.0, "service-flap", 1),
        (1.0, "service-fail", 0),
        (3.0, "service-restore", 0),
        (8.0, "service-fail", 0),
        (10.0, "service-restore", 0),
    ]
    long = read("service-flap, pop: ams, service: www, every: 7s, for: 10m")
    assert sum(action == "service-fail" for _, action, _ in acts(long)) == 85


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("silence, node: ams, family: v5", "v4, v6"),
        ("silence, node: [ams, cdg]", "unknown word 'cdg'"),
        ("silence, node: all", "unknown word 'all'"),
        ("impair, link: all, loss: 2", "not a share"),
        ("impair, link: all, jitter: 30", "not a duration"),
        ("impair, link: ams, loss: 2%", "NODE:ethN"),
        ("link-down, link: 'ams:t9'", "unknown node 't9'"),
        ("impair, link: all, loss: 2%, direction: up", "both, in, out"),
        ("kill, node: ams, process: agents", "responder"),
        ("pause, node: ams, process: agent, for: 0s", "more than nothing"),
        ("order, host: cdg-1, file: order.json", "all, ams-1, fra-1, lhr-1, $victim-1"),
        ("order, host: all, file: missing.json", "there is no "),
        ("publish, topic: pops/+/x, size: 1KiB", "without wildcards"),
        ("publish, topic: pops/x, size: 1", "B, KiB or MiB"),
        ("publish, topic: pops/x", "exactly one of; allowed: file, size"),
        ("publish, topic: pops/x, size: 1B, file: order.json", "exactly one of"),
        ("load, pop: ams, for: 1s", "exactly one of; allowed: cpu, uplink"),
        ("load, pop: ams, cpu: 95%", "'for' is missing"),
        ("reload, node: ams, program: knot", "agent, controller"),
        ("journal, how: burn", "truncate, fill-disk, restore"),
        ("service-flap, pop: ams, service: www, every: 2s", "exactly one of"),
        ("service-flap, pop: ams, service: www, every: 2s, times: 0", "from 1"),
        ("service-flap, pop: ams, service: www, every: 2s, times: 1, down: 2s", "less than"),
        ("mqtt-start, for: 1s", "unknown key 'for'"),
        ("partition, node: ctl1, from: [ams, moon]", "unknown word 'moon'"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line_and_what_is_allowed(read, step, said):
    with pytest.raises(ScenarioError, match=r"a\.yaml:7: ") as fault:
        read(step)
    assert said in str(fault.value)


def test_other_topologies_bring_their_own_names(read):
    two = read("poweroff, node: ams2", "link-down, link: 'amsr:eth1'", topology="two-hosts")
    assert two.steps[0].arguments == {"node": "ams2"}
    read("order, host: ams-2, file: order.json", topology="two-hosts")
    ten = read("silence, node: [p3, p4]", topology="ten-pops")
    assert ten.steps[0].arguments == {"node": "p3,p4"}
    with pytest.raises(ScenarioError, match="unknown word 'ams2'"):
        read("poweroff, node: ams2")


def test_links_that_shall_be_late_are_known_before_the_lab_is_up(read):
    def relayed(*steps):
        scenario = read(*steps)
        return Cell(scenario=scenario, params={"router": "bird"}, seed=1).relayed

    assert relayed("impair, link: all, loss: 2%") == frozenset()
    assert relayed("impair, link: all, loss: 2%, jitter: 30ms") == {"all"}
    assert relayed("impair, link: ['ams:eth1', 'c1:eth1'], delay: 5ms") == {"ams:eth1", "c1:eth1"}


def test_a_capacity_in_the_settings_is_every_uplinks():
    narrow = with_capacity(three_pops("bird"), "4Mbit/s")
    for node in ("ams", "ctl1"):
        text = narrow.node(node).files[FLEET_FILE]
        assert text.count("capacity: 4Mbit/s") == 6
        assert "100Gbit/s" not in text


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ("{routes: changed}", "same, gone"),
        ("{routes: {moved: 0}}", "changed, withdrawals"),
        ("{routes: {changed: often}}", "not a bound on a count"),
        ("{routes: {changed: 0}, of: ams}", "of: stands with"),
        ("{routes: {withdrawals: 0}}", "'of' is missing"),
        ("{routes: {withdrawals: 0}, of: cdg}", "ams, fra, lhr, $victim"),
        ("{routes: same, after: 1}", "'within' is missing"),
        ("{routes: gone, within: 1s, after: 1}", "'of' is missing"),
        ("{routes: {changed: 0}, after: 2}", "1 to 1"),
        ("{takeovers: none}", "not a bound on a count"),
        ("{session: down}", "up"),
        ("{advertised: most}", "every, exactly"),
        ("{answers: same}", "unchanged"),
        ("{answers: unchanged, family: ipv4}", "v4, v6"),
        ("{session: up, family: v4}", "unknown key 'family'"),
    ],
)
def test_an_expectation_that_cannot_be_meant_is_refused_likewise(read, expect, said):
    with pytest.raises(ScenarioError, match=r"a\.yaml:9: ") as fault:
        read("silence, node: $victim", expect=expect)
    assert said in str(fault.value)


def test_whose_routes_are_meant_is_filled_in(read):
    wanted = read("silence, node: $victim", expect="{routes: {withdrawals: 0}, of: $victim}")
    assert filled_expectation(wanted.expect[0], {"victim": "lhr"}).pop == "lhr"


def test_one_silent_family_is_dead_in_that_family_only(read):
    step = read("silence, node: ams, family: v4").steps[0]
    world = World().after(step)
    assert world.is_dead("ams", "v4")
    assert not world.is_dead("ams", "v6")
    assert world.living_nameservers(("ams", "fra")) == ("fra",)  # they are asked by IPv4
    over = read("unsilence, node: ams").steps[0]
    assert world.after(over) == World()


def test_a_link_can_be_named_by_its_two_ends_whoever_the_victim_is(read):
    step = read("link-silent, link: '$victim:t3'").steps[0]
    topology = three_pops("bird")
    ends = [
        _end(topology, filled_step(step, {"victim": pop}).arguments["link"])
        for pop in ("ams", "lhr")
    ]
    assert ends == ["ams:eth1", "lhr:eth2"]
    assert _end(topology, "t3:eth1") == "t3:eth1"
    with pytest.raises(LabError, match="there is no link fra:t3"):
        _end(topology, "fra:t3")
