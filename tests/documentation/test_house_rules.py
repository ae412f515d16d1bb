"""Small rooms with honest names: the limits of docs/development.md, measured."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("ambicast", "controller", "agents", "lab")
MOST_LINES_IN_A_FILE = 400
MOST_LINES_IN_A_FUNCTION = 60  # without its docstring
NAMES_THAT_SAY_NOTHING = {
    "base", "common", "core", "engine", "handler", "handlers", "helper", "helpers", "manager",
    "misc", "util", "utils",
}  # fmt: skip
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def long_files(source: str, limit: int = MOST_LINES_IN_A_FILE) -> list[str]:
    lines = len(source.splitlines())
    return [f"{lines} lines, at most {limit}"] if lines > limit else []


def long_functions(source: str, limit: int = MOST_LINES_IN_A_FUNCTION) -> list[str]:
    return [
        f"{node.name} (line {node.lineno}): {lines} lines, at most {limit}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, FUNCTIONS) and (lines := body_lines(node)) > limit
    ]


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = function.body[0]
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    return lines - (first.end_lineno - first.lineno + 1)


def names_that_say_nothing(path: Path) -> list[str]:
    parts = {part.lstrip("_").removesuffix(".py") for part in path.parts}
    return sorted(parts & NAMES_THAT_SAY_NOTHING)


def sources():
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


@pytest.mark.parametrize("rule", [long_files, long_functions], ids=lambda rule: rule.__name__)
def test_no_room_is_too_large(rule):
    faults = {str(p.relative_to(ROOT)): found for p in sources() if (found := rule(p.read_text()))}
    assert not faults


def test_every_module_has_a_name_that_says_something():
    paths = [path.relative_to(ROOT) for path in sources()]
    assert not {str(path): found for path in paths if (found := names_that_say_nothing(path))}


def test_the_rules_see_what_they_forbid():
    body = "    pass\n" * 60
    documented = f'def f():\n    """One.\n\n    Three.\n    """\n{body}'
    assert long_functions(documented) == ["f (line 1): 61 lines, at most 60"]
    assert long_functions(f"async def f():\n{body}")
    assert not long_functions(documented.removesuffix("    pass\n"))
    assert long_files("x\n" * 401)
    assert not long_files("x\n" * 400)
    assert names_that_say_nothing(Path("agents/utils/clock.py")) == ["utils"]
    assert names_that_say_nothing(Path("lab/_common.py")) == ["common"]
    assert not names_that_say_nothing(Path("lab/commonplace.py"))
