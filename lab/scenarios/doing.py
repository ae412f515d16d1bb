"""Steps: what is done, to whom, and when."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from ambicast.model.quantities import QuantityError, duration
from lab.scenarios.located import Located
from lab.scenarios.shapes import Step
from lab.scenarios.targets import SERVICES
from lab.scenarios.words import ACTIONS, possible
from lab.topology.internet import Internet

PROCESSES: Final = (
    "agent", "exabgp", "service", "nameserver", "bird", "zebra", "bgpd", "resolver", "mosquitto",
    "controller",
)  # fmt: skip
_LINK = re.compile(r"(?P<node>[a-z0-9$]+):(?P<interface>eth[1-9][0-9]*)")


def parse_step(field: Located, internet: Internet, names: tuple[str, ...]) -> Step:
    """One entry of `steps`; `names` may stand for a PoP as ``$name``."""
    every = {"at", "do", *(word for action in ACTIONS.values() for word in action.arguments)}
    fields = field.fields("a step", sorted(every), ("at", "do"))
    action = fields["do"].word("do", ACTIONS)
    if ACTIONS[action].missing:
        what = f"do: {action!r} is known but cannot be done yet ({ACTIONS[action].missing})"
        raise fields["do"].fault(what, possible(ACTIONS))
    wanted = ACTIONS[action].arguments
    field.fields(f"do: {action}", ("at", "do", *wanted), wanted)
    known = _known(internet, names)
    arguments = {key: _argument(fields[key], key, known) for key in wanted}
    return Step(at=_at(fields["at"]), action=action, arguments=arguments, where=field.where)


def _known(internet: Internet, names: tuple[str, ...]) -> dict[str, Collection[str]]:
    meant = [f"${name}" for name in names]
    pops = [pop.name for pop in internet.pops]
    transits = [f"t{number}" for number in range(1, internet.transits + 1)]
    clients = [client.name for client in internet.clients]
    return {
        "pop": [*pops, *meant],
        "node": [*pops, *transits, *clients, "ctl1", *meant],
        "service": SERVICES,
        "process": PROCESSES,
    }


def _argument(field: Located, key: str, known: dict[str, Collection[str]]) -> str:
    """The argument's text; several are joined by commas."""
    if key == "from":
        listed = field.entries(key) if isinstance(field.value, tuple) else (field,)
        return ",".join(
            each.word(key, ("broker", "controller", *known["node"])) for each in listed
        )
    if key != "link":
        return field.word(key, known[key])
    value = field.text(key)
    found = _LINK.fullmatch(value)
    if found is None:
        raise field.fault(f"link: {value!r}", "NODE:ethN, for instance ams:eth1")
    if found["node"] not in known["node"]:
        raise field.fault(f"link: unknown node {found['node']!r}", known["node"])
    return value


def _at(field: Located) -> float:
    try:
        return duration(field.text("at"))
    except QuantityError as fault:
        raise field.fault(f"at: {fault}") from None
