"""A fleet file without faults becomes the model: units resolved, text made canonical."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambicast.files import FleetFileError, Severity, load_fleet, validate
from ambicast.files.building import limits, timing
from ambicast.files.raw import RawCheck, RawLimits, RawTiming
from ambicast.model.fleet import Limits, Timing
from ambicast.model.identifiers import Family, Role
from ambicast.model.quantities import duration
from ambicast.model.services import Check, CheckKind
from tests.files import fleetfiles


def test_the_example_has_no_fault(tmp_path):
    assert validate(fleetfiles.write(tmp_path)) == ()


def test_values_arrive_in_seconds_and_bits_per_second(tmp_path):
    fleet = load_fleet(fleetfiles.write(tmp_path))
    pop = fleet.pops["ams"]
    assert (fleet.name, fleet.asn, fleet.zone) == ("example", 64500, "cdn.example")
    assert fleet.timing == Timing(ttl=20.0, quorum=1)
    assert pop.capacity == 400e9
    assert pop.uplinks["one"].capacity == 100e9
    assert pop.uplinks["one"].neighbor == {Family.V4: "10.0.1.1", Family.V6: "fd00:0:1::1"}
    assert pop.uplinks["two"].families == (Family.V4,)
    assert pop.uplinks["two"].max_prefixes == 100
    assert pop.hosts == {"ams-1": (Role.BGP, Role.DNS)}
    assert fleet.services["www"].address_at(pop, Family.V6) == "2001:db8:1000::a"
    assert fleet.clients["nl"].prefixes == ("198.19.1.0/24", "2001:db8:c01::/48")
    assert fleet.clients["nl"].demand == 7e9


def test_norway_is_a_country(tmp_path):
    assert load_fleet(fleetfiles.write(tmp_path)).pops["osl"].place.country == "NO"


def test_a_nameserver_answers_at_the_identity_addresses_of_its_pop(tmp_path):
    nameserver = load_fleet(fleetfiles.write(tmp_path)).nameservers["ams"]
    assert nameserver.pop == "ams"
    assert nameserver.addresses == ("10.0.1.2", "fd00:0:1::2", "10.0.2.2")


def test_a_spreadsheets_byte_order_mark_is_no_fault(tmp_path):
    path = fleetfiles.write(tmp_path, "\ufeff" + fleetfiles.BASE, "\ufeff" + fleetfiles.CLIENTS)
    assert len(load_fleet(path).clients) == 2


def test_what_stands_in_the_file_goes_over_the_defaults(tmp_path):
    text = fleetfiles.BASE
    for old, new in [
        ("{zone: cdn.example}", "{zone: example}"),
        ("{host: ams-1}", '{host: ams-1, addresses: [10.0.9.53, "FD00::53"]}'),
        ("path: /healthz}", "path: /healthz, name: a.example, rise: 1, fall: 2, timeout: 1s}"),
        ("    checks:", "    policy: {min_pops: 2}\n    checks:"),
        ("{osl-1: {roles: [bgp]}}", "{osl-1: {roles: [bgp]}, osl-2: {roles: [dns]}}"),
        ("nameservers:", "nameservers:\n  osl: {host: osl-2}"),
        ("lon: 11.1}", "lon: 11.1}\n    min_hosts: 2"),
    ]:
        assert old in text
        text = text.replace(old, new)
    fleet = load_fleet(fleetfiles.write(tmp_path, text))
    service = fleet.services["www"]
    check = Check(CheckKind.HTTP, 80, "/healthz", "a.example", timeout=1.0, rise=1, fall=2)
    assert fleet.zone == "example"
    assert fleet.nameservers["ams"].addresses == ("10.0.9.53", "fd00::53")
    assert service.checks == (check,)
    assert service.policy.min_pops == 2
    assert fleet.pops["osl"].min_hosts == 2
    assert fleet.pops["osl"].uplinks["one"].max_prefixes == 50


def test_the_zone_is_the_parent_of_the_first_name_by_default(tmp_path):
    text, _ = fleetfiles.planted("dns: {zone: cdn.example}\n", "")
    assert load_fleet(fleetfiles.write(tmp_path, text)).zone == "cdn.example"


def test_addresses_become_canonical(tmp_path):
    text, _ = fleetfiles.planted('v6: "fd00:0:1::2"', 'v6: "FD00:0000:1:0::2"')
    text = text.replace("2001:db8:1800::/46", "2001:0DB8:1800::/46")
    fleet = load_fleet(fleetfiles.write(tmp_path, text))
    assert fleet.pops["ams"].uplinks["one"].identity[Family.V6] == "fd00:0:1::2"
    assert fleet.pops["osl"].prefixes[1] == "2001:db8:1800::/46"


def test_communities_need_no_quotes(tmp_path):
    text, _ = fleetfiles.planted("asn: 64601}", "asn: 64601, communities: {prepend_1: 64601:1}}")
    fleet = load_fleet(fleetfiles.write(tmp_path, text))
    assert fleet.providers["north"].communities == {"prepend_1": "64601:1"}


def test_the_defaults_of_the_file_are_those_of_the_model():
    assert timing(RawTiming()) == Timing()
    assert limits(RawLimits()) == Limits()
    raw = RawCheck(kind=CheckKind.TCP, port=1)
    model = Check(kind=CheckKind.TCP, port=1)
    for name in ("interval", "fast_interval", "timeout"):
        assert duration(getattr(raw, name)) == getattr(model, name)
    assert (raw.rise, raw.fall) == (model.rise, model.fall)


LINES = fleetfiles.BASE.splitlines()
JUNK = st.sampled_from(
    ["~", "[]", "{}", "1", "-1", "a: b", "[[1]]", "&a [*a]", "'", "!!python/none x", "\t", "0x1f"]
)


@given(st.integers(0, len(LINES) - 1), st.integers(0, 60), st.integers(0, 20), JUNK)
def test_whatever_stands_in_the_file_it_is_loaded_or_refused(tmp_path_factory, row, at, cut, junk):
    line = LINES[row]
    spoiled = [*LINES[:row], line[:at] + junk + line[at + cut :], *LINES[row + 1 :]]
    path = fleetfiles.write(tmp_path_factory.mktemp("fleet"), "\n".join(spoiled))
    errors = [each for each in validate(path) if each.severity is Severity.ERROR]
    if errors:
        with pytest.raises(FleetFileError) as refused:
            load_fleet(path)
        assert list(refused.value.faults) == errors
    else:
        assert load_fleet(path)
