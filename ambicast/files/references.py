"""Cross-references by name: what the fleet file mentions must be there, once, and fit together."""

from __future__ import annotations

from collections.abc import Iterable

from ambicast.files.document import ANY, Document, Found
from ambicast.files.faults import Severity, quote, spell
from ambicast.model.quantities import duration
from ambicast.model.services import CheckKind


def check_references(document: Document) -> None:
    """Adds every fault between names of ``document``."""
    for check in (
        _own_as,
        _providers,
        _hosts,
        _nameservers,
        _names,
        _checks,
        _counts,
    ):
        check(document)


def once(document: Document, found: Iterable[Found], what: str) -> None:
    """Adds a fault for each value that stands in more than one place."""
    first: dict[object, Found] = {}
    for each in found:
        before = first.setdefault(each.value, each)
        if before is not each:
            where = f"{spell(before.path)}, line {before.line}"
            document.fault(each, f"{each.value} again (first at {where})", f"each {what} once")


def _own_as(document: Document) -> None:
    mine = document.get("asn")
    if mine is None:
        if "asn" not in document.names():
            document.add(
                1,
                ("asn",),
                "nothing, so the documentation AS 64500 is used",
                "the fleet's own AS number",
                Severity.WARNING,
            )
        return
    for provider in document.find("providers", ANY, "asn"):
        if provider.value == mine.value:
            document.fault(provider, f"the fleet's own AS {mine.value}", "a neighbor's AS number")


def _providers(document: Document) -> None:
    known = document.names("providers")
    used: dict[str, set[object]] = {}
    uplinks = tuple(document.find("pops", ANY, "uplinks", ANY, "provider"))
    for uplink in uplinks:
        used.setdefault(uplink.value, set()).add(uplink.path[1])
        if uplink.value not in known:
            document.fault(uplink, f"the unknown provider {quote(uplink.value)}", _listed(known))
    for uplink in uplinks:
        if uplink.value in known and len(used[uplink.value]) == 1:
            document.fault(
                uplink,
                f"a provider that no other PoP shares ({uplink.value})",
                "a provider shared with another PoP, else a takeover of this uplink's clients"
                " waits for the advertisement timers of the Internet",
                Severity.WARNING,
            )


def _hosts(document: Document) -> None:
    first: dict[str, Found] = {}
    for hosts in document.find("pops", ANY, "hosts"):
        for name in hosts.value:
            before = first.setdefault(name, hosts)
            if before is not hosts:
                where = f"{spell(before.path)}, line {before.line}"
                document.fault(
                    hosts, f"the host {name} again (first at {where})", "each host once"
                )
        _adjacencies(document, hosts)
        wanted = document.get(*hosts.path[:2], "min_hosts")
        if wanted is not None and wanted.value > len(hosts.value):
            document.fault(wanted, str(wanted.value), f"at most the {len(hosts.value)} hosts here")


def _adjacencies(document: Document, hosts: Found) -> None:
    """Hosts of one PoP are told apart by their identity addresses, so each needs its own."""
    known = document.names(*hosts.path[:2], "uplinks")
    given = {name: document.names(*hosts.path, name, "uplinks") for name in hosts.value}
    for name, uplinks in given.items():
        for uplink in uplinks:
            if uplink not in known:
                at = next(document.find(*hosts.path, name, "uplinks"))
                document.fault(at, f"the unknown uplink {quote(uplink)}", _listed(known))
    speakers = [
        name
        for name in hosts.value
        if any(str(r.value) == "bgp" for r in document.find(*hosts.path, name, "roles", ANY))
    ]
    for uplink in known:
        sharing = [name for name in speakers if uplink not in given[name]]
        for name in sharing[1:]:
            document.fault(
                hosts,
                f"{name} and {sharing[0]} with one identity address at {uplink}",
                f"an entry uplinks.{uplink}.identity at every host with the role bgp but one",
            )


def _nameservers(document: Document) -> None:
    roles: dict[str, set[str]] = {}
    for hosts in document.find("pops", ANY, "hosts"):
        for name in hosts.value:
            given = document.find(*hosts.path, name, "roles", ANY)
            roles[name] = {str(role.value) for role in given}
    used = set()
    for host in document.find("nameservers", ANY, "host"):
        used.add(host.value)
        if host.value not in roles:
            document.fault(host, f"the unknown host {quote(host.value)}", _listed(roles))
        elif "dns" not in roles[host.value]:
            found = f"the host {host.value} without the role dns"
            dns = [name for name, given in roles.items() if "dns" in given]
            document.fault(host, found, f"a host with the role dns ({_listed(dns)})")
    once(document, document.find("nameservers", ANY, "host"), "nameserver host")
    for role in document.find("pops", ANY, "hosts", ANY, "roles", ANY):
        if str(role.value) == "dns" and role.path[3] not in used:
            found = f"the role dns at {role.path[3]}, which no nameserver names"
            document.fault(role, found, "an entry under nameservers", Severity.WARNING)


def _names(document: Document) -> None:
    names = tuple(document.find("services", ANY, "names", ANY))
    once(document, names, "service name")
    zone = document.get("dns", "zone")
    within = zone.value if zone else names[0].value.partition(".")[2] if names else ""
    for name in names:
        if not within or not f".{name.value}".endswith(f".{within}"):
            allowed = f"a name in the zone {within}" if within else "a name inside a zone"
            document.fault(name, quote(name.value), allowed)


def _checks(document: Document) -> None:
    for kind in document.find("services", ANY, "checks", ANY, "kind"):
        at = kind.path[:-1]
        given = document.names(*at)
        web = kind.value in {CheckKind.HTTP, CheckKind.HTTPS}
        if "path" in given and not web:
            found = f"a path for a check of kind {kind.value}"
            document.fault(kind, found, "a path for the kinds http and https only")
        if kind.value is CheckKind.DNS and "name" not in given:
            document.fault(kind, "a dns check without name", "the name that is asked for")
        if kind.value is CheckKind.TCP and "name" in given:
            document.fault(kind, "a name for a check of kind tcp", "a name for dns, http, https")
    for fast in document.find("services", ANY, "checks", ANY, "fast_interval"):
        slow = document.get(*fast.path[:-1], "interval")
        interval = duration(slow.value if slow else "300ms")
        if duration(fast.value) > interval:
            document.fault(fast, fast.value, f"at most the interval, {interval:g}s")


def _counts(document: Document) -> None:
    pops = len(document.names("pops"))
    for least in document.find("services", ANY, "policy", "min_pops"):
        if least.value > pops:
            document.fault(least, str(least.value), f"at most the fleet's {pops} PoPs")
    quorum = document.get("timing", "quorum")
    wanted = quorum.value if quorum else 2
    if wanted > pops - 1:
        line = quorum.line if quorum else 1
        found = f"a quorum of {wanted} with {pops} PoPs"
        allowed = "a quorum of at most the other PoPs, else no loss is ever agreed on"
        document.add(line, ("timing", "quorum"), found, allowed, Severity.WARNING)


def _listed(names: Iterable[str]) -> str:
    return "one of " + (", ".join(sorted(names)) or "none, because none is there")
