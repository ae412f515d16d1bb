"""Quantities bear their unit; a number without one is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambicast.model.quantities import QuantityError, duration, rate, share


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("100ms", 0.1), ("20s", 20), ("2m", 120), ("1.5h", 5400), ("1d", 86400), (" 3 s ", 3)],
)
def test_durations_are_seconds(text, seconds):
    assert duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "bits"),
    [("1bit/s", 1), ("5kbit/s", 5e3), ("2Mbit/s", 2e6), ("400Gbit/s", 4e11), ("0.1Tbit/s", 1e11)],
)
def test_rates_are_bits_per_second(text, bits):
    assert rate(text) == pytest.approx(bits)


@pytest.mark.parametrize(
    ("text", "value"), [("0%", 0), ("30%", 0.3), ("100%", 1), ("0.5%", 0.005)]
)
def test_shares_are_parts_of_one(text, value):
    assert share(text) == pytest.approx(value)


@pytest.mark.parametrize("reader", [duration, rate, share], ids=lambda reader: reader.__name__)
@pytest.mark.parametrize(
    "text", ["", "30", "s", "-1s", "1,5s", "1e3s", "10 GB/s", "5 min", "1s2s"]
)
def test_anything_else_is_refused_with_the_units_that_are_allowed(reader, text):
    with pytest.raises(QuantityError, match=r"a number and one of "):
        reader(text)


@pytest.mark.parametrize("text", ["101%", "1000%"])
def test_no_share_is_more_than_the_whole(text):
    with pytest.raises(QuantityError, match="0% to 100%"):
        share(text)


@given(st.integers(0, 10**6))
def test_the_units_agree_with_each_other(number):
    assert duration(f"{number}m") == duration(f"{60 * number}s")
    assert duration(f"{number}s") == pytest.approx(duration(f"{1000 * number}ms"))
    assert rate(f"{number}Gbit/s") == rate(f"{1000 * number}Mbit/s")
