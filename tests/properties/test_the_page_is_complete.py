"""docs/invariants.md has a line for every invariant, every function and every property test."""

from __future__ import annotations

import re
from pathlib import Path

from ambicast import invariants

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split("|")]
    for line in (ROOT / "docs/invariants.md").read_text().splitlines()
    if line.startswith("| I")
]
FUNCTIONS = {
    name
    for name in invariants.__all__
    if callable(getattr(invariants, name)) and name.islower() and name != "landing"
}


def test_every_invariant_has_one_line_with_its_outage():
    assert [row[0] for row in ROWS] == [f"I{number}" for number in range(1, 15)]
    assert all(len(row) == 5 and row[1] and row[2] for row in ROWS)


def test_every_function_stands_in_the_line_of_its_invariant():
    named = {word: row[0] for row in reversed(ROWS) for word in re.findall("`(.*?)`", row[3])}
    assert set(named) == FUNCTIONS
    for name, number in named.items():
        module = Path(ROOT / f"ambicast/invariants/{name}.py").read_text()
        assert module.startswith(f'"""{number}: ')
        assert f'Violation("{number}"' in module


def test_every_property_test_is_linked_from_its_line():
    for path in (ROOT / "tests/properties").glob("test_i[0-9]*.py"):
        number = re.match(r"test_(i\d+)_", path.name)[1].upper()
        (row,) = (row for row in ROWS if row[0] == number)
        assert f"../tests/properties/{path.name}" in row[4]
