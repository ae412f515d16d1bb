"""How near a PoP is to a client group: great-circle distance, until round trips are measured."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import asin, cos, radians, sin, sqrt

from ambicast.model.clients import ClientGroup
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import PopName

_EARTH_RADIUS_KM = 6371.0


@lru_cache(maxsize=1 << 17)
def kilometres(lat_a: float, lon_a: float, lat_b: float, lon_b: float) -> float:
    """The great-circle distance between two points given in degrees (haversine formula)."""
    half_lat = radians(lat_b - lat_a) / 2
    half_lon = radians(lon_b - lon_a) / 2
    chord = sin(half_lat) ** 2 + cos(radians(lat_a)) * cos(radians(lat_b)) * sin(half_lon) ** 2
    return 2 * _EARTH_RADIUS_KM * asin(min(1.0, sqrt(chord)))


def nearest_first(fleet: Fleet, group: ClientGroup) -> Sequence[PopName]:
    """All PoPs, nearest to ``group`` first; the name breaks ties, so that the order is total."""

    def distance(name: PopName) -> tuple[float, str]:
        place = fleet.pops[name].place
        return kilometres(group.lat, group.lon, place.lat, place.lon), name

    return sorted(fleet.pops, key=distance)


def farthest_first(fleet: Fleet, home: PopName, others: Sequence[PopName]) -> Sequence[PopName]:
    """``others`` by distance from ``home``, farthest first: the order in which survivors leave."""
    here = fleet.pops[home].place

    def distance(name: PopName) -> tuple[float, str]:
        place = fleet.pops[name].place
        return -kilometres(here.lat, here.lon, place.lat, place.lon), name

    return sorted(others, key=distance)
