"""The Internets we build: `THREE_POPS`, and a generalisation to any number of PoPs."""

from __future__ import annotations

import msgspec

from lab.topology.internet import Client, Internet, Pop, Uplink

CONTROLLER_ACCESS = (1, 9)  # ctl1 hangs on transit t1, access network 9
CLIENTS = 5  # of the larger labs: each has a resolver of its own
MOST_POPS = 60  # access networks 10.N.K.0/30 and the covers' /22 slots end there


def _uplinks(north: int, south: int) -> tuple[Uplink, ...]:
    return Uplink("north", "eth1", north), Uplink("south", "eth2", south)


THREE_POPS = Internet(
    name="three-pops",
    transits=5,
    pops=(
        Pop("ams", 1, "red", 0, "Amsterdam", "NL", 52.31, 4.76, _uplinks(3, 4), nameserver=True),
        Pop("fra", 2, "blue", 0, "Frankfurt", "DE", 50.03, 8.57, _uplinks(4, 5), nameserver=True),
        Pop("lhr", 3, "red", 1, "London", "GB", 51.47, -0.45, _uplinks(5, 3), nameserver=False),
    ),
    clients=(
        Client(1, 3, 52.37, 4.90),
        Client(2, 4, 50.11, 8.68),
        Client(3, 5, 51.51, -0.13),
    ),
)

# ams has two hosts behind a router of its own.
TWO_HOSTS = msgspec.structs.replace(
    THREE_POPS,
    name="two-hosts",
    pops=(msgspec.structs.replace(THREE_POPS.pops[0], hosts=2), *THREE_POPS.pops[1:]),
)


def many_pops(count: int) -> Internet:
    """`count` PoPs p1.. on a ring of transits, so that neighbors always share each uplink AS.

    Raises:
        ValueError: fewer than 3 or more than `MOST_POPS`.
    """
    if count == len(THREE_POPS.pops):
        return THREE_POPS
    if not 3 < count <= MOST_POPS:
        msg = f"pops: {count} is out of range; 3 to {MOST_POPS} are possible"
        raise ValueError(msg)
    ring = max(3, count // 3)
    return Internet(
        name=f"{count}-pops",
        transits=2 + ring,
        pops=tuple(_ring_pop(i, ring) for i in range(count)),
        clients=tuple(_ring_client(i, count, ring) for i in range(CLIENTS)),
    )


def named(name: str) -> Internet:
    """The Internet of that name.

    Raises:
        KeyError: there is none; `NAMES` are all.
    """
    return NAMES[name]


def _ring_client(index: int, count: int, ring: int) -> Client:
    """Client networks at every second PoP or so; a PoP holds one of them, and not two.

    They lie a little towards the PoP before: when two neighbors of that one die, both would go
    there, and the controller has to know better.
    """
    near = _ring_pop(index * count // CLIENTS, ring)
    transit = near.uplinks[0].transit
    return Client(1 + index, transit, near.lat - 1.2, near.lon - 1.2, "150Gbit/s")


def _ring_pop(index: int, ring: int) -> Pop:
    """PoP `index` of a ring: placed along a circle of longitude steps, colours alternating."""
    number = index + 1 if index < CONTROLLER_ACCESS[1] - 1 else index + 2  # 9 is ctl1's
    return Pop(
        f"p{index + 1}",
        number,
        "red" if index % 2 == 0 else "blue",
        index // 2,
        f"City {index + 1}",
        "NL",
        40.0 + index % 7 * 3,
        -10.0 + index * 3.0,
        _uplinks(3 + index % ring, 3 + (index + 1) % ring),
        nameserver=index < 2,
    )


NAMES = {
    "three-pops": THREE_POPS,
    "two-hosts": TWO_HOSTS,
    "ten-pops": msgspec.structs.replace(many_pops(10), name="ten-pops"),
}
