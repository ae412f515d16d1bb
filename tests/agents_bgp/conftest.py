"""The PoP of these tests: two uplinks, both families."""

import pytest

from agents.bgp.neighbors import by_address
from ambicast.model.identifiers import Family
from ambicast.model.pops import Place, Pop, Uplink
from tests.agents_bgp.talk import Talk


def uplink(name, net, families=("v4", "v6")):
    neighbor = {"v4": f"10.{net}.1.1", "v6": f"fd00:{net}:0:1::1"}
    identity = {"v4": f"10.{net}.1.2", "v6": f"fd00:{net}:0:1::2"}
    return Uplink(
        name=name,
        provider=f"as{net}",
        interface=f"eth{net}",
        neighbor={Family(kind): neighbor[kind] for kind in families},
        identity={Family(kind): identity[kind] for kind in families},
        capacity=1e9,
        max_prefixes=10,
    )


def pop_with(*uplinks):
    return Pop(
        name="ams",
        place=Place("Amsterdam", "NL", 52.3, 4.8),
        capacity=1e9,
        prefixes=("198.18.0.0/22",),
        hosts={},
        uplinks={each.name: each for each in uplinks},
    )


@pytest.fixture
def pop():
    return pop_with(uplink("north", 3), uplink("south", 4))


@pytest.fixture
def make_pop():
    """``make_pop(("north", 3), ("south", 4, ("v4",)))``."""
    return lambda *uplinks: pop_with(*(uplink(*each) for each in uplinks))


@pytest.fixture
def sessions(pop):
    return by_address(pop)


@pytest.fixture
def talk(sessions):
    return Talk(sessions)


@pytest.fixture
def attached(talk):
    talk.attach()
    return talk
