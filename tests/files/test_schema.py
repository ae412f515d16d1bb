"""The JSON Schema says what the reader accepts, and docs/fleet.md explains every key of it."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from ambicast.files import schema
from ambicast.files.forms import FORMS
from tests.files import fleetfiles, test_fleet_faults

ROOT = Path(__file__).parents[2]
SCHEMA = schema()
CHECKER = jsonschema.Draft202012Validator(SCHEMA)


def keys():
    return {key for each in SCHEMA["$defs"].values() for key in each.get("properties", ())}


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("text", [fleetfiles.BASE, (ROOT / "configs/fleet.yaml").read_text()])
def test_what_the_reader_accepts_is_valid(text):
    # BASE has the country NO unquoted, which this loader takes for a boolean
    data = yaml.safe_load(text.replace("country: NO", 'country: "NO"'))
    assert list(CHECKER.iter_errors(data)) == []


@pytest.mark.parametrize(("old", "new"), [case[:2] for case in test_fleet_faults.SHAPES])
def test_what_the_reader_refuses_by_its_form_is_mostly_invalid(old, new):
    text = fleetfiles.planted(old, new.replace("No:", '"No":'))[0]
    data = yaml.safe_load(text.replace("country: NO", 'country: "NO"'))
    # a pattern cannot know of host bits, zero durations or keys that came twice
    beyond = {"[198.18.0.1/22", "ttl: 0s", "ttl: 20s, ttl: 30s"}
    assert bool(list(CHECKER.iter_errors(data))) is (new not in beyond)


def test_unknown_keys_are_refused_everywhere():
    structs = [each for each in SCHEMA["$defs"].values() if "properties" in each]
    assert structs
    assert all(each["additionalProperties"] is False for each in structs)


def test_every_key_is_explained():
    page = (ROOT / "docs/fleet.md").read_text()
    explained = set(re.findall(r"`([a-z0-9_]+)`", page))
    assert keys() - explained == set()


@pytest.mark.parametrize("key", sorted(keys() - {"v4", "v6", "zone", "sources", "file"}))
def test_every_default_on_the_page_is_the_real_one(key):
    page = (ROOT / "docs/fleet.md").read_text()
    rows = re.findall(rf"^\| `{key}` \| ([^|]*?) \|", page, re.MULTILINE)
    defaults = {
        str(each["properties"][key]["default"])
        for each in SCHEMA["$defs"].values()
        if key in each.get("properties", ()) and "default" in each["properties"][key]
    }
    for row in rows:
        if re.fullmatch(r"\d+(ms|[smh%])?", row):
            assert row in defaults


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("name", "a-1", "a.1"),
        ("interface", "eth0.10", "an-interface-name"),
        ("duration", "1.5s", "1.5"),
        ("rate", "10 kbit/s", "10kB/s"),
        ("share", "0%", "101%"),
        ("price", "0.35 USD/Mbit/s", "0.35/Mbit/s"),
        ("prefix", "198.18.0.0/15", "198.18.0.1/15"),
        ("v4", "198.18.0.1", "198.18.0"),
        ("v6", "::1", "fe80::1%eth0"),
        ("address", "::1", "localhost"),
        ("dns_name", "www.cdn.example", "www..example"),
        ("community", "65535:65535", "65536:1:4294967296"),
        ("path", "/", "/a b"),
        ("country", "NL", "NLD"),
        ("key", "prepend_1", "prepend-1"),
        ("text", "São Paulo", " "),
    ],
)
def test_a_form_accepts_and_refuses(form, good, bad):
    rule = FORMS[form]
    assert rule.parse(good)
    assert re.fullmatch(rule.pattern, good)
    with pytest.raises(ValueError, match=r"."):
        rule.parse(bad)


@pytest.mark.parametrize(
    ("form", "written", "canonical"),
    [
        ("prefix", "2001:DB8:0::/32", "2001:db8::/32"),
        ("v6", "FD00:0::1", "fd00::1"),
        ("dns_name", "WWW.cdn.Example.", "www.cdn.example"),
    ],
)
def test_a_form_makes_its_text_canonical(form, written, canonical):
    assert FORMS[form].parse(written) == canonical
    assert re.fullmatch(FORMS[form].pattern, written)
