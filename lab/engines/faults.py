"""Faults of links as nft rules, and the lab's one exception.

Silence is made with nftables' `netdev` family on ingress and egress: everything is dropped, ARP
and neighbor discovery too, while the carrier stays and senders notice nothing (an `output` hook
would give them EPERM). One table per interface and fault, so that making a fault twice is making
it once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal

Family = Literal["v4", "v6"]
SILENCE: Final = "amb_silence_"
LOSS: Final = "amb_loss_"
PARTITION: Final = "amb_partition"
PROTOCOLS: Final[dict[Family, str]] = {"v4": "{ ip, arp }", "v6": "ip6"}


class LabError(RuntimeError):
    """The lab cannot do what was asked; the text says what and why."""


def silence_rules(interfaces: Iterable[str], family: Family | None = None) -> str:
    """nft input which drops everything on `interfaces`, or everything of one family."""
    dropped = f"meta protocol {PROTOCOLS[family]} drop; " if family else ""
    policy = "accept" if family else "drop"
    rules = []
    for interface in interfaces:
        chains = [
            f'  chain {hook} {{ type filter hook {hook} device "{interface}" priority 0;'
            f" policy {policy}; {dropped}}}\n"
            for hook in ("ingress", "egress")
        ]
        rules.append(_fresh("netdev", f"{SILENCE}{family or ''}{interface}", "".join(chains)))
    return "".join(rules)


def voice_rules(interfaces: Iterable[str]) -> str:
    """nft input which takes `silence_rules` back, whether they stood or not."""
    return "".join(
        _gone("netdev", f"{SILENCE}{family}{interface}")
        for interface in interfaces
        for family in ("", *PROTOCOLS)
    )


def loss_rules(interface: str, percent: float) -> str:
    """nft input which loses `percent` of the packets that arrive on `interface` (0: none)."""
    table = f"{LOSS}{interface}"
    if percent <= 0:
        return _gone("netdev", table)
    some = f"numgen random mod 10000 < {round(percent * 100)} " if percent < 100 else ""
    chain = (
        f'  chain in {{ type filter hook ingress device "{interface}" priority 0;\n'
        f"    {some}drop\n  }}\n"
    )
    return _fresh("netdev", table, chain)


def partition_rules(interfaces: Sequence[str], addresses: Iterable[str]) -> str:
    """nft input which drops all traffic with `addresses` on a node's `interfaces`, both ways."""
    every = list(addresses)
    families = (
        ("ip", sorted({a for a in every if ":" not in a})),
        ("ip6", sorted({a for a in every if ":" in a})),
    )
    rules = "".join(
        f"    {family} {side} {{ {', '.join(group)} }} drop\n"
        for family, group in families
        if group
        for side in ("saddr", "daddr")
    )
    chains = "".join(
        f'  chain {hook}_{interface} {{ type filter hook {hook} device "{interface}" priority 1;\n'
        f"{rules}  }}\n"
        for interface in interfaces
        for hook in ("ingress", "egress")
    )
    return _fresh("netdev", PARTITION, chains)


def heal_rules() -> str:
    """nft input which takes a partition back, whether there is one or not."""
    return _gone("netdev", PARTITION)


def _gone(family: str, table: str) -> str:
    return f"table {family} {table} {{}}\ndelete table {family} {table}\n"


def _fresh(family: str, table: str, body: str) -> str:
    return f"{_gone(family, table)}table {family} {table} {{\n{body}}}\n"
