"""Steps: what is done, to whom, and when."""

from __future__ import annotations

from typing import Final

from ambicast.model.quantities import QuantityError, duration
from lab.scenarios.arguments import argument, known
from lab.scenarios.located import Located
from lab.scenarios.shapes import Step
from lab.scenarios.words import ACTIONS, possible
from lab.topology.internet import Internet

# Of these, exactly one.
ONE_OF: Final = {
    "service-flap": ("times", "for"),
    "publish": ("file", "size"),
    "load": ("cpu", "uplink"),
}


def parse_step(field: Located, internet: Internet, names: tuple[str, ...]) -> Step:
    """One entry of `steps`; `names` may stand for a PoP as ``$name``."""
    every = {"at", "do", *(word for action in ACTIONS.values() for word in action.accepted)}
    fields = field.fields("a step", sorted(every), ("at", "do"))
    word = fields["do"].word("do", ACTIONS)
    action = ACTIONS[word]
    if action.missing:
        what = f"do: {word!r} is known but cannot be done yet ({action.missing})"
        raise fields["do"].fault(what, possible(ACTIONS))
    fields = field.fields(f"do: {word}", ("at", "do", *action.accepted), action.arguments)
    given = [key for key in ONE_OF.get(word, ()) if key in fields]
    if word in ONE_OF and len(given) != 1:
        raise field.fault(f"do: {word} needs exactly one of", ONE_OF[word])
    meant = known(internet, names)
    arguments = {
        key: argument(key, word, fields[key], meant) for key in action.accepted if key in fields
    }
    step = Step(at=_at(fields["at"]), action=word, arguments=arguments, where=field.where)
    _sensible(field, step)
    return step


def _sensible(field: Located, step: Step) -> None:
    """What single arguments cannot tell."""
    given = step.arguments
    if step.action == "service-flap":
        every = duration(given["every"])
        if "down" in given and duration(given["down"]) >= every:
            raise field.fault(f"down: {given['down']}", f"less than every ({given['every']})")


def _at(field: Located) -> float:
    try:
        return duration(field.text("at"))
    except QuantityError as fault:
        raise field.fault(f"at: {fault}") from None
