"""What became of each request: one JSON line, written when it is known.

``[probe, sent_ns, replied_ns, who, retried]``: CLOCK_REALTIME in nanoseconds, `replied_ns` 0 where
no answer came in time, `who` the PoP that answered (for `dns`, the address that was answered).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

FLUSH_EVERY: Final = 64


class Record(msgspec.Struct, frozen=True, array_like=True):
    """One request of probe number `probe` of its plan."""

    probe: int
    sent_ns: int
    replied_ns: int
    who: str
    retried: int

    @property
    def answered(self) -> bool:
        """Whether an answer came in time."""
        return self.replied_ns > 0


class Recorder:
    """Appends records to a file, a few at a time; use as a context manager."""

    def __init__(self, path: str) -> None:
        """Truncates `path`."""
        self._file = Path(path).open("wb")  # noqa: SIM115 - closed by `close`
        self._encode = msgspec.json.Encoder().encode
        self._lines: list[bytes] = []

    def take(self, record: Record) -> None:
        """Keep one record."""
        self._lines.append(self._encode(record))
        if len(self._lines) >= FLUSH_EVERY:
            self.flush()

    def flush(self) -> None:
        """Write out what is kept."""
        if self._lines:
            self._file.write(b"\n".join(self._lines) + b"\n")
            self._file.flush()
            self._lines.clear()

    def close(self) -> None:
        """Write out and close."""
        self.flush()
        self._file.close()


def read_records(path: Path) -> tuple[Record, ...]:
    """Everything in `path`, by send time; a half-written last line is left out."""
    decode = msgspec.json.Decoder(Record).decode
    lines = path.read_bytes().split(b"\n")[:-1]
    return in_order(decode(line) for line in lines)


def in_order(records: Iterable[Record]) -> tuple[Record, ...]:
    """By send time."""
    return tuple(sorted(records, key=lambda record: record.sent_ns))
