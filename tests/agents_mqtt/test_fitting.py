"""An order with any number of offences gets its answer."""

from __future__ import annotations

from agents.mqtt.fitting import fitting
from ambicast.contract.codec import Stamp, decode
from ambicast.contract.messages import NameserverReceipt, Outcome, Receipt


def test_a_receipt_that_fits_is_sent_whole():
    receipt = Receipt(outcome=Outcome.REFUSED, refusals=tuple(map(str, range(500))))
    assert decode(fitting(receipt, Stamp(1, 2))).body == receipt


def test_of_thousands_of_refusals_the_first_are_told_and_the_rest_counted():
    refusals = tuple(f"10.{i // 256}.{i % 256}.0/24: not in the allow-list" for i in range(9000))
    received = decode(fitting(Receipt(outcome=Outcome.REFUSED, refusals=refusals), Stamp(1, 2)))
    assert received.stamp == Stamp(1, 2)
    assert received.body.refusals == (*refusals[:100], "and 8900 more")


def test_one_refusal_without_end_is_cut():
    receipt = NameserverReceipt(outcome=Outcome.REFUSED, refusals=("x" * 300_000,))
    assert decode(fitting(receipt, Stamp())).body.refusals == ("x" * 500,)
