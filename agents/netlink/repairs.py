"""The difference between what the kernel holds and what it shall hold, as changes in safe order.

Only what is ours is ever touched: on ``lo`` the host addresses inside steered prefixes, elsewhere
rules and routes that carry our protocol number. Additions come before removals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from agents.netlink import layout
from agents.netlink.layout import MAIN_TABLE, METRIC, Route, Rule
from ambicast.model.identifiers import Family
from ambicast.model.pops import Pop


class Wanted(msgspec.Struct, frozen=True):
    """What others decided.

    Attributes:
        addresses: every service and witness address to terminate; none: touch no address.
        uplinks: the preferred uplink per family; a family that is missing keeps its default.
    """

    addresses: frozenset[str] | None = None
    uplinks: Mapping[Family, str] = {}


class Present(msgspec.Struct, frozen=True):
    """What the kernel holds.

    Attributes:
        addresses: the ones on ``lo`` that are ours to own.
        rules: rules with our protocol number.
        routes: default routes with our protocol number.
        defaults: family -> interfaces of the main table's default routes, the one in use first.
        up: interfaces that are administratively up; the others take no routes.
    """

    addresses: frozenset[str] = frozenset()
    rules: frozenset[Rule] = frozenset()
    routes: frozenset[Route] = frozenset()
    defaults: Mapping[Family, tuple[str, ...]] = {}
    up: frozenset[str] = frozenset()


class AddAddress(msgspec.Struct, frozen=True):
    """Terminate this address."""

    address: str


class RemoveAddress(msgspec.Struct, frozen=True):
    """Terminate it no longer."""

    address: str


class AddRule(msgspec.Struct, frozen=True):
    """A missing rule."""

    rule: Rule


class RemoveRule(msgspec.Struct, frozen=True):
    """A rule of ours that is wanted no longer."""

    rule: Rule


class PutRoute(msgspec.Struct, frozen=True):
    """A missing route; it replaces what stands in its place."""

    route: Route


class RemoveRoute(msgspec.Struct, frozen=True):
    """A route of ours that is wanted no longer."""

    route: Route


Change = AddAddress | RemoveAddress | AddRule | RemoveRule | PutRoute | RemoveRoute


def repairs(pop: Pop, wanted: Wanted, present: Present) -> tuple[Change, ...]:
    """The changes that make ``present`` what is wanted; none where it is already."""
    return (
        *_put_routes(pop, wanted, present),
        *(AddRule(rule) for rule in sorted(layout.rules(pop) - present.rules)),
        *_addresses(wanted, present),
        *(RemoveRule(rule) for rule in sorted(present.rules - layout.rules(pop))),
        *_remove_routes(pop, wanted, present),
    )


def urgent(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Those that cannot wait for another look: the way out of what clients are answered from."""
    return tuple(
        change
        for change in changes
        if isinstance(change, PutRoute) and change.route.table == MAIN_TABLE
    )


def _addresses(wanted: Wanted, present: Present) -> tuple[Change, ...]:
    if wanted.addresses is None:
        return ()
    return (
        *(AddAddress(each) for each in sorted(wanted.addresses - present.addresses)),
        *(RemoveAddress(each) for each in sorted(present.addresses - wanted.addresses)),
    )


def _put_routes(pop: Pop, wanted: Wanted, present: Present) -> tuple[Change, ...]:
    missing = layout.routes(pop, wanted.uplinks) - present.routes
    return tuple(PutRoute(route) for route in sorted(missing) if route.interface in present.up)


def _remove_routes(pop: Pop, wanted: Wanted, present: Present) -> tuple[Change, ...]:
    """Ours, not wanted, and not just replaced: a second look finds what a replacement left."""
    right = layout.routes(pop, wanted.uplinks)
    awaited = {route.place for route in right - present.routes}
    return tuple(
        RemoveRoute(route)
        for route in sorted(present.routes - right)
        if route.place not in awaited and not _kept(route, wanted)
    )


def _kept(route: Route, wanted: Wanted) -> bool:
    """Whether this is the default route of a family nobody has decided on."""
    return route.place == (route.family, MAIN_TABLE, METRIC) and (
        route.family not in wanted.uplinks
    )
