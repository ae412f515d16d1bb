"""Every word a scenario may use, and which of them can be carried out today.

A word that is known but cannot be done yet is refused as such: skipping a fault in silence would
make any scenario pass.
"""

from __future__ import annotations

from typing import Final

import msgspec

from lab.topology.places import NAMES


class Action(msgspec.Struct, frozen=True):
    """A word after `do`.

    Attributes:
        arguments: what it needs.
        optional: what it may be given.
        missing: why it cannot be done yet; empty where it can.
        undo: the word that takes it back, done by the runner where `for` says when.
    """

    arguments: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    missing: str = ""
    undo: str = ""

    @property
    def accepted(self) -> tuple[str, ...]:
        """Every argument it may have."""
        return (*self.arguments, *self.optional, *(("for",) if self._ends else ()))

    @property
    def _ends(self) -> bool:
        """Whether `for` may stand with it, besides where it must."""
        return bool(self.undo) and "for" not in self.arguments


_NODE = ("node",)
_PROCESS = ("node", "process")
_LINK = ("link",)
_SERVICE = ("pop", "service")
_POP = ("pop",)
_FAMILY = ("family",)

ACTIONS: Final[dict[str, Action]] = {
    "silence": Action(_NODE, _FAMILY, undo="unsilence"),
    "unsilence": Action(_NODE),
    "poweroff": Action(_NODE, undo="restore"),
    "restore": Action(_NODE),
    "kill": Action(_PROCESS),
    "pause": Action(_PROCESS, undo="resume"),
    "resume": Action(_PROCESS),
    "restart": Action(_PROCESS),
    "link-down": Action(_LINK, undo="link-up"),
    "link-silent": Action(_LINK, _FAMILY, undo="link-up"),
    "link-up": Action(_LINK),
    "impair": Action(_LINK, ("loss", "delay", "jitter", "direction"), undo="clear"),
    "clear": Action(_LINK),
    "partition": Action(("node", "from"), undo="heal"),
    "heal": Action(_NODE),
    "service-fail": Action(_SERVICE, undo="service-restore"),
    "service-restore": Action(_SERVICE),
    "checks-fail": Action(_SERVICE, undo="checks-restore"),
    "checks-restore": Action(_SERVICE),
    "service-flap": Action((*_SERVICE, "every"), ("down", "times", "for")),
    "load": Action(("pop", "for"), ("cpu", "uplink", "via"), undo="unload"),
    "unload": Action(_POP),
    "drain": Action(_POP),
    "undrain": Action(_POP),
    "mqtt-stop": Action(undo="mqtt-start"),
    "mqtt-start": Action(optional=("store",)),
    "dns-stop": Action(_NODE, undo="dns-start"),
    "dns-start": Action(_NODE),
    "controller-stop": Action(undo="controller-start"),
    "controller-start": Action(),
    "order": Action(("host", "file")),
    "publish": Action(("topic",), ("file", "size", "retain")),
    "reload": Action(("node", "program"), ("file", "over")),
    "journal": Action(("how",)),
    "hold": Action(_NODE, undo="release"),
    "withdraw": Action(_NODE, undo="release"),
    "release": Action(_NODE),
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
SETTINGS: Final = ("hold", "delay", "advertisement_interval", "uplink_capacity", *TIMING)

MATRIX: Final[dict[str, tuple[str, ...]]] = {
    "router": ("bird", "frr", "mixed"),
    "bfd": ("off", "300ms"),
}
TOPOLOGIES: Final = tuple(NAMES)
LAYERS: Final = ("agree",)
DNS: Final = ("right",)


def possible(words: dict[str, Action] | dict[str, str]) -> tuple[str, ...]:
    """Those of `words` that can be carried out."""
    return tuple(
        word
        for word, said in words.items()
        if not (said.missing if isinstance(said, Action) else said)
    )
