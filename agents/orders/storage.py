"""The order on disk, and the one after which this agent crashed again and again.

A file is replaced by renaming, so a crash leaves the old one or the new one. It is not flushed to
the disk's platters: what must survive is a crash of this process, and when the whole host goes,
ExaBGP and its sessions go with it.

Three unclean ends within a minute, and the order that preceded them is set aside: it is refused
from then on (its stamp is told to the loop), until a newer one is kept. ExaBGP goes on with what
it has. Instants are of the monotonic clock, which all processes since the last boot share.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec
import structlog

from agents.advertising.accept import Held
from agents.orders import deeds
from ambicast.contract.codec import ContractError, Stamp, decode, encode
from ambicast.contract.messages import Deed, Order

CRASHES = 3
WITHIN = 60.0

log = structlog.get_logger()


class Kept(msgspec.Struct, frozen=True):
    """What an earlier run left: its order, the order nobody should try again, and its deeds."""

    held: Held | None = None
    distrusted: Stamp | None = None
    deeds: tuple[Deed, ...] = ()


class _Starts(msgspec.Struct):
    boot: str
    at: list[float]


class OrderStorage:
    """The files ``order*.json``, ``starts.json`` and ``deeds.json`` of one folder."""

    def __init__(self, directory: Path) -> None:
        self._order = directory / "order.json"
        self._distrusted = directory / "order.distrusted.json"
        self._starts = directory / "starts.json"
        self._deeds = directory / "deeds.json"
        self._boot = _boot_id()

    def start(self, now: float) -> Kept:
        """What to begin with; ``now`` in seconds of the monotonic clock."""
        self._order.parent.mkdir(parents=True, exist_ok=True)
        recent = [at for at in self._unclean() if 0 <= now - at <= WITHIN]
        if len(recent) >= CRASHES and self._order.exists():
            self._order.replace(self._distrusted)
            log.error("order set aside", crashes=len(recent), within=WITHIN)
            recent = []
        try:
            _write(self._starts, msgspec.json.encode(_Starts(self._boot, [*recent, now])))
        except OSError as fault:
            # A full disk must not keep an agent from starting; it counts no crashes meanwhile.
            log.warning("start not counted", why=str(fault))
        distrusted = _read(self._distrusted)
        stamp = distrusted.stamp if distrusted else None
        return Kept(_read(self._order), stamp, deeds.read(self._deeds, self._boot))

    def look(self) -> Held | None:
        """The order on disk, for whoever asks beside the agent; this is no start."""
        return _read(self._order)

    def keep(self, held: Held) -> None:
        """Keep an accepted order; after this a restart begins with it."""
        try:
            _write(self._order, encode(held.order, held.stamp))
            self._distrusted.unlink(missing_ok=True)
        except OSError as fault:
            # A restart with an older order would take back what this one advertises; without any
            # it keeps its hands off until the broker repeats the order.
            log.warning("order not kept", why=str(fault))
            with contextlib.suppress(OSError):
                self._order.unlink(missing_ok=True)

    def keep_deeds(self, done: tuple[Deed, ...]) -> None:
        """Keep what is advertised without an order; after this a restart goes on with it."""
        try:
            deeds.write(self._deeds, done, self._boot)
        except OSError as fault:
            log.warning("deeds not kept", why=str(fault))

    def stopped(self) -> None:
        """This run ended as it should."""
        with contextlib.suppress(OSError):
            self._starts.unlink(missing_ok=True)

    def _unclean(self) -> list[float]:
        try:
            starts = msgspec.json.decode(self._starts.read_bytes(), type=_Starts)
        except (OSError, msgspec.DecodeError):
            return []
        return starts.at if starts.boot == self._boot else []


def _read(path: Path) -> Held | None:
    try:
        received = decode(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ContractError) as fault:
        log.warning("kept order unreadable", file=str(path), why=str(fault))
        return None
    if not isinstance(received.body, Order):
        log.warning("kept order unreadable", file=str(path), why="it is another message")
        return None
    return Held(received.stamp, received.body)


def _write(path: Path, content: bytes) -> None:
    draft = path.with_suffix(".draft")
    draft.write_bytes(content)
    draft.replace(path)


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
