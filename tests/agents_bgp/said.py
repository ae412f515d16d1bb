"""Lines as ExaBGP 5.0.15 wrote them (recorded against BIRD), with the parts that vary cut out."""

import json

HEADER = (
    '{ "exabgp": "5.0.0", "time": 1795374650.5, "host" : "vm",'
    ' "pid" : 7, "ppid" : 1, "counter": 5, '
)
NEGOTIATED = (
    '"negotiated": { "message_size": 4096, "hold_time": 9, "asn4": true, "multisession": false,'
    ' "operational": false, "refresh": "enhanced", "families": %s, "nexthop": [],'
    ' "add_path": {"send": [], "receive": []} } '
)
UP4 = ["ipv4 unicast"]
AS_PATH = {"0": {"element": "as-sequence", "value": [64500]}}


def about(peer, kind, rest):
    local = peer[:-1] + "2"
    return (
        f'{HEADER}"type": "{kind}", "neighbor": {{ '
        f'"address": {{ "local": "{local}", "peer": "{peer}" }},'
        f' "asn": {{ "local": 64500, "peer": 64603 }}, "router-id": "10.3.1.2" , {rest} }} }}'
    )


def up(peer):
    return about(peer, "state", '"state": "up"')


def connected(peer):
    return about(peer, "state", '"state": "connected"')


def down(peer, reason="closing connection"):
    return about(peer, "state", f'"state": "down", "reason": "{reason}"')


def negotiated(peer, families):
    return about(peer, "negotiated", NEGOTIATED % json.dumps(families))


def sent(peer, advertised=(), withdrawn=(), attributes=None):
    family = "ipv6 unicast" if ":" in peer else "ipv4 unicast"
    update = {}
    if advertised:
        update["attribute"] = {"origin": "igp", "as-path": AS_PATH} | (attributes or {})
        local = peer[:-1] + "2"
        update["announce"] = {family: {local: [{"nlri": each} for each in advertised]}}
    if withdrawn:
        update["withdraw"] = {family: [{"nlri": each} for each in withdrawn]}
    message = json.dumps({"update": update})
    rest = f'"direction": "send", "message": {message}, {NEGOTIATED % json.dumps([family])}'
    return about(peer, "update", rest)


def end_of_rib(peer):
    message = '{ "eor": { "afi" : "ipv4", "safi" : "unicast" } }'
    return about(peer, "update", f'"direction": "send", "message": {message}')


def shutdown():
    return HEADER + '"type": "notification", "notification": "shutdown" }'


def row(peer, prefix, attributes=None):
    afi = "ipv6" if ":" in peer else "ipv4"
    nlri = {
        "prefix": prefix,
        "nexthop": peer[:-1] + "2",
        "family": {"afi": afi, "safi": "unicast"},
    }
    attributes = {"as-path": AS_PATH} if attributes is None else attributes
    return json.dumps(
        {"peer": {"address": peer}, "route": {"nlri": nlri, "attributes": attributes}}
    )


def table(*rows):
    """``(peer, fsm, families)`` each."""
    return json.dumps(
        [
            {
                "state": "up" if fsm == "ESTABLISHED" else "down",
                "duration": 26,
                "fsm": fsm,
                "local": {"address": peer[:-1] + "2", "as": 64500},
                "peer": {"address": peer, "as": 64603},
                "families": families,
            }
            for peer, fsm, families in rows
        ]
    )
