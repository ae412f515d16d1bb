"""From looks every 100 ms to one figure: since when has everything agreed without interruption?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from lab.judging.world import Answered, Verdict

MS = 1_000_000


class Sample(msgspec.Struct, frozen=True):
    """All verdicts of one moment."""

    t_ns: int
    verdicts: Mapping[Answered, Verdict]

    def faults(self, layer: str) -> tuple[str, ...]:
        """What is wrong in `layer` (layers or dns), one sentence each."""
        return tuple(
            f"{asked.client} {asked.family} at {asked.nameserver}: {text}"
            for asked, verdict in self.verdicts.items()
            if (text := verdict.dns if layer == "dns" else verdict.layers)
        )


class Agreement(msgspec.Struct, frozen=True):
    """The first moment since when no sample disagreed.

    Attributes:
        from_ms: since the start of the span; 0 where nothing ever disagreed, None where the last
            sample still did (or there was none).
        last_fault: what disagreed last.
    """

    from_ms: float | None
    last_fault: str = ""


def agreement(samples: Sequence[Sample], layer: str, start_ns: int, end_ns: int) -> Agreement:
    """What the samples between two instants say of `layer`."""
    inside = [sample for sample in samples if start_ns <= sample.t_ns < end_ns]
    if not inside:
        return Agreement(None, "nothing was sampled")
    since: int | None = start_ns
    last_fault = ""
    for sample in inside:
        if faults := sample.faults(layer):
            since, last_fault = None, faults[0]
        elif since is None:
            since = sample.t_ns
    if since is None:
        return Agreement(None, last_fault)
    return Agreement(round((since - start_ns) / MS, 1), last_fault)
