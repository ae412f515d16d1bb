"""Every word a scenario may use, and which of them can be carried out today.

A word that is known but cannot be done yet is refused as such: skipping a fault in silence would
make any scenario pass.
"""

from __future__ import annotations

from typing import Final

import msgspec


class Action(msgspec.Struct, frozen=True):
    """A word after `do`: the arguments it needs; `missing` says why it cannot be done yet."""

    arguments: tuple[str, ...] = ()
    missing: str = ""


_NODE = ("node",)
_PROCESS = ("node", "process")
_LINK = ("link",)
_SERVICE = ("pop", "service")
_POP = ("pop",)

ACTIONS: Final[dict[str, Action]] = {
    "silence": Action(_NODE),
    "poweroff": Action(_NODE),
    "restore": Action(_NODE),
    "kill": Action(_PROCESS),
    "pause": Action(_PROCESS),
    "restart": Action(_PROCESS),
    "link-down": Action(_LINK),
    "link-silent": Action(_LINK),
    "link-up": Action(_LINK),
    "impair": Action(
        ("link", "loss", "delay", "jitter"), missing="links are impaired only from the start"
    ),
    "partition": Action(("node", "from")),
    "service-fail": Action(_SERVICE),
    "service-restore": Action(_SERVICE),
    "drain": Action(_POP),
    "undrain": Action(_POP),
    "mqtt-stop": Action(),
    "mqtt-start": Action(),
    "dns-stop": Action(_NODE),
    "dns-start": Action(_NODE),
    "controller-stop": Action(),
    "controller-start": Action(),
    "order": Action(("host", "file"), missing="the runner cannot give orders yet"),
}

PROBES: Final[dict[str, str]] = {
    "udp": "",
    "tcp": "",
    "http": "",
    "https": "the lab's service has no certificate yet",
    "h3": "the lab's service does not speak QUIC yet",
    "tcp-stream": "",
    "dns": "",
}

# name -> the techniques that are switched on (lab.topology.three_pops, `techniques`)
BASELINES: Final[dict[str, tuple[str, ...]]] = {
    "anycast-only": (),
    "dns-only": ("dns",),
    "reactive-same-length": ("same-length",),
    "exabgp-healthcheck": (),
}

# settings that go over the fleet file's `timing`; the others belong to the lab
TIMING: Final = (
    "ttl", "tail", "watch_interval", "watch_misses", "quorum", "stagger", "settle_down",
    "shutdown_wait", "hold_addresses", "deadman",
)  # fmt: skip
COUNTS: Final = ("watch_misses", "quorum")
SETTINGS: Final = ("hold", "delay", "advertisement_interval", *TIMING)

MATRIX: Final[dict[str, tuple[str, ...]]] = {
    "router": ("bird", "frr", "mixed"),
    "bfd": ("off",),
}
TOPOLOGIES: Final = ("three-pops",)
LAYERS: Final = ("agree",)
DNS: Final = ("right",)


def possible(words: dict[str, Action] | dict[str, str]) -> tuple[str, ...]:
    """Those of `words` that can be carried out."""
    return tuple(
        word
        for word, said in words.items()
        if not (said.missing if isinstance(said, Action) else said)
    )
