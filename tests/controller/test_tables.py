"""What an operator reads of a host that does more, or less, than it was ordered."""

from __future__ import annotations

import io

import msgspec
from rich.console import Console

from ambicast.contract.messages import Brake, BrakeKind, Deed, DeedKind
from controller.api.views import HostRow
from controller.cli import tables

ROW = {
    "name": "ams", "city": "Amsterdam", "condition": "serving", "phase": "home", "given": 1.0,
    "sessions_up": 4, "sessions": 4, "refusal": "", "drain": "", "because": "",
}  # fmt: skip
HOST = HostRow(
    name="ams-1",
    online=True,
    order=1,
    accepted=1,
    refusals=(),
    sessions=(),
    uplinks=(),
    services=(),
    wire=(),
    terminated=(),
)


def shown(host):
    console = Console(file=io.StringIO(), width=200)
    body = {"row": ROW, "hosts": [msgspec.to_builtins(host)], "failover": None, "plan": None}
    console.print(tables.pop(body))
    return console.file.getvalue()


def test_a_brake_and_a_deed_are_shown_with_their_reasons():
    brake = Brake(kind=BrakeKind.HOLD, reason="I look into it")
    deed = Deed(kind=DeedKind.COVER, about="fra", prefixes=("198.18.128.0/22", "198.18.128.0/23"))
    text = shown(msgspec.structs.replace(HOST, brake=brake, deeds=(deed,)))
    assert "brake on the host: hold: I look into it" in text
    assert "deed: cover fra: 198.18.128.0/22, 198.18.128.0/23" in text


def test_a_host_that_does_as_it_is_told_shows_neither():
    text = shown(HOST)
    assert "brake" not in text
    assert "deed" not in text
