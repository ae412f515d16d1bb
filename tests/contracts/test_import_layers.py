"""Every import contract of ``pyproject.toml`` goes red when its rule is broken.

A green check proves little on its own: a contract with a misspelt package is green for ever. So
each rule is broken once, in a copy of the sources, and has to be reported.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("ambicast", "controller", "agents", "lab")
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
NAMES = {contract["id"]: contract["name"] for contract in SETTINGS["contracts"]}
LINT = "from importlinter.cli import lint_imports_command as run; run()"

# contract, the module that gets one more line, that line
FAULTS = [
    ("programs", "ambicast/model/planted.py", "import controller"),
    ("programs", "ambicast/contract/planted.py", "import agents"),
    ("programs", "agents/loop.py", "import controller.loop"),
    ("programs", "controller/loop.py", "import agents.loop"),
    ("programs", "agents/watch/planted.py", "import lab"),
    ("controller", "controller/planning/planted.py", "import controller.choreography"),
    ("controller", "controller/world/planted.py", "import controller.loop"),
    ("controller", "controller/loop.py", "import controller.fleet"),
    ("controller", "controller/api/planted.py", "import controller.storage"),
    ("controller", "controller/storage/planted.py", "import controller.wiring"),
    ("controller", "controller/unlisted.py", ""),
    ("agents", "agents/mqtt/planted.py", "import agents.bgp"),
    ("agents", "agents/advertising/planted.py", "import agents.config"),
    ("agents", "agents/advertising/planted.py", "import agents.answering"),
    ("agents", "agents/loop.py", "import agents.netlink"),
    ("agents", "agents/unlisted.py", ""),
    ("ambicast", "ambicast/model/planted.py", "import ambicast.contract"),
    ("ambicast", "ambicast/contract/planted.py", "import ambicast.files"),
    ("ambicast", "ambicast/unlisted.py", ""),
    ("decisions", "controller/planning/planted.py", "import time"),
    ("decisions", "controller/choreography/planted.py", "import asyncio"),
    ("decisions", "controller/world/planted.py", "import structlog"),
    ("decisions", "agents/advertising/planted.py", "from random import random"),
    ("decisions", "agents/answering/planted.py", "import socket"),
    ("decisions", "ambicast/model/planted.py", "import os"),
    ("decisions", "ambicast/contract/planted.py", "import datetime"),
    ("mqtt", "agents/bgp/planted.py", "import aiomqtt"),
    ("mqtt", "controller/api/planted.py", "import aiomqtt"),
    ("netlink", "agents/probes/planted.py", "from pyroute2 import AsyncIPRoute"),
    ("exabgp", "agents/watch/planted.py", "import exabgp.bgp"),
    ("siblings", "ambicast/model/prefixes.py", "import ambicast.model.fleet"),
]


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A copy of the Python files of the four packages, with the settings."""
    copy = tmp_path_factory.mktemp("sources")
    for package in PACKAGES:
        for source in (ROOT / package).rglob("*.py"):
            target = copy / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    shutil.copyfile(ROOT / "pyproject.toml", copy / "pyproject.toml")
    return copy


def lint(sources, *options):
    command = [sys.executable, "-P", "-c", LINT, "--no-logo", *options]
    return subprocess.run(command, cwd=sources, capture_output=True, text=True, check=False)


def test_the_sources_as_they_are_keep_every_contract(sources):
    result = lint(sources)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(("contract", "module", "line"), FAULTS, ids=lambda text: text)
def test_a_planted_import_breaks_its_contract(sources, contract, module, line):
    planted = sources / module
    before = planted.read_text() if planted.exists() else None
    planted.write_text(f"{before or ''}\n{line}\n")
    try:
        result = lint(sources, "--contract", contract)
    finally:
        planted.unlink() if before is None else planted.write_text(before)
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"{NAMES[contract]} BROKEN" in result.stdout


def test_every_contract_has_been_seen_broken():
    assert {contract for contract, _, _ in FAULTS} == set(NAMES)
