"""Every word that does something, done once in a lab of our own programs."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from ambicast.contract.codec import Stamp
from lab.engines import LabError, up
from lab.running.acting import perform
from lab.running.cell import with_capacity
from lab.running.orders import filled, followed
from lab.running.speaking import fleet_name, retained
from lab.scenarios.agenda import agenda
from lab.scenarios.located import parse_located
from lab.scenarios.parsing import parse_scenario
from lab.topology import three_pops

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]
HEAD = "scenario: a\ntopology: three-pops\nload:\n  - {from: c1, probe: udp, to: www.anycast.v4, "
HEAD += "rate: 1/s}\nsettings: {uplink_capacity: 4Mbit/s}\nsteps:\n"
ORDER = {
    "type": "order",
    "v": 1,
    "body": {"advertisements": [], "terminate": [], "reason": "nonsense"},
}


@pytest.fixture(scope="module")
def lab():
    topology = with_capacity(three_pops("bird"), "4Mbit/s")
    with up(topology, name=f"deeds{os.getpid()}", relayed=["ams:eth1"]) as running:
        yield running


@pytest.fixture(scope="module")
def until():
    def wait(holds, within=30.0):
        deadline = time.monotonic() + within
        while not (seen := holds()):
            assert time.monotonic() < deadline, f"not within {within} s"
            time.sleep(0.02)
        return seen

    return wait


@pytest.fixture(scope="module")
def do(lab, tmp_path_factory):
    """Carries out steps as a scenario file would, those that follow by themselves too."""
    folder = tmp_path_factory.mktemp("scenario")

    def act(*steps, now=True):
        text = HEAD + "".join(f"  - {{at: 1s, do: {step}}}\n" for step in steps)
        scenario = parse_scenario(parse_located(text, str(folder / "a.yaml")))
        for each in agenda(scenario.steps):
            perform(lab, each.step)
            if now and each.number == len(steps):
                return

    act.folder = folder
    return act


@pytest.fixture(scope="module")
def running(lab, until):
    """Every program of ours runs."""
    for node, program in (("ams", "agent"), ("fra", "agent"), ("ctl1", "controller")):
        until(lambda node=node, program=program: lab.program_pid(node, program))
    until(lambda: lab.exec("ctl1", ["ls", "/var/lib/ambicast/journal.sqlite"], check=False).stdout)
    return lab


def log_of(lab, node, program):
    path = lab.directory / node / "log" / f"{program}.log"
    return path.read_text() if path.exists() else ""


def test_all_agents_die_at_once_and_come_back_after_their_delay(running, do, until):
    before = {node: running.program_pid(node, "agent") for node in ("ams", "fra", "lhr")}
    do("kill, node: all, process: agent")
    begun = time.monotonic()
    until(lambda: all(running.program_pid(n, "agent") != pid for n, pid in before.items()))
    until(lambda: all(running.program_pid(n, "agent") for n in before))
    assert time.monotonic() - begun > 0.8


def test_a_paused_process_stands_still_until_it_is_resumed(running, do, until):
    def state():
        pid = running.program_pid("fra", "agent")
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]

    do("pause, node: fra, process: agent, for: 1s")
    until(lambda: state() == "T")
    do("pause, node: fra, process: agent, for: 1s", now=False)
    until(lambda: state() != "T")


def test_an_order_of_nobodys_reaches_its_host_stamped_newer_than_what_it_follows(
    running, do, until
):
    """An order of another stamp lies on the broker meanwhile: what is there is nobody's word."""
    report = f"ambicast/v1/{fleet_name(running)}/pops/ams/ams-1/report"
    held = Stamp()

    def follows():
        nonlocal held
        held = followed(retained(running, [report]).get(report))
        return held > Stamp()

    until(follows, within=60)
    text = json.dumps(ORDER)[:-1] + ', "epoch": EPOCH, "generation": $generation+100}'
    (do.folder / "foreign.json").write_text(text.replace("EPOCH", "0"))
    (do.folder / "order.json").write_text(text.replace("EPOCH", "$epoch"))
    do("order, host: ams-1, file: foreign.json", "order, host: ams-1, file: order.json", now=False)

    def answered():
        """The controller may have given orders of its own meanwhile, but not a hundred."""
        wanted = range(held.generation + 101, held.generation + 200)
        lines = log_of(running, "ams", "agent").splitlines()
        said = [json.loads(line) for line in lines if "order answered" in line]
        return any(
            each["epoch"] == held.epoch
            and each["generation"] in wanted
            and "stale" not in str(each["refusals"])
            for each in said
        )

    until(answered)


def test_bytes_that_are_no_message_are_sent_as_they_are(running, do, until):
    (do.folder / "raw.bin").write_bytes(b"\x00\xff{$$")
    do("order, host: [lhr-1], file: raw.bin")

    def refused():
        lines = log_of(running, "lhr", "agent").splitlines()
        return any("order answered" in line and '"epoch": 0' in line for line in lines)

    until(refused)
    do("publish, topic: pops/lhr/lhr-1/order, size: 300KiB, retain: no")


def test_the_lab_speaks_without_throwing_anybody_off_the_broker(running, do):
    def thrown_off():
        lines = log_of(running, "ctl1", "mosquitto").splitlines()
        return [line for line in lines if "already connected" in line]

    before = thrown_off()
    do("publish, topic: pops/lhr/lhr-1/order, size: 1KiB, retain: no")
    assert retained(running, [f"ambicast/v1/{fleet_name(running)}/controller/presence"])
    assert thrown_off() == before
    assert not [line for line in before if "Client controller " in line]


def test_a_broken_file_is_put_in_place_and_the_first_one_again(running, do, until):
    (do.folder / "broken.yaml").write_text("fleet: [\n")
    inside = ["cat", "/etc/ambicast/fleet.yaml"]
    first = running.exec("ams", inside).stdout
    do("reload, node: ams, program: agent, file: broken.yaml")
    assert running.exec("ams", inside).stdout == "fleet: [\n"
    do("reload, node: ams, program: agent")
    assert running.exec("ams", inside).stdout == first


def test_a_full_disk_takes_nothing_more_until_there_is_room_again(running, do):
    write = ["sh", "-c", "dd if=/dev/zero of=/var/lib/ambicast/x bs=64k count=1 2>&1"]
    do("journal, how: fill-disk")
    assert "No space left" in running.exec("ctl1", write, check=False).stdout
    do("journal, how: restore")
    assert running.exec("ctl1", [*write[:2], f"{write[2]}; rm /var/lib/ambicast/x"]).stdout


def test_a_journal_is_cut_in_the_middle_of_a_page(running, do):
    size = ["stat", "-c", "%s", "/var/lib/ambicast/journal.sqlite"]
    running.stop("ctl1", "controller")
    before = int(running.exec("ctl1", size).stdout)
    do("journal, how: truncate")
    after = int(running.exec("ctl1", size).stdout)
    assert after == before // 2 | 1
    do("controller-start")


def test_a_broker_can_start_with_an_empty_store(running, do, until):
    do("mqtt-stop")
    assert running.program_pid("ctl1", "mosquitto") is None
    with pytest.raises(LabError, match="the broker does not take it"):
        do("publish, topic: pops/lhr/lhr-1/order, size: 1KiB")
    do("mqtt-start, store: empty")
    until(lambda: running.program_pid("ctl1", "mosquitto"))
    assert running.exec("ctl1", ["ls", "/var/lib/mosquitto"]).stdout == ""


def test_the_controller_is_cut_from_the_pops_that_are_named_and_healed(running, do):
    def pings(address):
        argv = ["ping", "-c1", "-W1", "-q", address]
        return running.exec("ctl1", argv, check=False).returncode == 0

    do("partition, node: ctl1, from: [ams, fra], for: 2s")
    assert not pings("10.3.1.2")
    assert not pings("fd00:4:0:2::2")
    assert pings("10.5.3.2")
    do("heal, node: ctl1")
    assert pings("10.3.1.2")


def test_an_uplink_is_filled_as_far_as_its_capacity_says(running, do, until):
    def sent():
        lines = running.exec("ams", ["cat", "/proc/net/dev"]).stdout.splitlines()
        return next(int(line.split()[9]) for line in lines if line.strip().startswith("eth2"))

    idle = sent()
    do("load, pop: ams, uplink: 95%, via: south, for: 4s")
    until(lambda: sent() > idle + 50_000)  # an interpreter is started first
    before, begun = sent(), time.monotonic()
    time.sleep(2)
    rate = (sent() - before) * 8 / (time.monotonic() - begun)
    assert 0.8 * 3.8e6 < rate < 1.3 * 3.8e6


def test_a_host_says_how_busy_its_cpus_are(running, do):
    do("load, pop: [ams, fra], cpu: 95%, for: 1s")
    assert running.exec("fra", ["cat", "/run/ambicast/cpu"]).stdout == "0.95\n"
    do("unload, pop: all")
    assert running.exec("fra", ["cat", "/run/ambicast/cpu"]).stdout == "0\n"


def test_a_check_fails_while_its_service_serves(running, do, until):
    def page(path):
        ask = f"import urllib.request as u; print(u.urlopen('http://127.0.0.1{path}').status)"
        return running.exec("fra", ["python3", "-c", ask], check=False).stdout

    do("checks-fail, pop: fra, service: www")
    until(lambda: page("/healthz") == "")
    assert page("/") == "200\n"
    do("checks-restore, pop: fra, service: www")
    until(lambda: page("/healthz") == "200\n")


def test_an_operator_types_on_the_host_what_the_brake_says(running, do, until):
    kept = ["cat", "/var/lib/ambicast/brake.json"]
    do("hold, node: fra")
    assert '"hold"' in running.exec("fra", kept).stdout
    do("release, node: fra")
    assert running.exec("fra", kept, check=False).returncode != 0


def test_what_cannot_be_done_says_where_and_why(running, do):
    with pytest.raises(LabError, match=r"a\.yaml:7: impair: fra:eth1: not made for delay"):
        do("impair, link: fra:eth1, delay: 1ms")
    with pytest.raises(LabError, match=r"no uplink west; there are north, south"):
        do("load, pop: ams, uplink: 5%, via: west, for: 1s")
    with pytest.raises(LabError, match=r"ctl1 has no agent\.yaml; there are"):
        do("reload, node: ctl1, program: controller, over: agent.yaml")


def test_places_in_an_order_stand_for_the_newest_stamp_and_its_neighbours():
    held = Stamp(7, 41)
    text = b'{"epoch": $epoch, "generation": $generation, "x": "$generation-5 $epoch+1 $other"}'
    wanted = b'{"epoch": 7, "generation": 42, "x": "37 8 $other"}'
    assert filled(text, held) == wanted
