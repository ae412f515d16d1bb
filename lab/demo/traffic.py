"""What the clients of the running lab got in the last second, read off their records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import msgspec

from lab.load.plan import Plan
from lab.load.records import Record
from lab.topology.internet import Client

# A request is lost when 1 s passed without an answer, so the newest second is still open.
WINDOW_NS = 1_000_000_000


class Traffic(msgspec.Struct, frozen=True):
    """One probe of one client: answered and lost in the last closed second, and by whom."""

    client: str
    probe: str
    answered: int
    lost: int
    lost_ever: int
    served_by: Mapping[str, int]


class Tail:
    """Follows one client's records file."""

    def __init__(self, client: Client, plan: Plan) -> None:
        """Starts at the file's beginning."""
        self._client = client
        self._plan = plan
        self._offset = 0
        self._recent: list[Record] = []
        self._lost: Counter[int] = Counter()
        self._decode = msgspec.json.Decoder(Record).decode

    def read(self) -> list[Traffic]:
        """One row per probe, as of the newest record."""
        path = Path(self._plan.records)
        if path.exists():
            with path.open("rb") as file:
                file.seek(self._offset)
                whole, _, rest = file.read().rpartition(b"\n")
                self._offset = file.tell() - len(rest)
            fresh = [self._decode(line) for line in whole.split(b"\n") if line]
            self._lost.update(each.probe for each in fresh if not each.answered)
            self._recent += fresh
        newest = max((each.sent_ns for each in self._recent), default=0)
        self._recent = [each for each in self._recent if each.sent_ns > newest - WINDOW_NS]
        return [self._row(number) for number in range(len(self._plan.probes))]

    def _row(self, number: int) -> Traffic:
        mine = [each for each in self._recent if each.probe == number]
        answered = [each for each in mine if each.answered]
        return Traffic(
            client=self._client.name,
            probe=self._plan.probes[number].name,
            answered=len(answered),
            lost=len(mine) - len(answered),
            lost_ever=self._lost[number],
            served_by=dict(Counter(each.who for each in answered)),
        )
