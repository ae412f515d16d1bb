"""The containerlab engine, against stand-ins that write down how they are called."""

import json
import os
import sys

import pytest

from lab.engines import LabError, clab
from lab.engines.clab import ClabLab
from lab.topology import render, three_pops

STAND_IN = f"""#!{sys.executable}
import json, os, pathlib, sys
with open(os.environ["RECORD"], "a") as record:
    record.write(json.dumps([pathlib.Path(sys.argv[0]).name, *sys.argv[1:]]) + "\\n")
if sys.argv[1:2] == ["inspect"]:
    print(os.environ["PID"] if "Pid" in sys.argv[3] else "172.31.200.7 ")
if sys.argv[1] == os.environ.get("REFUSE"):
    sys.exit("Error: no such image")
"""


@pytest.fixture
def calls(tmp_path, monkeypatch):
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("containerlab", "docker"):
        (tools / tool).write_text(STAND_IN)
        (tools / tool).chmod(0o755)
    record = tmp_path / "record"
    record.touch()
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("RECORD", str(record))
    monkeypatch.setenv("PID", str(os.getpid()))
    monkeypatch.setattr("lab.engines.state.ROOT", tmp_path / "state")
    monkeypatch.setattr("lab.engines.clab.ROOT", tmp_path / "state")
    return lambda: [json.loads(line) for line in record.read_text().splitlines()]


@pytest.fixture
def topology():
    return three_pops("bird", delay="20ms")


@pytest.fixture
def lab(calls, topology, tmp_path):
    render(topology, tmp_path / "files")
    return clab.bring_up(topology, "demo", tmp_path / "files")


def test_up_deploys_the_rendered_file_under_the_labs_name(lab, calls):
    file = lab.directory / "three-pops.clab.yml"
    assert calls()[0] == ["containerlab", "deploy", "--topo", str(file), "--name", "demo"]


def test_up_delays_both_ends_of_every_delayed_link(lab, calls, topology):
    netem = [call for call in calls() if call[1:4] == ["tools", "netem", "set"]]
    wanted = {
        ("clab-demo-" + end.node, end.interface)
        for link in topology.links
        if link.delay
        for end in (link.a, link.b)
    }
    assert {(call[5], call[7]) for call in netem} == wanted
    assert {tuple(call[8:]) for call in netem} == {("--delay", "20ms")}
    assert lab.delay == "netem"


def test_the_broker_and_the_api_are_reached_by_the_management_network(lab):
    assert lab.broker == ("172.31.200.7", 8883)
    assert lab.api == "http://172.31.200.7:8080"


def test_commands_run_by_docker_exec_in_the_nodes_container(lab, calls):
    lab.exec("ams", ["birdc", "show", "protocols"])
    call = [each for each in calls()[-1] if each != "-t"]
    assert call == ["docker", "exec", "-i", "clab-demo-ams", "birdc", "show", "protocols"]


def test_power_is_cut_by_containerlab_which_keeps_the_interfaces(lab, calls, monkeypatch):
    monkeypatch.setattr(ClabLab, "_ip", lambda *_: None)
    monkeypatch.setattr(ClabLab, "_nft", lambda *_: None)
    lab.poweroff("fra")
    assert calls()[-1] == ["containerlab", "stop", "--name", "demo", "--node", "fra"]
    monkeypatch.setenv("PID", "0")
    before = len(calls())
    lab.poweron("fra")
    made = [call for call in calls()[before:] if call[0] == "containerlab"]
    assert made[0] == ["containerlab", "start", "--name", "demo", "--node", "fra"]
    assert {call[5] for call in made[1:]} == {"clab-demo-fra"}  # its ends are delayed anew


def test_a_stopped_container_counts_as_powered_off(lab, monkeypatch):
    monkeypatch.setenv("PID", "0")
    assert not lab.is_on("ams")
    with pytest.raises(LabError, match="ams is powered off"):
        lab.pid("ams")


def test_down_destroys_what_was_deployed_and_is_harmless_twice(lab, calls):
    lab.down()
    file = lab.directory / "three-pops.clab.yml"
    destroy = ["containerlab", "destroy", "--topo", str(file), "--name", "demo", "--cleanup"]
    assert calls()[-1] == destroy
    lab.down()


def test_what_containerlab_says_is_the_error(calls, topology, tmp_path, monkeypatch):
    render(topology, tmp_path / "files")
    monkeypatch.setenv("REFUSE", "deploy")
    with pytest.raises(LabError, match="containerlab deploy: Error: no such image"):
        clab.bring_up(topology, "demo", tmp_path / "files")


def test_a_machine_without_containerlab_is_told_so(topology, tmp_path, monkeypatch):
    render(topology, tmp_path / "files")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match="containerlab is not installed"):
        clab.bring_up(topology, "demo", tmp_path / "files")
