"""A status for people, line by line; for programs it is JSON (``--json``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agents.brake.status import Agent, Status
from ambicast.contract.messages import Fitness, Session, UplinkState
from ambicast.model.routes import Advertisement

_ROOM = 12


def lines(status: Status) -> Iterator[str]:
    """The whole look; what nobody knows is left out."""
    yield _line("host", f"{status.pop} {status.host}")
    yield _line("agent", f"{status.agent} {status.instance}".strip())
    brake = status.brake
    yield _line("brake", f"{brake.kind}: {brake.reason}" if brake else "none")
    if status.agent is Agent.RUNNING:
        yield _line("broker", "reached" if status.broker else "LOST: nothing changes")
    if status.controller is not None:
        yield _line("controller", "heard" if status.controller else "AWAY: nothing changes")
    if status.order is None:
        yield _line("order", "none held")
    else:
        order = status.order
        yield _line("order", f"epoch {order.epoch}, generation {order.generation}: {order.reason}")
        yield from _listed("ordered", _routes(order.advertisements))
    yield from _listed("withheld", (f"{each}: {why}" for each, why in status.withheld.items()))
    wire = ["not known"] if status.wire is None else _routes(status.wire)
    yield from _listed("on the wire", wire)
    yield from _listed(
        "deeds", (f"{d.kind} {d.about}: {' '.join(d.prefixes)}" for d in status.deeds)
    )
    yield from _listed("sessions", map(_session, status.sessions))
    yield from _listed("uplinks", map(_uplink, status.uplinks))
    yield from _listed("services", map(_service, status.services))
    for note in status.notes:
        yield _line("note", note)


def _line(name: str, text: str) -> str:
    return f"{name:<{_ROOM}} {text}"


def _listed(name: str, texts: Iterable[str]) -> Iterator[str]:
    every = list(texts)
    if not every and name not in {"ordered", "on the wire"}:
        return
    for number, text in enumerate(every or ["nothing"]):
        yield _line("" if number else name, text)


def _routes(advertisements: Iterable[Advertisement]) -> list[str]:
    """One line per prefix and path, with the uplinks it goes through."""
    by_path: dict[tuple[str, str], list[str]] = {}
    for each in sorted(advertisements):
        by_path.setdefault((each.prefix, _attributes(each)), []).append(each.uplink)
    return [
        f"{prefix} through {', '.join(uplinks)}{extra}"
        for (prefix, extra), uplinks in by_path.items()
    ]


def _attributes(each: Advertisement) -> str:
    own = each.attributes
    parts = [f"prepended x{own.prepend}"] if own.prepend else []
    parts += [f"MED {own.med}"] if own.med is not None else []
    parts += [*own.communities, *own.large_communities]
    return f" ({', '.join(parts)})" if parts else ""


def _session(each: Session) -> str:
    return f"{each.uplink} {each.family} {'established' if each.established else 'DOWN'}"


def _uplink(each: UplinkState) -> str:
    works = ", ".join(f"{k} {'works' if v else 'SILENT'}" for k, v in each.working.items())
    parts = [f"{each.uplink}: carrier" if each.carrier else f"{each.uplink}: NO CARRIER", works]
    parts += [f"loss {each.loss:.0%}"] if each.loss else []
    parts += ["held down"] if each.held_down else []
    return ", ".join(part for part in parts if part)


def _service(each: Fitness) -> str:
    parts = [f"{each.service} {'fit' if each.fit else 'UNFIT'}"]
    parts += [each.detail] if each.detail else []
    parts += ["overloaded"] if each.overloaded else []
    parts += [f"held down for {each.hold_down:.0f} s"] if each.hold_down else []
    return ", ".join(parts)
