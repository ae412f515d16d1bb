"""The systemd units: understood by systemd, naming real programs, and keeping BGP up."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "configs" / "systemd").glob("*.service"))
PROGRAMS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
INSTALLED = "/opt/ambicast/.venv/bin/"
BINDING = {"requires", "bindsto", "partof", "requisite", "upholds", "propagatesstopto"}


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
    for name in ("agent", "exabgp", "nameserver"):
        unit = read(name)
        assert not BINDING & set(unit["Unit"])
        assert unit["Service"]["RuntimeDirectoryPreserve"] == "yes"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
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
