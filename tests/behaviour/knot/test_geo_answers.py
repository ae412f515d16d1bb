"""What we assume of Knot's geo module: longest match, scopes, and the wildcard behind it."""

from __future__ import annotations

import pytest

from ambicast.contract.codec import Stamp
from tests.agents_answering.worlds import ANYCAST, client_map
from tests.behaviour.knot.daemon import Daemon

WWW = "www.cdn.example."
MAP = client_map(
    c1=("198.19.1.0/24", "2001:db8:c01::/48"),
    wide=("198.18.0.0/15", "2001:db8::/32"),
    resolver=("127.0.0.0/8",),
)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    """These tests only ask, so they share one server."""
    found = Daemon(tmp_path_factory.mktemp("geo")).start()
    found.install(Stamp(1, 1), MAP)
    found.kill()
    yield found.start()
    found.kill()


@pytest.mark.parametrize(
    ("subnet", "group", "scope"),
    [
        ("198.19.1.0/24", "c1", 24),
        ("198.19.1.128/25", "c1", 24),
        ("198.19.2.0/24", "wide", 23),
        ("198.18.0.0/16", "wide", 16),
        ("203.0.113.0/24", "default", 5),
        ("2001:db8:c01::/48", "c1", 48),
        ("2001:db8:8000::/56", "wide", 33),
        ("fd00::/56", "default", 1),
    ],
)
async def test_a_client_gets_the_alias_of_its_longest_prefix_and_that_scope(
    daemon, subnet, group, scope
):
    answer = await daemon.asked(WWW, subnet=subnet)
    assert answer.alias == f"{group}.www.g.cdn.example."
    assert answer.scope == scope


async def test_without_client_subnet_the_resolvers_address_counts(daemon):
    answer = await daemon.asked(WWW)
    assert (answer.alias, answer.scope) == ("resolver.www.g.cdn.example.", None)
    over_v6 = await daemon.asked(WWW, server="::1")
    assert over_v6.alias == "default.www.g.cdn.example."


@pytest.mark.parametrize("nobody", ["0.0.0.0/0", "::/0"])
async def test_a_client_that_hides_itself_is_answered_as_0_0_0_0(daemon, nobody):
    """One would expect the resolver's address to count, and scope 0; Knot 3.2 does neither.

    So such a client gets the anycast address, which is right for everybody.
    """
    answer = await daemon.asked(WWW, subnet=nobody)
    assert answer.alias == "default.www.g.cdn.example."
    assert answer.data == ANYCAST[:1]


async def test_a_group_without_records_gets_those_of_the_wildcard(daemon):
    assert (await daemon.asked(WWW, "A", "198.19.1.0/24")).data == ANYCAST[:1]
    assert (await daemon.asked(WWW, "AAAA", "198.19.1.0/24")).data == ANYCAST[1:]


async def test_the_alias_is_chased_in_one_answer_with_the_modules_ttl(daemon):
    answer = await daemon.asked(WWW, "A", "198.19.1.0/24")
    assert (answer.rcode, answer.ttl) == ("NOERROR", 20)


async def test_the_sentinel_is_answered_to_its_prefix_alone(daemon):
    sentinel = "_map.cdn.example."
    assert (await daemon.asked(sentinel, "TXT", "255.255.255.255/32")).data == ('"map=1.1"',)
    assert (await daemon.asked(sentinel, "TXT", "198.19.1.0/24")).data == ()


async def test_other_types_of_the_service_name_are_empty_and_no_error(daemon):
    answer = await daemon.asked(WWW, "MX", "198.19.1.0/24")
    assert (answer.rcode, answer.data) == ("NOERROR", ())
