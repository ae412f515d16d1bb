"""Delays as people write them."""

import pytest

from lab.engines import LabError
from lab.engines.impairments import seconds


@pytest.mark.parametrize(("text", "value"), [("20ms", 0.02), ("1.5s", 1.5), ("250us", 0.00025)])
def test_a_number_with_a_unit_is_a_delay(text, value):
    assert seconds(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["20", "ms", "twenty ms", "20 min"])
def test_anything_else_is_refused_with_the_units(text):
    with pytest.raises(LabError, match="ms"):
        seconds(text)
