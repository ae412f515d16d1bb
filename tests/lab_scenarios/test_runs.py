from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import msgspec
import pytest

from ambicast.contract.codec import encode
from ambicast.contract.messages import Order, Report, Sighting, Sightings
from ambicast.model.identifiers import Family
from ambicast.model.routes import Advertisement
from lab.bench import failover
from lab.bench.commands import Bench, show
from lab.bench.machine import machine
from lab.engines.faults import LabError
from lab.judging.expectations import Row
from lab.load.outages import Figures
from lab.reports.page import page
from lab.running import trial
from lab.running.acting import DEEDS
from lab.running.cell import Cell, timing
from lab.running.host import Host, when_quiet
from lab.running.loading import plans
from lab.running.readiness import nearest
from lab.running.results import Ticks, Trial
from lab.running.scenario import as_json, run_scenario
from lab.scenarios.located import parse_located
from lab.scenarios.parsing import parse_scenario, read_scenario
from lab.scenarios.words import ACTIONS
from lab.timeline.entries import Moment
from lab.timeline.messages import Differ
from lab.topology.places import THREE_POPS

QUIET = Host(cores=2, load=0.3)
SILENT_DEATH = read_scenario(failover.FOLDER / "silent-death.yaml")


def measured(cell, outage=420.0, served="ams"):
    """A trial as a lab would bring it home; baselines take 7 s."""
    outage = 7000.0 if cell.baseline else outage
    figures = Figures(sent=100, lost=5, outage_ms=outage, first_ok_ms=outage, served_by=served)
    rows = (
        Row(text="new answers right after step 1", measured=300.0, bound="", ok=True),
        Row(text="own-v4: lost after step 2", measured=0, bound="0", ok=True, unit=""),
    )
    trial = Trial(
        params=cell.params,
        seed=cell.seed,
        probes={load.name: figures for load in cell.loads},
        expect=() if cell.baseline else rows,
        let={"victim": "ams"},
        steps_ms=(5000.0,),
        ticks={"own-v4": Ticks((4990.0,), (5010.0,))},
        timeline=(Moment(5000.0, "fault", "ams", "silence <ams>"),),
    )
    return trial, "none"


def run(scenario=SILENT_DEATH, host=QUIET, run_trial=measured, **keywords):
    said = []
    return run_scenario(scenario, host, said.append, run_trial=run_trial, **keywords), said


def test_every_cell_gets_its_trials_and_each_baseline_once():
    result, said = run()
    assert [(t.params["router"], t.seed) for t in result.trials] == [
        ("bird", 1), ("bird", 2), ("bird", 3), ("frr", 1), ("frr", 2), ("frr", 3),
    ]  # fmt: skip
    assert set(result.baselines) == set(SILENT_DEATH.baselines)
    assert len(result.baselines["anycast-only"].cells) == 2
    assert len(said) == 14
    assert result.ok


def test_a_run_on_a_busy_machine_is_not_valid_and_never_ok():
    result, _ = run(host=Host(cores=2, load=1.6), trials=1)
    assert not result.valid
    assert not result.ok


def test_a_trial_that_could_not_be_carried_out_is_not_ok_and_says_why():
    def broken(cell):
        return Trial(params=cell.params, seed=cell.seed, error="t3 did not start"), "none"

    result, said = run(run_trial=broken, trials=1)
    assert not result.ok
    assert "t3 did not start" in said[0]


def test_a_labs_trouble_ends_as_a_trials_error_however_deep_it_happened(
    monkeypatch, tmp_path, capsys
):
    class Lab:
        delay = "none"
        directory = tmp_path

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

    async def in_a_task(*_):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(unhealthy())

    async def unhealthy():
        raise LabError("fra is silent")

    monkeypatch.setattr(trial, "up", lambda *_, **__: Lab())
    monkeypatch.setattr(trial, "monitor", lambda _: Lab())
    monkeypatch.setattr(trial, "_trial", in_a_task)
    cell = Cell(scenario=SILENT_DEATH, params={"router": "bird"}, seed=1)
    (tmp_path / "fra" / "log").mkdir(parents=True)
    (tmp_path / "fra" / "log" / "agent.log").write_text("why")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert trial.run_trial(cell)[0].error == "fra is silent"
    (kept,) = tmp_path.glob("ambicast-logs-*")
    assert (kept / "fra" / "agent.log").read_text() == "why"
    assert str(kept) in capsys.readouterr().err


def test_the_result_has_the_documented_shape():
    result, _ = run(trials=1)
    body = msgspec.json.decode(as_json([result]))
    assert set(body) >= {
        "scenario",
        "engine",
        "delay",
        "host",
        "valid",
        "trials",
        "baselines",
        "ok",
    }
    assert set(body["host"]) >= {"cores", "load"}
    trial = body["trials"][0]
    assert set(trial) >= {"params", "seed", "probes", "timeline", "expect"}
    assert set(trial["probes"]["own-v4"]) >= {"sent", "lost", "outage_ms", "first_ok_ms"}
    assert set(trial["timeline"][0]) == {"t_ms", "layer", "node", "what"}
    assert set(trial["expect"][0]) >= {"text", "measured", "bound", "ok"}
    assert set(body["baselines"]["dns-only"]) >= {"probes"}


def test_the_machine_is_waited_for_until_it_is_quiet():
    loads = [3.0, 2.0, 1.0]
    waited = []
    host = when_quiet(lambda: Host(2, loads.pop(0)), waited.append)
    assert host.load == 1.0
    assert len(waited) == 2


def test_a_machine_that_stays_busy_is_taken_as_it_is_after_a_minute():
    waited = []
    assert not when_quiet(lambda: Host(2, 9.0), waited.append).quiet
    assert sum(waited) == 60


def test_a_page_holds_figures_baselines_plot_and_escapes_what_nodes_said():
    result, _ = run(trials=1)
    html = page(result)
    for wanted in ("420 ms / 5 lost", "7000 ms / 5 lost", "<svg", "silence &lt;ams&gt;"):
        assert wanted in html
    assert "http://" not in html.split("<svg")[0]


def results(run_trial=measured):
    return {
        name: run(read_scenario(failover.FOLDER / f"{name}.yaml"), run_trial=run_trial, trials=1)[
            0
        ]
        for name in failover.SCENARIOS
    }


def test_bench_failover_has_every_figure_that_was_promised_with_its_baselines():
    figures = {figure.name: figure for figure in failover.figures(results())}
    assert set(figures) >= {
        "silent_unicast_p50", "silent_unicast_max", "silent_anycast_p50", "silent_anycast_max",
        "silent_dns_ms", "return_lost", "service_fail_max", "drain_lost",
    }  # fmt: skip
    assert figures["silent_unicast_max"].value == 420.0
    assert figures["silent_unicast_max"].baselines["anycast-only"] == 7000.0
    assert figures["silent_dns_ms"].ok
    assert figures["service_fail_max"].baselines == {"exabgp-healthcheck": 7000.0}


def test_anycast_figures_count_only_clients_whom_the_victim_served():
    figures = failover.figures(results(lambda cell: measured(cell, served="lhr")))
    by_name = {figure.name: figure for figure in figures}
    assert by_name["silent_anycast_max"].value is None
    assert not by_name["silent_anycast_max"].ok
    assert by_name["silent_unicast_max"].value == 420.0


def test_a_failed_trial_leaves_no_figure_that_could_look_good():
    def broken(cell):
        return Trial(params=cell.params, seed=1, error="no"), "none"

    assert not any(figure.ok for figure in failover.figures(results(broken)))


def test_the_bench_table_shows_baselines_beside_each_figure(capsys):
    figures = failover.figures(results())
    show(
        Bench(
            bench="failover",
            host=machine(QUIET),
            valid=True,
            minutes=1.0,
            figures=figures,
            plots=(),
            results=(),
            ok=True,
        )
    )
    out = capsys.readouterr().out
    line = next(line for line in out.splitlines() if "silent_unicast_p50" in line)
    assert "420" in line
    assert "7000" in line


def test_every_action_that_can_be_done_has_a_deed_and_no_other_does():
    assert set(DEEDS) == {word for word, action in ACTIONS.items() if not action.missing}


def test_settings_become_the_fleet_files_timing():
    assert timing({"hold": "9s", "ttl": "20s", "quorum": "2"}) == {"ttl": "20s", "quorum": 2}


def test_without_agents_names_are_not_asked_for():
    cell = Cell(
        scenario=SILENT_DEATH, params={"router": "bird"}, seed=1, baseline="exabgp-healthcheck"
    )
    assert not any(load.target.startswith("name") for load in cell.loads)


def test_a_baseline_runs_with_its_technique_alone():
    cell = Cell(scenario=SILENT_DEATH, params={"router": "bird"}, seed=1, baseline="dns-only")
    files = cell.topology().node("ctl1").files
    assert "techniques:\n- dns\n" in files["/etc/ambicast/controller.yaml"]


def test_each_client_gets_its_own_plan_with_requests_spread_over_the_interval():
    loads = [load for load in SILENT_DEATH.load if "$" not in load.target]
    (client, plan), *_ = plans(loads, THREE_POPS, Path("/nowhere")).items()
    assert client.name == "c1"
    count = len(plan.probes)
    assert [probe.phase for probe in plan.probes] == [place / count for place in range(count)]
    assert plan.resolver == "198.19.1.10"


@pytest.mark.parametrize(("client", "pop"), [("c1", "ams"), ("c2", "fra"), ("c3", "lhr")])
def test_each_client_has_its_nearest_pop(client, pop):
    one = next(each for each in THREE_POPS.clients if each.name == client)
    assert nearest(one, THREE_POPS.pops).name == pop


def told(differ, message, topic="ambicast/v1/lab/pops/ams/ams-1/report"):
    return [(e.layer, e.node, e.what) for e in differ.entries(topic, encode(message), 1)]


def test_only_what_a_message_changed_is_told():
    differ = Differ("lab")
    route = Advertisement(prefix="198.18.0.0/22", uplink="north")
    first = told(differ, Report(instance="a", wire=(route,)))
    assert first == [("bgp", "ams", "advertises 198.18.0.0/22")]
    assert told(differ, Report(instance="a", wire=(route,))) == []
    assert told(differ, Report(instance="a")) == [("bgp", "ams", "withdrew 198.18.0.0/22")]


def test_sightings_are_watching_and_orders_are_messages():
    differ = Differ("lab")
    topic = "ambicast/v1/lab/pops/fra/fra-1/sightings"
    lost = Sightings(
        instance="a", seen=(Sighting(pop="ams", uplink="north", family=Family.V4, up=False),)
    )
    assert told(differ, lost, topic) == [("watch", "fra", "loses ams/north/v4")]
    order = Order(advertisements=(), terminate=(), reason="cover ams")
    assert told(differ, order, topic.replace("sightings", "order")) == [
        ("mqtt", "fra", "order to advertise 0 prefixes: cover ams")
    ]


def test_noise_on_the_broker_is_told_and_foreign_topics_are_not():
    differ = Differ("lab")
    assert differ.entries("other/topic", b"x", 1) == []
    assert (
        "not understood" in differ.entries("ambicast/v1/lab/controller/presence", b"{", 1)[0].what
    )


def test_a_scenario_without_steps_ends_after_its_margin():
    text = (
        "scenario: calm\ntopology: three-pops\n"
        "load:\n  - {from: c1, probe: udp, to: www.anycast.v4, rate: 1/s}\n"
    )
    assert parse_scenario(parse_located(text, "calm.yaml")).end == 10.0
