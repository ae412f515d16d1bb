from __future__ import annotations

from pathlib import Path

import pytest

from lab.scenarios.located import ScenarioError, parse_located
from lab.scenarios.matrix import cells
from lab.scenarios.parsing import parse_scenario, read_scenario
from lab.scenarios.shapes import AgreeExpectation, EventExpectation
from lab.scenarios.substitution import filled_load, filled_step
from lab.scenarios.targets import AddressTarget, Catchment

FILES = sorted((Path(__file__).parents[2] / "lab" / "scenarios").rglob("*.yaml"))
FILES = [path for path in FILES if path.parent.name != "files"]

DOCUMENTED = """\
scenario: silent-death
topology: three-pops                      # lab/topologies/three-pops.clab.yml
matrix: {router: [bird, frr], bfd: [off]} # every combination is run
trials: 3
settings: {hold: 9s, ttl: 20s}            # over the fleet file's timing
let: {victim: "catchment(c1, www.anycast.v4)"}
load:
  - {name: anycast, from: c1, probe: udp,  to: www.anycast.v4, rate: 100/s}
  - {name: unicast, from: c1, probe: udp,  to: "pop($victim).v4", rate: 100/s}
  - {name: web,     from: c1, probe: http, to: "name:www.cdn.example", rate: 100/s}
steps:
  - {at: 5s,  do: silence, node: $victim}
  - {at: 40s, do: restore, node: $victim}
expect:
  - {probe: unicast, outage: "< 1s", lost: "< 100"}
  - {layers: agree, within: 1s, after: 1}
  - {event: plan.settled, within: 2s, after: 1}
baseline: [anycast-only, dns-only, reactive-same-length]
"""


def scenario(text=DOCUMENTED):
    return parse_scenario(parse_located(text, "a.yaml"))


def fault(text):
    with pytest.raises(ScenarioError) as caught:
        scenario(text)
    return str(caught.value)


def changed(old, new):
    assert old in DOCUMENTED
    return DOCUMENTED.replace(old, new)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_shipped_scenario_can_be_read_and_is_named_as_its_file(path):
    assert read_scenario(path).name in (path.stem, f"{path.parent.name}-{path.stem}")


def test_the_documented_example_is_read_as_documented():
    read = scenario()
    assert read.matrix == {"router": ("bird", "frr"), "bfd": ("off",)}
    assert read.let == {"victim": Catchment("c1", AddressTarget("198.19.254.1"))}
    assert [step.at for step in read.steps] == [5.0, 40.0]
    assert read.expect[0].outage.value == 1000.0
    assert isinstance(read.expect[1], AgreeExpectation)
    assert isinstance(read.expect[2], EventExpectation)
    assert read.baselines == ("anycast-only", "dns-only", "reactive-same-length")
    assert read.end == 50.0


def test_every_combination_of_the_matrix_is_a_cell():
    assert cells(scenario()) == (
        {"router": "bird", "bfd": "off"},
        {"router": "frr", "bfd": "off"},
    )


def test_a_let_name_stands_for_the_pop_found_at_the_start():
    read = scenario()
    assert filled_load(read.load[1], {"victim": "fra"}).target == "pop(fra).v4"
    assert filled_step(read.steps[0], {"victim": "fra"}).arguments == {"node": "fra"}


@pytest.mark.parametrize(
    ("old", "new", "line", "wanted"),
    [
        ("do: silence", "do: silent", 12, "silence"),
        ("probe: http", "probe: smtp", 10, "tcp-stream"),
        ("layers: agree", "layers: match", 16, "agree"),
        ("dns-only", "dns-alone", 18, "exabgp-healthcheck"),
        ("ttl: 20s", "tll: 20s", 5, "watch_interval"),
        ("router: [bird", "router: [junos", 3, "frr"),
        ("from: c1, probe: http", "from: c9, probe: http", 10, "c1, c2, c3"),
        ("node: $victim}\n  - {at", "node: $victin}\n  - {at", 12, "$victim"),
        ("pop($victim)", "pop($other)", 9, "$victim"),
        ("probe: unicast", "probe: multicast", 15, "unicast"),
        ("probe: unicast, ", "probe: unicast, served: cdg, ", 15, "ams, fra, lhr, $victim"),
        ("after: 1}\nbaseline", "after: 3}\nbaseline", 17, "1 to 2"),
        ("catchment(c1, www", "catchment(c1, ftp", 6, "www"),
        ("topology: three-pops", "topology: four-pops", 2, "three-pops"),
        ("at: 40s", "at: 40", 13, "ms, s, m, h, d"),
        ("rate: 100/s}\n  - {name: web", "rate: 100}\n  - {name: web", 9, "100/s"),
    ],
)
def test_an_unknown_word_is_refused_with_file_line_and_what_is_allowed(old, new, line, wanted):
    said = fault(changed(old, new))
    assert said.startswith(f"a.yaml:{line}: ")
    assert wanted in said


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("probe: http", "probe: h3"),
        ("probe: http", "probe: https"),
    ],
)
def test_a_word_that_cannot_be_done_yet_is_refused_as_such_and_not_skipped(old, new):
    assert "cannot be" in fault(changed(old, new))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{at: 40s, do", "{at: 4s, do", "before the step above"),
        ("name: anycast", "name: unicast", "two loads are named 'unicast'"),
        ('outage: "< 1s"', 'outage: "< 1"', "not a duration"),
        ('lost: "< 100"', 'lost: "< 10%"', "not a bound on a count"),
        (", node: $victim}\n  - {at", "}\n  - {at", "'node' is missing"),
        ("do: silence, node", "do: silence, speed: 3, node", "unknown key 'speed'"),
        ("trials: 3", "trials: 0", "from 1"),
        ("trials: 3\n", "trials: 3\ntrials: 4\n", "stands twice"),
        ("settings: {", "settings: [", "is not YAML"),
    ],
)
def test_other_faults_say_what_is_wrong(old, new, said):
    assert said in fault(changed(old, new))


def test_a_file_that_cannot_be_read_is_a_fault_of_its_own(tmp_path):
    with pytest.raises(ScenarioError, match=r"missing\.yaml: cannot be read"):
        read_scenario(tmp_path / "missing.yaml")
