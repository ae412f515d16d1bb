"""A transit in FRR's language: one file for zebra, one for bgpd.

`route-map in-*` tags what customers bring, `route-map up` lets only that (and own networks) go to
peers and providers. Own networks are advertised without a route in the table
(`no bgp network import-check`), so that nothing of them reaches the kernel. Two PoPs of one AS are
equal paths to FRR, which would share flows between them; `maximum-paths 1` makes it choose.
"""

from __future__ import annotations

from lab.routers.policy import (
    BFD_MULTIPLIER,
    CONNECT_RETRY_S,
    CUSTOMER_TAG,
    FAMILIES,
    LOCAL_PREFERENCE,
    LONGEST,
    Family,
    Session,
    Transit,
)

WORD = {"v4": "ip", "v6": "ipv6"}
ANY = {"v4": "0.0.0.0/0", "v6": "::/0"}
MOST_PATHS = 8


def zebra_config(transit: Transit) -> str:
    """zebra.conf: names the router; addresses and links are the lab's."""
    return f"hostname {transit.name}\nlog stdout notifications\n"


def bgpd_config(transit: Transit) -> str:
    """The whole bgpd.conf of `transit`."""
    parts = [
        f"frr defaults traditional\nhostname {transit.name}\nlog stdout notifications\n!",
        *(_lists(transit, family) for family in FAMILIES),
        *_maps(transit),
        _router(transit),
    ]
    return "\n".join(parts) + "\n"


def _lists(transit: Transit, family: Family) -> str:
    word, longest = WORD[family], LONGEST[family]
    lines = [f"{word} prefix-list short-{family} permit {ANY[family]} le {longest}"]
    lines += [
        f"{word} prefix-list pop-{family} permit {prefix} le {longest}"
        for prefix in transit.steered[family]
    ]
    return "\n".join(lines)


def _maps(transit: Transit) -> list[str]:
    tag = f"{transit.asn}:{CUSTOMER_TAG}"
    head = f"bgp community-list standard customers permit {tag}\n!"
    up = "route-map up permit 10\n match community customers\n!\n"
    up += "".join(
        f"route-map up permit {20 + i}\n"
        f" match {WORD[family]} address prefix-list own-{family}\n!\n"
        for i, family in enumerate(FAMILIES)
    )
    own = "\n".join(
        f"{WORD[family]} prefix-list own-{family} permit {prefix}"
        for family in FAMILIES
        for prefix in transit.originated[family]
    )
    return [head, own, up + "route-map all permit 10\n!", *_import_maps(tag)]


def _import_maps(tag: str) -> list[str]:
    """One import map per relation and family: length, space, tag, preference, in two entries."""
    maps = []
    for relation, preference in LOCAL_PREFERENCE.items():
        for family in FAMILIES:
            name = f"in-{relation}-{family}"
            allowed = f"pop-{family}" if relation == "pop" else f"short-{family}"
            match = f" match {WORD[family]} address prefix-list {allowed}"
            paying = relation in ("pop", "customer")
            rest = [f" set local-preference {preference}"]
            rest += [f" set community {tag} additive"] if paying else []
            rest += [" set ipv6 next-hop prefer-global"] if family == "v6" else []
            maps.append(
                f"route-map {name} permit 10\n{match}\n set comm-list customers delete\n"
                f" on-match next\nroute-map {name} permit 20\n{match}\n" + "\n".join(rest) + "\n!"
            )
    return maps


def _router(transit: Transit) -> str:
    keepalive = max(1, transit.hold_s // 3)
    lines = [
        f"router bgp {transit.asn}",
        f" bgp router-id {transit.router_id}",
        " no bgp ebgp-requires-policy",
        " no bgp default ipv4-unicast",
        " no bgp network import-check",
        f" timers bgp {keepalive} {transit.hold_s}",
    ]
    for session in transit.sessions:
        for family in FAMILIES:
            lines += _neighbor(transit, session, family)
    for family in FAMILIES:
        lines += _address_family(transit, family)
    return "\n".join(lines)


def _neighbor(transit: Transit, session: Session, family: Family) -> list[str]:
    address = session.remote[family]
    lines = [
        f" neighbor {address} remote-as {session.asn}",
        f" neighbor {address} description {session.name}",
        f" neighbor {address} timers connect {CONNECT_RETRY_S}",
        f" neighbor {address} update-source {session.local[family]}",
    ]
    if transit.bfd_ms and session.relation == "pop":
        lines.append(f" neighbor {address} bfd {BFD_MULTIPLIER} {transit.bfd_ms} {transit.bfd_ms}")
    if transit.advertisement_interval_s:
        interval = transit.advertisement_interval_s
        lines.append(f" neighbor {address} advertisement-interval {interval}")
    return lines


def _address_family(transit: Transit, family: Family) -> list[str]:
    paths = MOST_PATHS if transit.multipath else 1
    lines = [" !", f" address-family ipv{family[1]} unicast", f"  maximum-paths {paths}"]
    lines += [f"  network {prefix}" for prefix in transit.originated[family]]
    for session in transit.sessions:
        address = session.remote[family]
        outbound = "all" if session.is_customer else "up"
        lines += [
            f"  neighbor {address} activate",
            f"  neighbor {address} route-map in-{session.relation}-{family} in",
            f"  neighbor {address} route-map {outbound} out",
        ]
    return [*lines, " exit-address-family"]
