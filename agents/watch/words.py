"""What a host says of itself in each reply, so that keepers and quorums work without the broker.

A word is a msgpack array. New fields come last and have defaults; readers skip elements they do
not know and fill in those that are missing. So agents of both sides of an upgrade understand each
other as long as no field changes its place or its type.

The body of a reply is at most ``ROOM`` bytes. What does not fit is cut, least needed first: PoPs
seen up over every path, then all that is seen, then the lists of services and prefixes. Each cut
is on the safe side: who is not said to be gone has no vote against it, and a role that nobody is
heard to take stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from msgspec.structs import replace

from agents.watch.datagrams import ROOM, Fault

Bits = Mapping[str, int]  # uplink -> 1 v4 up, 2 v4 judged, 4 v6 up, 8 v6 judged
BITS_V4 = (1, 2)
BITS_V6 = (4, 8)


class Word(msgspec.Struct, frozen=True, array_like=True):
    """What a host says of itself.

    Attributes:
        pop: the PoP that answers.
        host: its host.
        instance: which run of its agent; another one means that it restarted.
        fit: names of the services that pass their checks there without doubt.
        seen: PoP -> uplink -> how its paths look from there; PoPs of which one host is watched.
        whole: false where something was cut to fit the datagram.
        offers: shared prefixes whose keeper it is and wants to stop being.
        keeps: shared prefixes it keeps.
        beside: like ``seen`` by host, for PoPs of which several hosts are watched.
        voice: its agent speaks; if not, the rest is what it said last.
        switched: its dead man's switch has fired, and the agent has not spoken since.
        serial: rises with every new word of this host, so that a reply that was overtaken by a
            newer one is not taken for news; 0 from agents that answer themselves.
    """

    pop: str
    host: str
    instance: str
    fit: tuple[str, ...] = ()
    seen: Mapping[str, Bits] = {}
    whole: bool = True
    offers: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    beside: Mapping[str, Bits] = {}
    voice: bool = True
    switched: bool = False
    serial: int = 0


_WORD = msgspec.msgpack.Decoder(Word)


def say(word: Word) -> bytes:
    """A reply's body."""
    body = b""
    for each in _ever_shorter(word):
        body = msgspec.msgpack.encode(each)
        if len(body) <= ROOM:
            break
    return body


def _ever_shorter(word: Word) -> Iterable[Word]:
    yield word
    cut = replace(word, whole=False)
    yield replace(cut, seen=_troubled(word.seen), beside=_troubled(word.beside))
    unseeing = replace(cut, seen={}, beside={})
    yield unseeing
    yield replace(unseeing, fit=())
    yield replace(unseeing, fit=(), offers=(), keeps=())


def _troubled(seen: Mapping[str, Bits]) -> Mapping[str, Bits]:
    return {name: paths for name, paths in seen.items() if any(map(_down, paths.values()))}


def _down(bits: int) -> bool:
    return any(bits & judged and not bits & up for up, judged in (BITS_V4, BITS_V6))


def read_word(body: bytes) -> Word | Fault:
    """The word in a reply's body."""
    try:
        return _WORD.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Fault.MALFORMED
