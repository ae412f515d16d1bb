"""A responder whose port somebody else still holds: alive, and saying what it waits for."""

from __future__ import annotations

from types import SimpleNamespace

from agents.watch import responder as module
from agents.watch.responder import Responder


def taken(family):
    raise OSError(98, f"Address already in use: {family}")


def test_it_is_alive_and_says_what_it_waits_for_once_a_second(tmp_path, monkeypatch):
    clock, said = [100.0], []
    still = SimpleNamespace(monotonic=lambda: clock[0], sleep=lambda _: None)
    monkeypatch.setattr(module, "time", still)
    responder = Responder("ams", "ams-1", b"k" * 32, tmp_path / "r.sock", said.append, wire=taken)
    for _ in range(25):
        responder.turn(0.0)
        clock[0] += 0.1
    responder.close()
    assert said == ["waiting for udp 4791"] * 3
