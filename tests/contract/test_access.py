"""The access list lets everybody say and hear what is theirs, and nothing else."""

from __future__ import annotations

import msgspec
import pytest

from ambicast.contract.access import AccessError, access_list, users
from ambicast.contract.topics import (
    Channel,
    FromController,
    OfHost,
    OfNameserver,
    spell,
)
from tests.choreography.fleets import three_pops
from tests.contract.test_topics import matches

FLEET = three_pops()
EVERYTHING = {
    FromController(),
    *(OfHost(pop.name, host, channel) for pop, host in FLEET.hosts() for channel in Channel),
    *(OfNameserver(name, channel) for name in FLEET.nameservers for channel in Channel),
}


def allowed(user, what):
    """The topics of ``EVERYTHING`` that ``user`` may ``what``, read off the list's text."""
    found, whose = set(), None
    for line in access_list(FLEET).splitlines():
        match line.split():
            case ["user", name]:
                whose = name
            case ["topic", verb, pattern] if whose == user and verb == what:
                found |= {t for t in EVERYTHING if matches(pattern, spell(FLEET.name, t))}
    return found


def test_a_host_hears_its_own_orders_and_who_gives_them():
    assert allowed("ams-1", "read") == {
        FromController(),
        OfHost("ams", "ams-1", Channel.ORDER),
        OfNameserver("ams", Channel.STEERING),
        OfNameserver("ams", Channel.MAP),
    }
    assert allowed("lhr-1", "read") == {FromController(), OfHost("lhr", "lhr-1", Channel.ORDER)}


def test_a_host_says_only_what_is_its_own():
    said = (Channel.PRESENCE, Channel.RECEIPT, Channel.REPORT)
    of_host = (*said, Channel.SIGHTINGS, Channel.TELEMETRY)
    assert allowed("lhr-1", "write") == {OfHost("lhr", "lhr-1", each) for each in of_host}
    assert allowed("ams-1", "write") == {
        *(OfHost("ams", "ams-1", each) for each in of_host),
        *(OfNameserver("ams", each) for each in said),
    }


def test_the_controller_says_the_rest_and_hears_what_it_does_not_say():
    hosts = [each for user in users(FLEET)[2:] for each in allowed(user, "write")]
    assert allowed("controller", "read") == {FromController(), *hosts}
    orders = {OfHost(pop.name, host, Channel.ORDER) for pop, host in FLEET.hosts()}
    steering = {
        OfNameserver(name, channel)
        for name in FLEET.nameservers
        for channel in (Channel.STEERING, Channel.MAP)
    }
    assert allowed("controller", "write") == {FromController()} | orders | steering


def test_viewers_hear_everything_and_say_nothing():
    assert allowed("viewer", "read") == EVERYTHING
    assert allowed("viewer", "write") == set()


@pytest.mark.parametrize("name", ["controller", "viewer"])
def test_a_host_that_bears_another_users_name_is_a_fault(name):
    ams = FLEET.pops["ams"]
    pop = msgspec.structs.replace(ams, hosts={name: ams.hosts["ams-1"]})
    fleet = msgspec.structs.replace(FLEET, pops={**FLEET.pops, "ams": pop})
    with pytest.raises(AccessError, match=name):
        access_list(fleet)
