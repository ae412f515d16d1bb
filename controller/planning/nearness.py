"""How near a PoP is to a client group: great-circle distance, until round trips are measured."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import asin, cos, radians, sin, sqrt

from ambicast.model.clients import ClientGroup
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import PopName
from controller.planning.remembering import Last

_EARTH_RADIUS_KM = 6371.0

Point = tuple[float, float, float]


@lru_cache(maxsize=1 << 17)
def kilometres(lat_a: float, lon_a: float, lat_b: float, lon_b: float) -> float:
    """The great-circle distance between two points given in degrees (haversine formula)."""
    half_lat = radians(lat_b - lat_a) / 2
    half_lon = radians(lon_b - lon_a) / 2
    chord = sin(half_lat) ** 2 + cos(radians(lat_a)) * cos(radians(lat_b)) * sin(half_lon) ** 2
    return 2 * _EARTH_RADIUS_KM * asin(min(1.0, sqrt(chord)))


class _Atlas:
    """One fleet's PoPs on a sphere, and the rankings that were asked for so far."""

    def __init__(self, fleet: Fleet) -> None:
        places = ((name, pop.place) for name, pop in sorted(fleet.pops.items()))
        self._points = [(name, _point(place.lat, place.lon)) for name, place in places]
        self._ranked: dict[tuple[float, float], tuple[PopName, ...]] = {}

    def nearest_first(self, lat: float, lon: float) -> tuple[PopName, ...]:
        found = self._ranked.get((lat, lon))
        if found is None:
            x, y, z = _point(lat, lon)
            # The straight line through the earth ranks as the way around it does.
            ranked = sorted(
                ((x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2, name)
                for name, (a, b, c) in self._points
            )
            found = self._ranked[lat, lon] = tuple(name for _, name in ranked)
        return found


def nearest_first(fleet: Fleet, group: ClientGroup) -> Sequence[PopName]:
    """All PoPs, nearest to ``group`` first; the name breaks ties, so that the order is total."""
    return _atlas(fleet).nearest_first(group.lat, group.lon)


def farthest_first(fleet: Fleet, home: PopName, others: Sequence[PopName]) -> Sequence[PopName]:
    """``others`` by distance from ``home``, farthest first: the order in which survivors leave."""
    here = fleet.pops[home].place

    def distance(name: PopName) -> tuple[float, str]:
        place = fleet.pops[name].place
        return -kilometres(here.lat, here.lon, place.lat, place.lon), name

    return sorted(others, key=distance)


def _point(lat: float, lon: float) -> Point:
    across = cos(radians(lat))
    return across * cos(radians(lon)), across * sin(radians(lon)), sin(radians(lat))


@Last
def _atlas(fleet: Fleet) -> _Atlas:
    return _Atlas(fleet)
