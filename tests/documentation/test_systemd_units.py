"""The systemd units: understood by systemd, sandboxed, naming real programs, keeping BGP up."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from ambicast.files import load_fleet
from ambicast.model.quantities import duration

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "configs" / "systemd").glob("*.service"))
PROGRAMS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
INSTALLED = "/opt/ambicast/.venv/bin/"
BINDING = {"requires", "bindsto", "partof", "requisite", "upholds", "propagatesstopto"}

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd-analyze here"
)


def read(name):
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.read(ROOT / "configs" / "systemd" / f"ambicast-{name}.service")
    return unit


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_starts_a_program_we_install(unit):
    command = read(unit.stem.removeprefix("ambicast-"))["Service"]["ExecStart"].split()
    assert command[0].removeprefix(INSTALLED) in PROGRAMS
    assert command[-2] == "--config"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_comes_back_however_often_its_program_fails(unit):
    settings = read(unit.stem.removeprefix("ambicast-"))
    assert settings["Unit"]["StartLimitIntervalSec"] == "0"
    assert settings["Service"]["Restart"] == "always"


def test_stopping_the_agent_stops_neither_bgp_nor_answers():
    for name in ("agent", "exabgp", "nameserver", "responder"):
        unit = read(name)
        assert not BINDING & set(unit["Unit"])
        assert unit["Service"]["RuntimeDirectoryPreserve"] == "yes"


def test_the_agent_comes_after_what_must_be_up_without_it():
    after = read("agent")["Unit"]["After"].split()
    for name in ("exabgp", "nameserver", "responder"):
        assert f"ambicast-{name}.service" in after
        assert "ambicast-agent" not in read(name)["Unit"]["After"]


def test_what_others_may_notice_comes_back_within_a_tenth_of_a_second():
    assert {read(name)["Service"]["RestartSec"] for name in ("exabgp", "responder")} == {"100ms"}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_started_when_its_program_says_so(unit):
    assert read(unit.stem.removeprefix("ambicast-"))["Service"]["Type"] == "notify"


def test_a_loop_that_stands_still_is_ended_before_the_dead_mans_switch_looks():
    deadman = load_fleet(ROOT / "configs" / "fleet.yaml").timing.deadman
    for name in ("agent", "responder", "controller"):
        patience = read(name)["Service"]["WatchdogSec"]
        assert 0 < duration(patience) <= deadman


# What systemd calls the exposure, in tenths; 100 is a program that may do everything. The aim is
# 40; these are what the jobs need, so that a line lost from a sandbox is seen.
EXPOSURE = {"agent": 17, "controller": 12, "exabgp": 18, "nameserver": 16, "responder": 13}


def exposure(unit: Path, most: int) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={most}", str(unit)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_sandboxed_as_hard_as_its_job_allows(unit):
    most = EXPOSURE[unit.stem.removeprefix("ambicast-")]
    result = exposure(unit, most)
    assert result.returncode == 0, result.stdout
    assert exposure(unit, 5).returncode != 0, "the judge sees nothing"


@needs_systemd
@pytest.mark.parametrize("fault", ["", "Tpye=exec\n"])
def test_systemd_has_nothing_to_say_about_a_unit_without_a_fault(tmp_path, fault):
    for unit in UNITS:
        text = unit.read_text().replace("[Install]", f"{fault}[Install]")
        program = next(name for name in sorted(PROGRAMS, reverse=True) if INSTALLED + name in text)
        (tmp_path / unit.name).write_text(text.replace(INSTALLED + program, "/bin/true"))
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in result.stderr.splitlines() if str(tmp_path) in line]
    assert len(complaints) == (len(UNITS) if fault else 0), result.stderr
