"""The running server as we know it, and the way from there to what is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from agents.answering.acceptance import Held
from agents.answering.flips import flip
from agents.answering.generation import Generation, parse, spell_stamp
from agents.answering.naming import generation_owner, is_group_owner
from agents.answering.proofs import (
    Atlas,
    Proof,
    Prover,
    proof_of_generation,
    proof_of_map,
    question_of_map,
)
from agents.answering.records import (
    Key,
    Names,
    Records,
    desired,
    keyed,
    names_of,
    steered,
    whole_seconds,
)
from agents.answering.sentinel import parse_sentinel
from agents.nameserver.control import ControlRefusedError
from agents.nameserver.examiner import ExaminationError, Examiner
from agents.nameserver.maps import draw, files
from agents.nameserver.places import Places, forget_maps, install_map, point
from agents.nameserver.zone import Zone
from ambicast.contract.codec import Stamp
from ambicast.contract.messages import ClientMap, Steering
from ambicast.model.fleet import Fleet

log = structlog.get_logger()

_MAP_DEADLINE = 5.0
_MAP_PAUSE = 0.003


class MapRejectedError(Exception):
    """Knot would not load this map; the former one stays."""


class Wanted(msgspec.Struct, frozen=True):
    """The newest accepted messages; a body that is not known is left as the server has it."""

    steering: Held
    map: Held


class Server:
    """What the server at ``addresses`` holds, and how it is changed. Not for concurrent use.

    Attributes:
        generation: the stamps written in the zone.
        map: the client map that is live, its body where we know it.
    """

    def __init__(self, fleet: Fleet, addresses: Sequence[str], port: int, places: Places) -> None:
        self.generation = Generation()
        self.map = Held()
        self._fleet = fleet
        self._examiner = Examiner(addresses, port)
        self._places = places
        self._zone = Zone(places.socket, fleet.zone)
        self._records: Records | None = None
        self._proven = False
        self._live: Stamp | None = None
        self._atlas: Atlas | None = None
        self._ttl = whole_seconds(fleet.timing.ttl)

    @property
    def has_map(self) -> bool:
        """Whether the geo module answers at all."""
        return self._live is not None

    def forget(self) -> None:
        """Nothing is known any more: the next :meth:`open` reads it all."""
        self._records = None

    async def open(self) -> None:
        """Learns what the server holds, unless that is known."""
        if self._records is not None:
            return
        records = await self._zone.open()
        written = records.get((generation_owner(self._fleet.zone), "TXT"))
        self.generation = (parse(written.data[0]) if written else None) or Generation()
        self._live = await self._live_map()
        self._records = records
        self._proven = False

    async def converge(self, wanted: Wanted) -> int:
        """Makes the server hold ``wanted`` and proves it; returns the number of proofs.

        Raises:
            MapRejectedError: the map is not live, everything else is as before.
            ControlError, ExaminationError: the server's state is unknown now.
        """
        client_map = wanted.map.body if isinstance(wanted.map.body, ClientMap) else None
        names = client_map.names if client_map else names_of(self._fleet)
        if client_map and (self._atlas is None or self._atlas.stamp != wanted.map.stamp):
            self._atlas = draw(client_map, wanted.map.stamp)
        new_map = self._atlas if client_map and self._live != wanted.map.stamp else None
        steering = wanted.steering
        before = Generation(steering.stamp, self.generation.map)
        changed = await self._flip(steering, names, before, keep_names=new_map is not None)
        if new_map:
            await self._switch(new_map)
        after = Generation(steering.stamp, wanted.map.stamp)
        if new_map or after != before:
            changed |= await self._flip(steering, names, after)
        if client_map:
            self.map = wanted.map
        return await self._prove(names, changed)

    async def _flip(
        self, steering: Held, names: Names, generation: Generation, *, keep_names: bool = False
    ) -> frozenset[str]:
        """Writes what differs, in one transaction; returns the owners that changed."""
        held = self._records or {}
        body = steering.body if isinstance(steering.body, Steering) else None
        wanted = dict(desired(self._fleet, body, names, generation))
        if body is None:
            wanted = {key: each for key, each in wanted.items() if not self._is_group(key)}
            wanted |= {key: each for key, each in held.items() if self._is_group(key)}
        if keep_names:
            wanted |= {
                key: each for key, each in held.items() if key[1] == "CNAME" and key not in wanted
            }
        change = flip(steered(self._fleet, held), wanted)
        if change:
            self.forget()
            await self._zone.flip(change)
            kept = {key: each for key, each in held.items() if key not in change.remove}
            self._records = kept | keyed(change.write)
            self.generation = generation
            log.info("answers changed", removed=len(change.remove), written=len(change.write))
        return change.owners

    async def _switch(self, atlas: Atlas) -> None:
        """Makes a map live: files, reload, and the sentinel that shows it."""
        geo, mmdb = await asyncio.to_thread(files, atlas)
        former = await asyncio.to_thread(install_map, self._places, atlas.stamp, geo, mmdb)
        try:
            await self._zone.reload()
        except ControlRefusedError as fault:
            if former:
                point(self._places, former)
            self._atlas = None
            raise MapRejectedError(f"knot rejects the map: {fault}") from None
        deadline = asyncio.get_running_loop().time() + _MAP_DEADLINE
        while (live := await self._live_map()) != atlas.stamp:
            if asyncio.get_running_loop().time() > deadline:
                shown = spell_stamp(live) if live else "none"
                raise ExaminationError(f"map {spell_stamp(atlas.stamp)} loaded, {shown} is live")
            await asyncio.sleep(_MAP_PAUSE)
        self._live = live
        self._proven = False
        await asyncio.to_thread(forget_maps, self._places, self._places.live_map.resolve())
        log.info("map changed", stamp=spell_stamp(atlas.stamp), groups=len(atlas.map.groups))

    async def _live_map(self) -> Stamp | None:
        """The stamp of the map the running server uses; none where it has no geo module."""
        question = question_of_map(self._fleet.zone)
        answer = (await self._examiner.ask([question]))[question]
        return parse_sentinel(answer.data[0]) if answer and answer.data else None

    async def _prove(self, names: Names, changed: frozenset[str]) -> int:
        """Questions for what changed, and for everything that was not proven since it was read."""
        records = self._records or {}
        if not self._proven:
            changed = frozenset(owner for owner, _ in records)
        prover = Prover(self._fleet.zone, names, records, self._atlas, self._ttl)
        proofs: list[Proof] = [proof_of_generation(self._fleet.zone, self.generation)]
        if self._atlas:
            proofs.append(proof_of_map(self._fleet.zone, self._atlas.stamp, self._ttl))
        proofs += prover.proofs(changed)
        await self._examiner.examine(proofs)
        self._proven = True
        return len(proofs)

    def _is_group(self, key: Key) -> bool:
        return is_group_owner(self._fleet.zone, key[0])
