from __future__ import annotations

from pathlib import Path

import yaml

from agents.nameserver.configuration import render_geo, render_knot, render_zone
from agents.nameserver.places import Places
from ambicast.contract.codec import Stamp
from tests.agents_answering.worlds import ANYCAST, NAMES, ZONE, fleet

PLACES = Places(Path("/var/lib/ambicast/knot"), Path("/run/knot/knot.sock"))


def knot(**changes):
    text = render_knot(fleet(**changes), PLACES, ("10.3.1.2", "fd00:3::2"), 53)
    return yaml.safe_load(text)


def test_knot_listens_at_every_address_of_the_nameserver():
    assert knot()["server"]["listen"] == ["10.3.1.2@53", "fd00:3::2@53"]


def test_client_subnets_are_looked_at_which_is_off_by_default():
    assert knot()["server"]["edns-client-subnet"] is True


def test_the_alias_lives_no_longer_than_the_answers():
    assert knot(ttl=6.5)["mod-geoip"][0]["ttl"] == 7


def test_the_journal_keeps_the_last_answers_over_a_crash():
    template = knot()["template"][0]
    assert template["journal-content"] == "changes"
    assert template["zonefile-load"] == "whole"
    assert template["zonefile-sync"] == -1


def test_both_files_of_the_geo_module_stand_behind_one_link():
    module = knot()["mod-geoip"][0]
    assert {Path(module[key]).parent for key in ("config-file", "geodb-file")} == {PLACES.live_map}


def test_the_first_zone_answers_the_service_name_with_anycast():
    lines = render_zone(fleet(("10.3.1.2", "fd00:3::2"))).splitlines()
    assert "www.cdn.example. 20 CNAME default.www.g.cdn.example." in lines
    assert f"default.www.g.cdn.example. 20 A {ANYCAST[0]}" in lines
    assert f"*.www.g.cdn.example. 20 AAAA {ANYCAST[1]}" in lines
    assert "cdn.example. 3600 NS ams.ns.cdn.example." in lines
    assert "ams.ns.cdn.example. 3600 AAAA fd00:3::2" in lines
    assert '_generation.cdn.example. 0 TXT "steering=0.0 map=0.0"' in lines


def test_the_first_zone_depends_on_the_fleet_alone():
    assert render_zone(fleet()) == render_zone(fleet())
    assert render_zone(fleet()) != render_zone(fleet(ttl=30.0))


def test_every_group_has_an_alias_for_every_name_and_the_map_its_stamp():
    text = render_geo(ZONE, NAMES, {"default", "c1"}, Stamp(7, 2))
    assert yaml.safe_load(text) == {
        "www.cdn.example.": [
            {"geo": "c1", "CNAME": "c1.www.g.cdn.example."},
            {"geo": "default", "CNAME": "default.www.g.cdn.example."},
        ],
        "_map.cdn.example.": [{"geo": "map=7.2", "TXT": "map=7.2"}],
    }
