"""Version 1 as bytes: what hosts of yesterday and of today send, for every type.

These bytes may not change. A new field with a default makes new bytes beside them (the old ones
still decode, ``PREVIOUS``); anything else is a new version.
"""

from __future__ import annotations

import pytest

from ambicast.contract.codec import Stamp, decode, encode
from ambicast.contract.messages import (
    Brake,
    BrakeKind,
    ClientMap,
    Contingency,
    ControllerPresence,
    Deed,
    DeedKind,
    Fitness,
    NameserverReceipt,
    NameserverReport,
    Order,
    Outcome,
    Presence,
    Receipt,
    Report,
    Said,
    Session,
    Sighting,
    Sightings,
    Steering,
    UplinkState,
)
from ambicast.model.identifiers import Family
from ambicast.model.routes import Advertisement, Attributes
from tests.contract import strategies

STAMP = Stamp(7, 41)
ADVERTISED = Advertisement("198.18.0.0/22", "north", Attributes(prepend=1, communities=("1:2",)))
PLAIN = Advertisement("198.18.0.0/23", "south")

PREVIOUS = [
    (
        ControllerPresence(online=True, instance="c1", since=1.5),
        (
            b'{"type":"controller-presence","v":1,"epoch":7,"generation":41,"body":{"type":"contro'
            b'ller-presence","online":true,"instance":"c1","since":1.5},"kid":null,"sig":null}'
        ),
    ),
    (
        Presence(online=False, instance="a1", since=1.5, roles=("bgp",), capabilities=("halves",)),
        (
            b'{"type":"presence","v":1,"epoch":7,"generation":41,"body":{"type":"presence","online'
            b'":false,"instance":"a1","since":1.5,"roles":["bgp"],"capabilities":["halves"]},"kid"'
            b':null,"sig":null}'
        ),
    ),
    (
        Order(
            advertisements=(ADVERTISED, PLAIN),
            terminate=("198.18.0.10",),
            observe=("198.18.4.0/22",),
            keepers={"198.18.0.0/17": "fra"},
            contingencies=("lhr",),
            lease=30.0,
            reason="drain",
        ),
        (
            b'{"type":"order","v":1,"epoch":7,"generation":41,"body":{"type":"order","advertisemen'
            b'ts":[{"prefix":"198.18.0.0/22","uplink":"north","attributes":{"prepend":1,"communiti'
            b'es":["1:2"]}},{"prefix":"198.18.0.0/23","uplink":"south"}],"terminate":["198.18.0.10'
            b'"],"observe":["198.18.4.0/22"],"keepers":{"198.18.0.0/17":"fra"},"contingencies":["l'
            b'hr"],"lease":30.0,"reason":"drain"},"kid":null,"sig":null}'
        ),
    ),
    (
        Receipt(outcome=Outcome.REFUSED, refusals=("no uplink east",), wire=(PLAIN,)),
        (
            b'{"type":"receipt","v":1,"epoch":7,"generation":41,"body":{"type":"receipt","outcome"'
            b':"refused","refusals":["no uplink east"],"wire":[{"prefix":"198.18.0.0/23","uplink":'
            b'"south"}]},"kid":null,"sig":null}'
        ),
    ),
    (
        Report(
            instance="a1",
            sessions=(
                Session(
                    uplink="north",
                    family=Family.V4,
                    established=True,
                    families=(Family.V4,),
                    since=1.5,
                ),
            ),
            uplinks=(
                UplinkState(uplink="north", carrier=True, working={Family.V4: False}, since=1.5),
            ),
            services=(Fitness(service="www", fit=True, detail="200", since=1.5),),
            wire=(PLAIN,),
            terminated=("198.18.0.10",),
            default_uplink={Family.V4: "north"},
            order_epoch=7,
            order_generation=41,
        ),
        (
            b'{"type":"report","v":1,"epoch":7,"generation":41,"body":{"type":"report","instance":'
            b'"a1","sessions":[{"uplink":"north","family":"v4","established":true,"families":["v4"'
            b'],"since":1.5}],"uplinks":[{"uplink":"north","carrier":true,"working":{"v4":false},"'
            b'since":1.5}],"services":[{"service":"www","fit":true,"detail":"200","since":1.5}],"w'
            b'ire":[{"prefix":"198.18.0.0/23","uplink":"south"}],"terminated":["198.18.0.10"],"def'
            b'ault_uplink":{"v4":"north"},"order_epoch":7,"order_generation":41},"kid":null,"sig":'
            b"null}"
        ),
    ),
    (
        Sightings(
            instance="a1",
            seen=(Sighting(pop="fra", uplink="south", family=Family.V6, up=False, since=1.5),),
            witnesses={"198.18.4.0/22": ("lhr",)},
            paused=True,
        ),
        (
            b'{"type":"sightings","v":1,"epoch":7,"generation":41,"body":{"type":"sightings","inst'
            b'ance":"a1","seen":[{"pop":"fra","uplink":"south","family":"v6","up":false,"since":1.'
            b'5}],"witnesses":{"198.18.4.0/22":["lhr"]},"paused":true},"kid":null,"sig":null}'
        ),
    ),
    (
        Steering(ttl=20.0, answers={"www": {"default": ("198.19.254.1",)}}, reason="loss of fra"),
        (
            b'{"type":"steering","v":1,"epoch":7,"generation":41,"body":{"type":"steering","ttl":2'
            b'0.0,"answers":{"www":{"default":["198.19.254.1"]}},"reason":"loss of fra"},"kid":nul'
            b'l,"sig":null}'
        ),
    ),
    (
        ClientMap(
            zone="cdn.example",
            names={"www": ("www.cdn.example",)},
            groups={"nl": ("198.19.1.0/24",)},
        ),
        (
            b'{"type":"map","v":1,"epoch":7,"generation":41,"body":{"type":"map","zone":"cdn.examp'
            b'le","names":{"www":["www.cdn.example"]},"groups":{"nl":["198.19.1.0/24"]}},"kid":nul'
            b'l,"sig":null}'
        ),
    ),
    (
        NameserverReceipt(outcome=Outcome.ACCEPTED, answers_to="map", refusals=(), proven=12),
        (
            b'{"type":"nameserver-receipt","v":1,"epoch":7,"generation":41,"body":{"type":"nameser'
            b'ver-receipt","outcome":"accepted","answers_to":"map","refusals":[],"proven":12},"kid'
            b'":null,"sig":null}'
        ),
    ),
    (
        NameserverReport(
            instance="a1",
            running=True,
            steering_epoch=7,
            steering_generation=41,
            map_epoch=7,
            map_generation=3,
            detail="",
        ),
        (
            b'{"type":"nameserver-report","v":1,"epoch":7,"generation":41,"body":{"type":"nameserv'
            b'er-report","instance":"a1","running":true,"steering_epoch":7,"steering_generation":4'
            b'1,"map_epoch":7,"map_generation":3,"detail":""},"kid":null,"sig":null}'
        ),
    ),
]

TODAY = [
    (
        ControllerPresence(online=True, instance="c1", since=1.5, beat=12),
        (
            b'{"type":"controller-presence","v":1,"epoch":7,"generation":41,"body":{"type":"contro'
            b'ller-presence","online":true,"instance":"c1","since":1.5,"beat":12},"kid":null,"sig"'
            b":null}"
        ),
    ),
    (
        Order(
            advertisements=(PLAIN,),
            terminate=(),
            when_lost=(
                Contingency(lost="lhr", prefixes=("198.18.4.0/23",), shared=("198.19.254.0/24",)),
                Contingency(lost="fra"),
            ),
        ),
        (
            b'{"type":"order","v":1,"epoch":7,"generation":41,"body":{"type":"order","advertisemen'
            b'ts":[{"prefix":"198.18.0.0/23","uplink":"south"}],"terminate":[],"observe":[],"keepe'
            b'rs":{},"contingencies":[],"lease":30.0,"reason":"","when_lost":[{"lost":"lhr","prefi'
            b'xes":["198.18.4.0/23"],"shared":["198.19.254.0/24"]},{"lost":"fra"}]},"kid":null,"si'
            b'g":null}'
        ),
    ),
    (
        Report(
            instance="a1",
            uplinks=(
                UplinkState(uplink="north", carrier=True, working={}, loss=0.05, held_down=True),
            ),
            services=(Fitness(service="www", fit=True, overloaded=True, hold_down=20.0),),
            deeds=(
                Deed(kind=DeedKind.COVER, about="lhr", prefixes=("198.18.4.0/23",), since=1.5),
            ),
            brake=Brake(kind=BrakeKind.HOLD, reason="smoke", since=1.5),
            load=0.5,
            keeps=("198.19.254.0/23",),
        ),
        (
            b'{"type":"report","v":1,"epoch":7,"generation":41,"body":{"type":"report","instance":'
            b'"a1","sessions":[],"uplinks":[{"uplink":"north","carrier":true,"working":{},"since":'
            b'0.0,"loss":0.05,"held_down":true}],"services":[{"service":"www","fit":true,"detail":'
            b'"","since":0.0,"overloaded":true,"hold_down":20.0}],"wire":[],"terminated":[],"defau'
            b'lt_uplink":{},"order_epoch":0,"order_generation":0,"deeds":[{"kind":"cover","about":'
            b'"lhr","prefixes":["198.18.4.0/23"],"since":1.5}],"brake":{"kind":"hold","reason":"sm'
            b'oke","since":1.5},"load":0.5,"keeps":["198.19.254.0/23"]},"kid":null,"sig":null}'
        ),
    ),
    (
        Sightings(
            instance="a1",
            seen=(Sighting(pop="fra", uplink="south", family=Family.V6, up=True, host="fra-1"),),
            said=(
                Said(pop="fra", host="fra-1", fit=("www",)),
                Said(pop="lhr", host="lhr-1", voice=False, switched=True),
            ),
        ),
        (
            b'{"type":"sightings","v":1,"epoch":7,"generation":41,"body":{"type":"sightings","inst'
            b'ance":"a1","seen":[{"pop":"fra","uplink":"south","family":"v6","up":true,"since":0.0'
            b',"host":"fra-1"}],"witnesses":{},"paused":false,"said":[{"pop":"fra","host":"fra-1",'
            b'"fit":["www"]},{"pop":"lhr","host":"lhr-1","voice":false,"switched":true}]},"kid":nu'
            b'll,"sig":null}'
        ),
    ),
]
# Types that have gained nothing since are sent as they were.
UNCHANGED = [
    pair for pair in PREVIOUS if type(pair[0]) not in {type(message) for message, _ in TODAY}
]
EVERY = [*PREVIOUS, *TODAY]


def names(pairs):
    return [strategies.tag(type(message)) for message, _ in pairs]


ORIGINS = [*names(PREVIOUS), *(f"{name} of today" for name in names(TODAY))]


def test_every_type_has_its_bytes():
    every = sorted(strategies.tag(kind) for kind in strategies.KINDS)
    assert sorted(names(PREVIOUS)) == every
    assert sorted(names([*UNCHANGED, *TODAY])) == every


@pytest.mark.parametrize(("message", "payload"), EVERY, ids=ORIGINS)
def test_the_bytes_of_version_1_are_still_understood(message, payload):
    received = decode(payload)
    assert received.body == message
    assert received.stamp == STAMP


@pytest.mark.parametrize(
    ("message", "payload"), [*UNCHANGED, *TODAY], ids=names([*UNCHANGED, *TODAY])
)
def test_version_1_is_still_what_is_sent(message, payload):
    assert encode(message, STAMP) == payload
