"""The operator's command against the API in process: bodies, exit codes, one line per fault."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import httpx
import pytest

from controller.cli import __main__ as cli
from tests.choreography.fleets import AMS

FLEET = Path(__file__).parents[2] / "configs" / "fleet.yaml"


@pytest.fixture
def ambicast(api, monkeypatch, capsys):
    """Runs the command; gives (exit code, stdout, stderr)."""
    monkeypatch.setattr(httpx, "get", lambda url, **how: api.get(url, params=how.get("params")))
    monkeypatch.setattr(httpx, "post", lambda url, **how: api.post(url, json=how.get("json")))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["ambicast", *words])
        capsys.readouterr()  # what the controller logged so far
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize(
    "words", [("--json", "status"), ("status", "--json"), ("pop", "show", "ams", "--json")]
)
def test_json_may_stand_anywhere_and_is_the_body_of_the_api(ambicast, api, words):
    code, out, _ = ambicast(*words)
    path = "pops/ams" if "pop" in words else "status"
    assert code == 0
    assert json.loads(out) == api.get(f"/api/v1/{path}").json()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("status",), "fleet test, epoch 1"),
        (("pops",), "serving"),
        (("pop", "show", "ams"), "198.18.0.0/22"),
        (("services",), "198.18.0.10"),
        (("service", "show", "www"), "www: DNS"),
        (("plan",), "nothing is planned"),
        (("events",), "pop.established"),
        (("schema",), '"covering"'),
    ],
)
def test_every_reading_command_ends_with_0(ambicast, words, said):
    code, out, err = ambicast(*words)
    assert (code, err) == (0, "")
    assert said in out


def test_a_drain_that_begins_is_0_and_one_that_is_refused_1(ambicast, troupe):
    assert ambicast("pop", "drain", "ams", "--reason", "disks")[0] == 0
    troupe.drain_mailbox()
    code, out, err = ambicast("pop", "drain", "fra", "--reason", "disks", "--json")
    assert (code, out) == (1, "")
    assert err.startswith("ambicast: refused by one PoP at a time: ams")
    assert err.count("\n") == 1


def test_a_plan_that_has_not_settled_differs(ambicast, troupe):
    assert ambicast("plan", "--diff")[0] == 0
    troupe.stage.drain(AMS)
    troupe.drain_mailbox()
    assert ambicast("plan", "--diff")[0] == 1
    assert ambicast("plan")[0] == 0


@pytest.mark.parametrize(
    "words",
    [("pop", "show", "nowhere"), ("pop", "drain", "nowhere", "--reason", "x")],
)
def test_an_unknown_name_is_2_and_one_line_with_the_known_ones(ambicast, words):
    code, out, err = ambicast(*words)
    assert (code, out) == (2, "")
    assert "ams, fra, lhr" in err
    assert err.count("\n") == 1


def test_a_missing_reason_or_word_is_2(ambicast):
    assert ambicast("pop", "drain", "ams")[0] == 2
    assert ambicast("dance")[0] == 2


def test_an_api_that_cannot_be_reached_is_2_and_one_line(ambicast, monkeypatch):
    def refused(url, **_):
        raise httpx.ConnectError("[Errno 111] Connection refused")

    monkeypatch.setattr(httpx, "get", refused)
    code, out, err = ambicast("status", "--api", "http://127.0.0.1:9")
    assert (code, out) == (2, "")
    assert "http://127.0.0.1:9 cannot be reached" in err
    assert err.count("\n") == 1


def test_validate_ends_with_0_for_the_example_and_1_for_a_fault(ambicast, tmp_path):
    assert ambicast("validate", str(FLEET))[0] == 0
    broken = tmp_path / "fleet.yaml"
    broken.write_text(FLEET.read_text() + "\nunknown_key: 1\n")
    code, out, _ = ambicast("validate", str(broken))
    assert code == 1
    assert "unknown_key" in out
