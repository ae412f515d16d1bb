"""Requests that wait for an answer over one socket: matched by number, given up after 1 s."""

from __future__ import annotations

from lab.load.plan import PATIENCE_NS
from lab.load.records import Record, Recorder


class Pending:
    """The open requests of probe number `probe`, oldest first."""

    def __init__(self, probe: int, recorder: Recorder) -> None:
        self._probe = probe
        self._recorder = recorder
        self._open: dict[int, tuple[int, str]] = {}

    def sent(self, number: int, at_ns: int, address: str = "") -> None:
        """Request `number` left at `at_ns`, for `address`."""
        self._open[number] = (at_ns, address)

    def answered(self, number: int, at_ns: int, who: str, address: str = "") -> bool:
        """An answer came; False where nobody waits for it, or it came from elsewhere."""
        waiting = self._open.get(number)
        if waiting is None or waiting[1] != address:
            return False
        del self._open[number]
        late = at_ns - waiting[0] > PATIENCE_NS
        self._recorder.take(
            Record(self._probe, waiting[0], 0 if late else at_ns, "" if late else who, 0)
        )
        return True

    def expire(self, now_ns: int) -> int:
        """Give up what waited too long; how many those were."""
        lost = []
        for number, (sent_ns, _) in self._open.items():
            if now_ns - sent_ns <= PATIENCE_NS:
                break
            lost.append(number)
        for number in lost:
            sent_ns, _ = self._open.pop(number)
            self._recorder.take(Record(self._probe, sent_ns, 0, "", 0))
        return len(lost)
