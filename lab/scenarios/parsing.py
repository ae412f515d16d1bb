"""From a scenario file to a :class:`Scenario`, or to one fault: its line, and what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from ambicast.model.quantities import QuantityError, duration, rate
from lab.scenarios.agenda import agenda
from lab.scenarios.arguments import known
from lab.scenarios.doing import parse_step
from lab.scenarios.expecting import parse_expectation
from lab.scenarios.located import Located, read_located
from lab.scenarios.shapes import Expectation, Load, Scenario, Step
from lab.scenarios.substitution import names_in
from lab.scenarios.targets import Catchment, TargetError, parse_catchment, parse_target
from lab.scenarios.words import (
    BASELINES,
    COUNTS,
    MATRIX,
    PROBES,
    SETTINGS,
    TOPOLOGIES,
    possible,
)
from lab.topology.internet import Internet
from lab.topology.places import named

KEYS: Final = (
    "scenario", "topology", "matrix", "trials", "settings", "let", "load", "steps", "expect",
    "baseline", "end",
)  # fmt: skip
MARGIN_S: Final = 10.0  # watched after the last step, where `end` does not say how long
FASTEST: Final = 1000.0  # requests a second and probe: more would measure the client
Parsed = TypeVar("Parsed")


def read_scenario(path: Path) -> Scenario:
    """The scenario in `path`.

    Raises:
        ScenarioError: names file, line, what was found and what is allowed.
    """
    return parse_scenario(read_located(path))


def parse_scenario(document: Located) -> Scenario:
    """The scenario that `document` describes."""
    fields = document.fields("a scenario", KEYS, ("scenario", "topology", "load"))
    internet = named(fields["topology"].word("topology", TOPOLOGIES))
    let = _let(fields.get("let"), internet)
    names = tuple(let)
    load = tuple(_load(each, internet, names) for each in fields["load"].entries("load"))
    _unique(fields["load"], load)
    steps = _listed(fields, "steps", lambda each: parse_step(each, internet, names))
    _in_order(fields.get("steps"), steps)
    probes = tuple(each.name for each in load)
    pops = (*(pop.name for pop in internet.pops), *(f"${name}" for name in names))
    hosts = known(internet, names).hosts
    expect = _listed(
        fields, "expect", lambda each: parse_expectation(each, probes, pops, len(steps), hosts)
    )
    return Scenario(
        name=fields["scenario"].text("scenario"),
        topology=fields["topology"].text("topology"),
        matrix=_matrix(fields.get("matrix")),
        trials=_trials(fields.get("trials")),
        settings=_settings(fields.get("settings")),
        let=let,
        load=load,
        steps=steps,
        expect=expect,
        baselines=_listed(fields, "baseline", lambda each: each.word("baseline", BASELINES)),
        end=_end(fields.get("end"), steps, expect),
    )


def _listed(
    fields: dict[str, Located], key: str, parse: Callable[[Located], Parsed]
) -> tuple[Parsed, ...]:
    return tuple(parse(each) for each in fields[key].entries(key)) if key in fields else ()


def _matrix(field: Located | None) -> dict[str, tuple[str, ...]]:
    if field is None:
        return {"router": ("bird",)}
    found = {}
    for key, values in field.fields("matrix", MATRIX).items():
        listed = values.entries(f"matrix.{key}") if isinstance(values.value, tuple) else (values,)
        found[key] = tuple(value.word(f"matrix.{key}", MATRIX[key]) for value in listed)
        if not found[key]:
            raise values.fault(f"matrix.{key} is empty", MATRIX[key])
    return {"router": ("bird",), **found}


def _trials(field: Located | None) -> int:
    text = field.text("trials") if field else "1"
    if field and not (text.isdigit() and int(text) > 0):
        raise field.fault(f"trials: {text!r}", "a whole number from 1")
    return int(text)


def _settings(field: Located | None) -> dict[str, str]:
    settings = {}
    for key, value in (field.fields("settings", SETTINGS) if field else {}).items():
        settings[key] = value.text(f"settings.{key}")
        if key in COUNTS:
            if not settings[key].isdigit():
                raise value.fault(f"settings.{key}: {settings[key]!r}", "a whole number")
        elif key == "uplink_capacity":
            _capacity(value)
        elif seconds(value, f"settings.{key}") % 1 and key in ("hold", "advertisement_interval"):
            raise value.fault(f"settings.{key}: {settings[key]!r}", "whole seconds")
    return settings


def _capacity(field: Located) -> None:
    try:
        rate(field.text("settings.uplink_capacity"))
    except QuantityError as fault:
        raise field.fault(f"settings.uplink_capacity: {fault}") from None


def _let(field: Located | None, internet: Internet) -> dict[str, Catchment]:
    meanings = {}
    for name, value in (field.fields("let") if field else {}).items():
        try:
            meanings[name] = parse_catchment(value.text(f"let.{name}"), internet)
        except TargetError as fault:
            raise value.fault(f"let.{name}: {fault}") from None
    return meanings


def _load(field: Located, internet: Internet, names: tuple[str, ...]) -> Load:
    keys = ("name", "from", "probe", "to", "rate")
    fields = field.fields("load", keys, ("from", "probe", "to", "rate"))
    probe = fields["probe"].word("probe", PROBES)
    if PROBES[probe]:
        what = f"probe {probe!r} cannot be sent yet ({PROBES[probe]})"
        raise fields["probe"].fault(what, possible(PROBES))
    client = fields["from"].word("from", [each.name for each in internet.clients])
    target = fields["to"].text("to")
    _check_target(fields["to"], target, internet, names)
    if probe in ("dns", "tcp-stream") and target.startswith("name") is not (probe == "dns"):
        shape = "a name (name:FQDN)" if probe == "dns" else "an address"
        raise fields["to"].fault(f"probe {probe!r} cannot go to {target!r}", shape)
    name = fields["name"].text("name") if "name" in fields else f"{client} {probe} {target}"
    rate = _rate(fields["rate"])
    return Load(name=name, client=client, probe=probe, target=target, rate=rate, where=field.where)


def _check_target(field: Located, text: str, internet: Internet, names: tuple[str, ...]) -> None:
    used = names_in(text)
    if unknown := [name for name in used if name not in names]:
        raise field.fault(f"unknown name ${unknown[0]}", [f"${name}" for name in names])
    stand_in = internet.pops[0].name
    try:
        parse_target(text if not used else _standing(text, used, stand_in), internet)
    except TargetError as fault:
        raise field.fault(str(fault)) from None


def _standing(text: str, used: tuple[str, ...], stand_in: str) -> str:
    """`text` with a real PoP's name in every place, so that its shape can be checked."""
    for name in used:
        text = text.replace(f"${name}", stand_in)
    return text


def _rate(field: Located) -> float:
    text = field.text("rate")
    number, slash, unit = text.partition("/")
    try:
        rate = float(number)
    except ValueError:
        rate = 0.0
    if not slash or unit.strip() != "s" or not 0 < rate <= FASTEST:
        raise field.fault(f"rate: {text!r}", f"requests a second, up to {FASTEST:.0f}/s: 100/s")
    return rate


def _unique(field: Located, load: tuple[Load, ...]) -> None:
    seen: set[str] = set()
    for each, located in zip(load, field.entries("load"), strict=True):
        if each.name in seen:
            raise located.fault(f"two loads are named {each.name!r}")
        seen.add(each.name)


def _in_order(field: Located | None, steps: tuple[Step, ...]) -> None:
    entries = field.entries("steps") if field else ()
    for before, step, located in zip(steps, steps[1:], entries[1:], strict=False):
        if step.at < before.at:
            raise located.fault(f"at: {step.at:g}s comes before the step above it")


def _end(field: Located | None, steps: tuple[Step, ...], expect: tuple[Expectation, ...]) -> float:
    last = max((act.at for act in agenda(steps)), default=0.0)
    if field is not None:
        end = seconds(field, "end")
        if end <= last:
            raise field.fault(f"end: {end:g}s", f"later than all that is done ({last:g}s)")
        return end
    waits = [getattr(each, "within", 0.0) for each in expect]
    return last + max([MARGIN_S, *waits])


def seconds(field: Located, what: str) -> float:
    """A duration with its unit, in seconds."""
    text = field.text(what)
    try:
        return duration(text)
    except QuantityError as fault:
        raise field.fault(f"{what}: {fault}") from None
