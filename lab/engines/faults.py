"""Faults of links, and the lab's one exception.

Silence is made with nftables' `netdev` family on ingress and egress: everything is dropped, ARP
and neighbor discovery too, while the carrier stays and senders notice nothing (an `output` hook
would give them EPERM). One table per interface, so that making a fault twice is making it once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

SILENCE: Final = "amb_silence_"
LOSS: Final = "amb_loss_"
PARTITION: Final = "amb_partition"


class LabError(RuntimeError):
    """The lab cannot do what was asked; the text says what and why."""


def silence_rules(interfaces: Iterable[str]) -> str:
    """nft input which drops everything on `interfaces`."""
    rules = []
    for interface in interfaces:
        table = f"{SILENCE}{interface}"
        rules.append(
            f"table netdev {table} {{}}\ndelete table netdev {table}\ntable netdev {table} {{\n"
            f'  chain in {{ type filter hook ingress device "{interface}" priority 0;'
            " policy drop; }\n"
            f'  chain out {{ type filter hook egress device "{interface}" priority 0;'
            " policy drop; }\n}\n"
        )
    return "".join(rules)


def voice_rules(interfaces: Iterable[str]) -> str:
    """nft input which takes `silence_rules` back, whether it stood or not."""
    tables = [f"{SILENCE}{interface}" for interface in interfaces]
    return "".join(f"table netdev {t} {{}}\ndelete table netdev {t}\n" for t in tables)


def loss_rules(interface: str, percent: float) -> str:
    """nft input which loses `percent` of the packets that arrive on `interface` (0: none)."""
    table = f"{LOSS}{interface}"
    clear = f"table netdev {table} {{}}\ndelete table netdev {table}\n"
    if percent <= 0:
        return clear
    return clear + (
        f"table netdev {table} {{\n"
        f'  chain in {{ type filter hook ingress device "{interface}" priority 0;\n'
        f"    numgen random mod 10000 < {round(percent * 100)} drop\n  }}\n}}\n"
    )


def partition_rules(addresses: Iterable[str]) -> str:
    """nft input which drops all traffic with `addresses` (none: takes the partition back)."""
    clear = f"table inet {PARTITION} {{}}\ndelete table inet {PARTITION}\n"
    v4 = sorted({a for a in addresses if ":" not in a})
    v6 = sorted({a for a in addresses if ":" in a})
    rules = [
        f"    {family} {side} {{ {', '.join(group)} }} drop\n"
        for family, group in (("ip", v4), ("ip6", v6))
        if group
        for side in ("saddr", "daddr")
    ]
    if not rules:
        return clear
    chains = "".join(
        f"  chain {hook} {{ type filter hook {hook} priority 0;\n{''.join(rules)}  }}\n"
        for hook in ("input", "output", "forward")
    )
    return f"{clear}table inet {PARTITION} {{\n{chains}}}\n"
