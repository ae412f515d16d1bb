"""``./dev`` has the commands that its help and the pages promise, and refuses the others."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / ".ci" / "run"])


def dev(*arguments):
    command = [ROOT / "dev", *arguments]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)


def commands():
    branches = (ROOT / "dev").read_text().split("case $command in")[1].split("esac")[0]
    return set(re.findall(r"^  ([a-z]+)\)", branches, re.MULTILINE))


def promised(text):
    return set(re.findall(r"\./dev ([a-z]+)", text))


def test_help_names_every_command_and_needs_nothing_installed():
    result = dev("help")
    assert result.returncode == 0
    listed = set(re.findall(r"^  ([a-z]+) ", result.stdout, re.MULTILINE))
    assert listed == commands() | {"help"}


def test_an_unknown_command_is_refused_with_the_allowed_ones():
    result = dev("upp")
    assert result.returncode == 2
    assert "no such command: upp" in result.stderr
    assert "bench NAME" in result.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_name_only_commands_there_are(page):
    assert promised(page.read_text()) <= commands()


def test_a_command_that_is_not_there_is_seen():
    assert promised("run `./dev lint` or ./dev test") - commands() == {"lint"}
