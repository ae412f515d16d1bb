"""Every fault of a fleet file is named: file, line, path, what was found and what is allowed."""

from __future__ import annotations

import pytest

from ambicast.files import FleetFileError, Severity, load_fleet, validate
from tests.files import fleetfiles

ERROR, WARNING = Severity.ERROR, Severity.WARNING
NORTH = "pops.ams.uplinks.one"

# (what stands there, what is planted, path of the fault, what it says)
SHAPES = [
    ("fleet: example", "fleet: Example/1", "fleet", "'Example/1'; allowed a name"),
    ("asn: 64500", "asn: 0", "asn", "found 0; allowed a whole number from 1 to 4294967294"),
    ("asn: 64500", "asn: 64500.5", "asn", "found 64500.5"),
    ("asn: 64500", 'asn: "64500"', "asn", "found '64500'"),
    ("ttl: 20s", "ttl: 20", "timing.ttl", "'20'; allowed a duration above zero with its unit"),
    ("ttl: 20s", "ttl: 0s", "timing.ttl", "found '0s'"),
    ("ttl: 20s", "ttl: ~", "timing.ttl", "found nothing"),
    ("ttl: 20s", "ttl: [20s]", "timing.ttl", "found a list"),
    ("ttl: 20s", "tll: 20s", "timing.tll", "the unknown key 'tll'; allowed one of deadman"),
    ("ttl: 20s", "ttl: 20s, ttl: 30s", "timing.ttl", "a second time (first in line 4)"),
    ("capacity: 400Gbit/s", "capacity: 400", "pops.ams.capacity", "a rate above zero"),
    ("asn: 64601}", "asn: 64601, billing: {model: p96}}", "providers.north.billing.model", "p95"),
    (
        "asn: 64601}",
        "asn: 64601, billing: {model: p95, price: 3}}",
        "providers.north.billing.price",
        "allowed a price like 0.35 USD/Mbit/s",
    ),
    (
        "asn: 64601}",
        "asn: 64601, communities: {prepend: 64601}}",
        "providers.north.communities.prepend",
        "allowed a community",
    ),
    ("[bgp, dns]", "[bgp, web]", "pops.ams.hosts.ams-1.roles[1]", "allowed one of bgp, dns"),
    ("[bgp, dns]", "[]", "pops.ams.hosts.ams-1.roles", "an empty list; allowed at least one"),
    ("lat: 52.31", "lat: 152.31", "pops.ams.place.lat", "allowed a number from -90 to 90"),
    ("country: NL", "country: nl", "pops.ams.place.country", "two capital letters"),
    ("[198.18.0.0/22", "[198.18.0.1/22", "pops.ams.prefixes[0]", "without host bits"),
    ("[198.18.0.0/22", "[198.18.0.0", "pops.ams.prefixes[0]", "without host bits"),
    ("{v4: 10.0.1.2,", "{v4: 'fd00::9',", f"{NORTH}.identity.v4", "allowed an IPv4 address"),
    ("interface: eth1", "interface: [eth1]", f"{NORTH}.interface", "found a list"),
    ("kind: http,", "kind: ping,", "services.www.checks[0].kind", "one of dns, http, https, tcp"),
    ("port: 80", "port: 80000", "services.www.checks[0].port", "from 1 to 65535"),
    ("path: /healthz", "path: healthz", "services.www.checks[0].path", "that starts with /"),
    ("kind: prefixes", "kind: guess", "clients.sources[0].kind", "allowed one of prefixes"),
    ("  ams: {host: ams-1}", "  ams: ams-1", "nameservers.ams", "'ams-1'; allowed a mapping"),
    ("  north: {asn: 64601}", "  No: {asn: 64601}", "providers", "the key 'No'"),
]

REFERENCES = [
    ("asn: 64601}", "asn: 64500}", "providers.north.asn", "the fleet's own AS 64500"),
    ("provider: north", "provider: west", f"{NORTH}.provider", "one of north, south"),
    ("{host: ams-1}", "{host: lhr-1}", "nameservers.ams.host", "the unknown host 'lhr-1'"),
    ("{host: ams-1}", "{host: osl-1}", "nameservers.ams.host", "without the role dns"),
    ("{osl-1: {roles", "{ams-1: {roles", "pops.osl.hosts", "the host ams-1 again"),
    ("[198.18.128.0/22", "[198.18.0.0/23", "pops.osl.prefixes[0]", "overlaps 198.18.0.0/22"),
    ("[198.18.128.0/22", "[198.18.0.0/22", "pops.osl.prefixes[0]", "overlaps 198.18.0.0/22"),
    ("[198.18.128.0/22", "[10.9.0.0/22", "pops.osl.prefixes[0]", "no covering prefix contains"),
    ("[198.18.128.0/22", "[198.18.128.0/17", "pops.osl.prefixes[0]", "no covering prefix"),
    ("[198.18.128.0/22", "[198.18.128.0/25", "pops.osl.prefixes[0]", "at most /24"),
    ("2001:db8:1800::/46", "2001:db8:1800::/49", "pops.osl.prefixes[1]", "at most /48"),
    ("{v4: 10.0.1.2,", "{v4: 198.18.9.2,", f"{NORTH}.identity.v4", "198.18.0.0/17 (line 8)"),
    ("{v4: 10.0.1.1,", "{v4: 198.19.254.9,", f"{NORTH}.neighbor.v4", "198.19.254.0/23"),
    ("{v4: 10.0.3.2,", "{v4: 10.0.1.2,", "pops.osl.uplinks.one.identity.v4", "10.0.1.2 again"),
    ("identity: {v4: 10.0.2.2}", "identity: {}", "pops.ams.uplinks.two.neighbor", "v4 here only"),
    (
        "host: ams-1}",
        "host: ams-1, addresses: [198.18.0.53]}",
        "nameservers.ams.addresses[0]",
        "outside every steered prefix (I14)",
    ),
    (
        "host: ams-1}",
        "host: ams-1, addresses: [10.0.3.2]}",
        "nameservers.ams.addresses[0]",
        "an identity address of the PoP osl",
    ),
    ("v4: 198.19.254.1,", "v4: 198.19.2.1,", "services.www.anycast.v4", "198.19.254.0/23"),
    ("v4: 198.19.254.1,", "v4: 198.19.254.223,", "services.www.anycast.v4", "witness address"),
    ("unicast_host: 10", "unicast_host: 1023", "services.www.unicast_host", "from 1 to 1022"),
    ("unicast_host: 10", "unicast_host: 222", "services.www.unicast_host", "witness address"),
    ("unicast_host: 10", "unicast_host: 736", "services.www.unicast_host", "witness address"),
    ("[www.cdn.example]", "[www.example]", "services.www.names[0]", "in the zone cdn.example"),
    ("[www.cdn.example]", "[a.cdn.example, A.cdn.example.]", "services.www.names[1]", "again"),
    ("kind: http,", "kind: tcp,", "services.www.checks[0].kind", "for the kinds http and https"),
    (
        "path: /healthz",
        "interval: 1s, fast_interval: 2s",
        "services.www.checks[0].fast_interval",
        "at most the interval, 1s",
    ),
    (
        "{kind: http, port: 80, path: /healthz}",
        "{kind: dns, port: 53}",
        "services.www.checks[0].kind",
        "the name that is asked for",
    ),
    (
        "    checks:",
        "    policy: {min_pops: 3}\n    checks:",
        "services.www.policy.min_pops",
        "at most the fleet's 2 PoPs",
    ),
    ("max_prefixes: 50", "max_prefixes: 4", "pops.osl.uplinks.one.max_prefixes", "at least 5"),
    ("[198.18.0.0/17,", "[198.18.0.0/17, 198.18.0.0/17,", "covering[1]", "198.18.0.0/17 again"),
    (
        "{ams-1: {roles: [bgp, dns]}}",
        "{ams-1: {roles: [bgp, dns]}}\n    min_hosts: 2",
        "pops.ams.min_hosts",
        "at most the 1 hosts here",
    ),
    ("{host: ams-1}", "{host: ams-1}\n  two: {host: ams-1}", "nameservers.two.host", "again"),
    (
        "{v4: 10.0.2.1}\n        identity: {v4: 10.0.2.2}",
        "{}\n        identity: {}",
        "pops.ams.uplinks.two.identity",
        "an address of at least one family",
    ),
    (
        '{v4: 198.19.254.1, v6: "2001:db8:a::1", prefixes',
        "{prefixes",
        "services.www.anycast",
        "an address of at least one family",
    ),
    (
        "{kind: http, port: 80, path: /healthz}",
        "{kind: tcp, port: 80, name: a.example}",
        "services.www.checks[0].kind",
        "a name for dns, http, https",
    ),
    ("file: clients.csv", "file: no.csv", "clients.sources[0].file", "cannot be read"),
]

WARNINGS = [
    ("asn: 64500\n", "", "asn", "documentation AS 64500"),
    ("quorum: 1", "quorum: 2", "timing.quorum", "a quorum of 2 with 2 PoPs"),
    ("[198.18.0.0/22", "[198.18.0.0/24", "pops.ams.prefixes[0]", "at most /23, or BFD"),
    ("2001:db8:1000::/46", "2001:db8:1000::/48", "pops.ams.prefixes[1]", "at most /47, or BFD"),
    ("[198.18.0.0/17", "[198.18.0.0/16", "covering[0]", "over every PoP"),
    ("ams: {host: ams-1}", "{}", "pops.ams.hosts.ams-1.roles[1]", "no nameserver names"),
]


def _ids(cases):
    return [f"{path}: {new.strip()}"[:70] for _, new, path, _ in cases]


def _fault(tmp_path, old, new, path, severity):
    text, line = fleetfiles.planted(old, new)
    file = fleetfiles.write(tmp_path, text)
    found = [each for each in validate(file) if each.path == path and each.severity is severity]
    assert found, [str(each) for each in validate(file)]
    assert str(found[0]).startswith(f"{file}:{found[0].line}: {path}: found ")
    return found, line


@pytest.mark.parametrize(("old", "new", "path", "says"), SHAPES, ids=_ids(SHAPES))
def test_a_value_of_the_wrong_form_is_named(tmp_path, old, new, path, says):
    (fault,), line = _fault(tmp_path, old, new, path, ERROR)
    assert says in str(fault)
    assert fault.line == line


@pytest.mark.parametrize(("old", "new", "path", "says"), REFERENCES, ids=_ids(REFERENCES))
def test_what_does_not_fit_together_is_named(tmp_path, old, new, path, says):
    (fault,), line = _fault(tmp_path, old, new, path, ERROR)
    assert says in str(fault)
    assert line - 1 <= fault.line <= line + 1


@pytest.mark.parametrize(("old", "new", "path", "says"), WARNINGS, ids=_ids(WARNINGS))
def test_what_will_work_less_well_is_a_warning(tmp_path, old, new, path, says):
    if new == "{}":
        old, new = "nameservers:\n  ams: {host: ams-1}", "nameservers: {}"
    (fault,), _ = _fault(tmp_path, old, new, path, WARNING)
    assert says in str(fault)
    assert load_fleet(tmp_path / "fleet.yaml")


def test_two_services_share_prefixes_but_neither_addresses_nor_numbers_nor_names(tmp_path):
    one = fleetfiles.BASE.partition("services:\n")[2].partition("nameservers:")[0]
    text = fleetfiles.BASE.replace(one, one + one.replace("  www:", "  two:"))
    faults = [each for each in validate(fleetfiles.write(tmp_path, text)) if "again" in each.found]
    assert {each.path for each in faults} == {
        "services.two.anycast.v4",
        "services.two.anycast.v6",
        "services.two.names[0]",
        "services.two.unicast_host",
    }


def test_an_uplink_whose_provider_no_other_pop_shares_is_a_warning(tmp_path):
    lone = "  lone: {asn: 64603}\n  north: {asn: 64601}"
    text, _ = fleetfiles.planted("  north: {asn: 64601}", lone)
    file = fleetfiles.write(tmp_path, text.replace("provider: south", "provider: lone", 1))
    paths = {each.path for each in validate(file) if each.severity is WARNING}
    # south has lost ams: osl's uplink to it now stands alone too
    assert paths == {"pops.ams.uplinks.two.provider", "pops.osl.uplinks.two.provider"}


KEYS = [
    "fleet", "providers", "pops", "services",
    "place", "capacity", "prefixes", "hosts", "uplinks",
    "provider", "interface", "neighbor", "identity",
    "names", "anycast", "unicast_host", "checks",
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_a_key_that_is_missing_is_named(tmp_path, key):
    text, _ = fleetfiles.planted(f"{key}:", f"x-{key}:")
    errors = validate(fleetfiles.write(tmp_path, text))
    missing = [each for each in errors if each.found == "nothing"]
    assert [each.path.rpartition(".")[2] for each in missing] == [key]
    assert any(f"'x-{key}'" in each.found for each in errors)


def test_all_faults_of_a_file_are_named_at_once(tmp_path):
    text = fleetfiles.BASE
    for old, new in [
        ("ttl: 20s", "ttl: soon"),
        ("capacity: 400Gbit/s", "capacity: much"),
        ("provider: north", "provider: west"),
        ("unicast_host: 10", "unicast_host: 5000"),
        ("[198.18.128.0/22", "[198.18.0.0/22"),
    ]:
        text = text.replace(old, new, 1)
    file = fleetfiles.write(tmp_path, text, fleetfiles.CLIENTS.replace("nl,52.3", "nl,x", 1))

    with pytest.raises(FleetFileError) as refused:
        load_fleet(file)

    faults = refused.value.faults
    assert {each.path for each in faults} >= {
        "timing.ttl",
        "pops.ams.capacity",
        "pops.ams.uplinks.one.provider",
        "pops.osl.prefixes[0]",
        "services.www.unicast_host",
        "lat",
    }
    assert all(each.severity is ERROR for each in faults)
    lines = [(each.file, each.line) for each in faults if each.file == str(file)]
    assert lines == sorted(lines)
    assert str(refused.value) == "\n".join(str(each) for each in faults)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "found nothing; allowed a mapping"),
        (b"- a list\n", "found a list; allowed a mapping"),
        (b"fleet: [\n", "not YAML"),
        (b"fleet: a\n---\nfleet: b\n", "not YAML"),
        (b"fleet: \xff\n", "not UTF-8"),
        (b"fleet: *nobody\n", "not YAML"),
        (b"? [a]\n: b\n", "a list as a key"),
        (b"[" * 5000, "not YAML"),
        (b"fleet: \x00\n", "not YAML"),
    ],
)
def test_a_file_that_is_no_mapping_is_one_clear_fault(tmp_path, raw, says):
    file = tmp_path / "fleet.yaml"
    file.write_bytes(raw)
    with pytest.raises(FleetFileError, match=says):
        load_fleet(file)


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("ambicast.files.loading.LARGEST_FILE", 100)
    (fault,) = validate(fleetfiles.write(tmp_path))
    assert "found a file that is too large; allowed at most 100 bytes" in str(fault)


def test_a_file_that_is_not_there_says_so(tmp_path):
    (fault,) = validate(tmp_path / "none.yaml")
    assert "cannot be read (No such file or directory)" in str(fault)
