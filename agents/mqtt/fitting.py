"""Receipts that fit: an order may hold thousands of offences, and still gets its answer."""

from __future__ import annotations

import msgspec

from ambicast.contract.codec import ContractError, Flaw, Stamp, encode
from ambicast.contract.messages import NameserverReceipt, Receipt

MOST_REFUSALS = 100
LONGEST_REFUSAL = 500


def fitting(receipt: Receipt | NameserverReceipt, stamp: Stamp) -> bytes:
    """``receipt`` as bytes; what does not fit is cut, the first refusals stay.

    Raises:
        ContractError: too large for what is on the wire alone, which a report would tell too.
    """
    try:
        return encode(receipt, stamp)
    except ContractError as fault:
        if fault.flaw is not Flaw.OVERSIZED:
            raise
    return encode(msgspec.structs.replace(receipt, refusals=_shortened(receipt.refusals)), stamp)


def _shortened(refusals: tuple[str, ...]) -> tuple[str, ...]:
    told = tuple(each[:LONGEST_REFUSAL] for each in refusals[:MOST_REFUSALS])
    left = len(refusals) - len(told)
    return (*told, f"and {left} more") if left else told
