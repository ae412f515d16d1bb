"""Which prefix lies over an address or another prefix, quickly enough for thousands of them.

Prefixes are kept by length, so that a look-up costs one dictionary access per length in use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ambicast.files.document import Found
from ambicast.model.identifiers import Family
from ambicast.model.prefixes import address, family, network


class Coverage:
    """Found prefixes, looked up by what they contain."""

    def __init__(self, prefixes: Iterable[Found] = ()) -> None:
        self._by_length: dict[tuple[Family, int], dict[int, Found]] = {}
        for found in prefixes:
            self.add(found)

    def add(self, found: Found) -> None:
        """Adds a prefix; of two equal ones the first stays."""
        whole = network(found.value)
        row = self._by_length.setdefault((family(found.value), whole.prefixlen), {})
        row.setdefault(int(whole.network_address), found)

    def over(self, text: str) -> Iterator[Found]:
        """The prefixes that contain the prefix or address ``text`` or are equal to it."""
        kind = family(text)
        bits = 32 if kind is Family.V4 else 128
        if "/" in text:
            start, longest = int(network(text).network_address), network(text).prefixlen
        else:
            start, longest = int(address(text)), bits
        for (other, length), row in self._by_length.items():
            if other is kind and length <= longest:
                found = row.get(start >> (bits - length) << (bits - length))
                if found is not None:
                    yield found
