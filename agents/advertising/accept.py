"""Whether an order may be carried out: fenced by its stamp (I12), bounded by the allow-list (I5).

All or nothing: an order with one offence changes nothing, and its receipt names every offence.
A newer stamp wins; the stamp already held is accepted again if its content is the same (the
broker delivers retained orders at every reconnect), and refused if not: two senders then claim
one stamp, and neither can be preferred.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from agents.advertising.allowance import Allowance, covered, permitted, spelled
from ambicast.contract.codec import Stamp
from ambicast.contract.messages import Order
from ambicast.model.identifiers import UplinkName
from ambicast.model.pops import Pop
from ambicast.model.prefixes import ROUTABLE_FLOOR, PrefixError, address, family, length, network
from ambicast.model.routes import Advertisement, Attributes

MOST_PREPENDS = 16
# Each observed prefix is asked five times a second.
MOST_OBSERVED = 4096
# Seconds. None at all would arm the contingencies for good.
LEASES = (0.1, 86400.0)
_COMMUNITY = re.compile(r"(\d{1,5}):(\d{1,5})", re.ASCII)
_LARGE_COMMUNITY = re.compile(r"(\d{1,10}):(\d{1,10}):(\d{1,10})", re.ASCII)


class Held(msgspec.Struct, frozen=True):
    """An accepted order with its stamp."""

    stamp: Stamp
    order: Order


class Accepted(msgspec.Struct, frozen=True):
    """The order holds from now on; ``repeated`` if it did before."""

    held: Held
    repeated: bool = False


class StaleOrder(msgspec.Struct, frozen=True):
    """Older than what is held: an order of a controller that was replaced, or came late."""

    stamp: Stamp
    held: Stamp


class Ambiguous(msgspec.Struct, frozen=True):
    """The stamp that is held, with another content."""

    stamp: Stamp


class Distrusted(msgspec.Struct, frozen=True):
    """The order after which this agent crashed again and again."""

    stamp: Stamp


class Forbidden(msgspec.Struct, frozen=True):
    """Every offence, each with what is allowed; nothing of the order is applied."""

    stamp: Stamp
    refusals: tuple[str, ...]


Verdict = Accepted | StaleOrder | Ambiguous | Distrusted | Forbidden


def accept(
    order: Order, stamp: Stamp, held: Held | None, allow: Sequence[Allowance], pop: Pop
) -> Verdict:
    """Judge an order; deterministic, and without effect."""
    if held is not None and stamp < held.stamp:
        return StaleOrder(stamp, held.stamp)
    if held is not None and stamp == held.stamp:
        return Accepted(held, repeated=True) if order == held.order else Ambiguous(stamp)
    refusals = tuple(_offences(order, allow, pop))
    if refusals:
        return Forbidden(stamp, refusals)
    return Accepted(Held(stamp, order))


def _offences(order: Order, allow: Sequence[Allowance], pop: Pop) -> Iterator[str]:
    for each in order.advertisements:
        where = f"{each.prefix} through {each.uplink}"
        found = [*_prefix_faults(each.prefix, allow), *_uplink_faults(each, pop)]
        for fault in (*found, *_attribute_faults(each.attributes)):
            yield f"{where}: {fault}"
    yield from _repeated(order)
    yield from _too_many(order, pop)
    for text in order.terminate:
        if address_fault := _address_fault(text, allow):
            yield f"terminate {text}: {address_fault}"
    for plan in order.when_lost:
        for prefix in (*plan.prefixes, *plan.shared):
            for fault in _prefix_faults(prefix, allow):
                yield f"when {plan.lost} is lost, {prefix}: {fault}"
    yield from _watch_faults(order)


def _watch_faults(order: Order) -> Iterator[str]:
    """What the watch and the contingencies could not live with."""
    if len(order.observe) > MOST_OBSERVED:
        yield f"observe: {len(order.observe)} prefixes; at most {MOST_OBSERVED} are allowed"
    for prefix in order.observe:
        if fault := _prefix_fault(prefix):
            yield f"observe {prefix}: {fault}"
        elif length(prefix) > (floor := ROUTABLE_FLOOR[family(prefix)]):
            yield f"observe {prefix}: longer than /{floor}, which nobody routes"
    shortest, longest = LEASES
    if not shortest <= order.lease <= longest:
        yield f"lease {order.lease:g} s; {shortest:g} to {longest:g} s are allowed"


def _prefix_fault(prefix: str) -> str | None:
    try:
        canonical = str(network(prefix))
    except PrefixError as fault:
        return str(fault)
    return None if canonical == prefix else f"not canonical; it is spelled {canonical}"


def _prefix_faults(prefix: str, allow: Sequence[Allowance]) -> Iterator[str]:
    if fault := _prefix_fault(prefix):
        yield fault
    elif not permitted(allow, prefix):
        yield f"not in the allow-list; allowed are {spelled(allow)}"


def _address_fault(text: str, allow: Sequence[Allowance]) -> str | None:
    try:
        canonical = str(address(text))
    except PrefixError as fault:
        return str(fault)
    if canonical != text:
        return f"not canonical; it is spelled {canonical}"
    if not covered(allow, text):
        return f"in no prefix of the allow-list; allowed are {spelled(allow)}"
    return None


def _uplink_faults(each: Advertisement, pop: Pop) -> Iterator[str]:
    uplink = pop.uplinks.get(UplinkName(each.uplink))
    if uplink is None:
        yield f"no such uplink; {pop.name} has {', '.join(sorted(pop.uplinks))}"
    elif family(each.prefix) not in uplink.families:
        spoken = ", ".join(uplink.families)
        yield f"{family(each.prefix)} is not spoken there; {spoken} is"


def _attribute_faults(attributes: Attributes) -> Iterator[str]:
    if not 0 <= attributes.prepend <= MOST_PREPENDS:
        yield f"prepend {attributes.prepend}; 0 to {MOST_PREPENDS} are allowed"
    if attributes.med is not None and not 0 <= attributes.med < 2**32:
        yield f"med {attributes.med}; 0 to {2**32 - 1} are allowed"
    for text in attributes.communities:
        if not _numbers_fit(_COMMUNITY.fullmatch(text), 2**16):
            yield f"community {text!r}; two numbers below 65536 with a colon are allowed"
    for text in attributes.large_communities:
        if not _numbers_fit(_LARGE_COMMUNITY.fullmatch(text), 2**32):
            yield f"large community {text!r}; three numbers below 2^32 with colons are allowed"


def _numbers_fit(found: re.Match[str] | None, bound: int) -> bool:
    return found is not None and all(int(number) < bound for number in found.groups())


def _repeated(order: Order) -> Iterator[str]:
    paths = Counter((each.prefix, each.uplink) for each in order.advertisements)
    for (prefix, uplink), count in sorted(paths.items()):
        if count > 1:
            yield f"{prefix} through {uplink}: {count} times; one advertisement each is allowed"


def _too_many(order: Order, pop: Pop) -> Iterator[str]:
    """RFC 4486: a neighbor closes the session at its limit, and everything goes with it."""
    counts = Counter(
        (each.uplink, family(each.prefix))
        for each in order.advertisements
        if UplinkName(each.uplink) in pop.uplinks
    )
    for (uplink, kind), count in sorted(counts.items()):
        most = pop.uplinks[UplinkName(uplink)].max_prefixes
        if count > most:
            yield f"{count} {kind} prefixes through {uplink}; its neighbor takes at most {most}"
