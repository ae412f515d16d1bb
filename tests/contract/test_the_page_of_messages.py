"""docs/messages.md has one whole example per type, and every one of them decodes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ambicast.contract.codec import decode, encode
from ambicast.contract.topics import RETAINED, Channel, FromController, parse
from tests.contract import strategies

PAGE = (Path(__file__).parents[2] / "docs/messages.md").read_text()
SECTIONS = {
    text.partition("\n")[0].strip(): text
    for text in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
}


def example(text: str) -> dict:
    (found,) = re.findall(r"^```json\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return json.loads(found)


def test_every_type_has_its_section():
    assert sorted(SECTIONS) == sorted(strategies.tag(kind) for kind in strategies.KINDS)


@pytest.mark.parametrize("name", SECTIONS)
def test_the_example_is_whole_and_decodes(name):
    written = example(SECTIONS[name])
    received = decode(json.dumps(written).encode())
    assert strategies.tag(type(received.body)) == name
    assert json.loads(encode(received.body, received.stamp)) == written


@pytest.mark.parametrize("name", SECTIONS)
def test_its_topics_are_topics_and_retained_where_the_page_says_so(name):
    line = next(each for each in SECTIONS[name].splitlines() if each.startswith("Topic "))
    for topic in re.findall(r"`([a-z]+/[^`]+)`", line):
        found = parse("lab", f"ambicast/v1/lab/{re.sub('[<>]', '', topic)}")
        assert found is not None, topic
        channel = Channel.PRESENCE if found == FromController() else found.channel
        assert (channel in RETAINED) is line.endswith("retained: yes.")
