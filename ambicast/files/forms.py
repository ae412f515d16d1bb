"""The forms a scalar of the fleet file may have: how each is checked and made canonical.

A form has a pattern (for the JSON Schema, so that editors can help), a sentence that says what is
allowed, and a parser that returns the canonical text or raises :class:`ValueError`. Patterns are
necessary, not sufficient: only the parser knows that ``198.18.0.1/23`` has host bits.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from ambicast.model.identifiers import Family
from ambicast.model.prefixes import address, family, network
from ambicast.model.quantities import duration, rate, share


class Form(msgspec.Struct, frozen=True):
    """One form: ``parse`` returns the canonical text or raises ValueError."""

    allowed: str
    pattern: str
    parse: Callable[[str], str]


def _matching(pattern: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def parse(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise ValueError(text)
        return text

    return parse


def _quantity(parser: Callable[[str], float], *, zero: bool) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if parser(text) == 0 and not zero:
            raise ValueError(text)
        return text

    return parse


def _prefix(text: str) -> str:
    if "/" not in text:
        raise ValueError(text)
    return str(network(text))


def _address(kind: Family) -> Callable[[str], str]:
    def parse(text: str) -> str:
        found = address(text)
        if family(text) is not kind or "%" in text:
            raise ValueError(text)
        return str(found)

    return parse


def _any_address(text: str) -> str:
    return _address(family(text))(text)


def _community(text: str) -> str:
    parts = [int(part) for part in _matching(_COMMUNITY)(text).split(":")]
    largest = 0xFFFF if len(parts) == 2 else 0xFFFFFFFF
    if max(parts) > largest:
        raise ValueError(text)
    return text


def _price(text: str) -> str:
    number, _, unit = _matching(_PRICE)(text).partition(" ")
    rate(f"{number}{unit.partition('/')[2]}")
    return text


def _dns_name(text: str) -> str:
    name = text.lower().removesuffix(".")
    if len(name) > 253:
        raise ValueError(text)
    return _matching(_DNS_NAME)(name)


_NAME = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_KEY = "[A-Za-z0-9_]{1,63}"
_NUMBER = r"\d+(\.\d+)?"
_RATE_UNIT = "(k|M|G|T)?bit/s"
_COMMUNITY = r"\d{1,10}(:\d{1,10}){1,2}"
_PRICE = rf"{_NUMBER} [A-Z]{{3}}/{_RATE_UNIT}"
_LABEL = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DNS_NAME = rf"({_LABEL}\.)*{_LABEL}\.?"
_DURATION = rf"{_NUMBER} *(ms|s|m|h|d)"
_V6 = "[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*"
_V4 = r"\d{1,3}(\.\d{1,3}){3}"

FORMS: dict[str, Form] = {
    "name": Form(
        "a name of at most 63 letters a-z, digits and inner hyphens", _NAME, _matching(_NAME)
    ),
    "interface": Form(
        "an interface name of at most 15 characters",
        "[A-Za-z0-9_.@-]{1,15}",
        _matching("[A-Za-z0-9_.@-]{1,15}"),
    ),
    "text": Form("a text that is not empty", r"\S(.*\S)?", _matching(r"\S(.*\S)?")),
    "country": Form("two capital letters (ISO 3166-1)", "[A-Z]{2}", _matching("[A-Z]{2}")),
    "key": Form("a word of letters, digits and underscores", _KEY, _matching(_KEY)),
    "duration": Form(
        "a duration above zero with its unit, like 20s (ms, s, m, h, d)",
        _DURATION,
        _quantity(duration, zero=False),
    ),
    "rate": Form(
        "a rate above zero with its unit, like 100Gbit/s (bit/s, kbit/s, Mbit/s, Gbit/s, Tbit/s)",
        rf"{_NUMBER} *{_RATE_UNIT}",
        _quantity(rate, zero=False),
    ),
    "share": Form("a share from 0% to 100%", rf"{_NUMBER} *%", _quantity(share, zero=True)),
    "price": Form("a price like 0.35 USD/Mbit/s", _PRICE, _price),
    "prefix": Form(
        "a prefix without host bits, like 198.18.0.0/22 or 2001:db8:1000::/46",
        rf"({_V4}|{_V6})/\d{{1,3}}",
        _prefix,
    ),
    "v4": Form("an IPv4 address", _V4, _address(Family.V4)),
    "v6": Form("an IPv6 address", _V6, _address(Family.V6)),
    "address": Form("an IPv4 or IPv6 address", rf"{_V4}|{_V6}", _any_address),
    "dns_name": Form("a DNS name", _DNS_NAME, _dns_name),
    "community": Form(
        "a community 65000:1 (RFC 1997) or 65000:1:2 (RFC 8092)", _COMMUNITY, _community
    ),
    "path": Form("a path that starts with /", r"/\S*", _matching(r"/\S*")),
    "file": Form(
        "a file name, relative to the fleet file", r"[^\x00\n]+", _matching(r"[^\x00\n]+")
    ),
}
