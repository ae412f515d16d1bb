"""An example nobody loads is wrong the day after: a test names every file of ``configs/``.

Or its folder, or it is named in turn by an example that is loaded: ``fleet.yaml`` names the CSV.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "configs"


def unnamed(examples: dict[Path, str], tests: str) -> list[str]:
    """Examples (path below ``configs`` and text) that nothing loads."""
    strings = re.findall(r"\"([^\"\n]+)\"", tests)
    words = {part for text in strings for part in text.split("/")}
    loaded = {path for path in examples if words & set(path.parts)}
    texts = "".join(examples[path] for path in loaded)
    return sorted(str(path) for path in examples if path not in loaded and path.name not in texts)


def test_every_example_is_loaded_by_a_test():
    here = Path(__file__)
    files = [path for path in CONFIGS.rglob("*") if path.is_file()]
    examples = {path.relative_to(CONFIGS): path.read_text() for path in files}
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("*.py") if path != here)
    missing = unnamed(examples, tests)
    assert not missing


def test_an_example_that_is_not_loaded_is_seen():
    names = ("fleet.yaml", "clients.csv", "systemd/a.service", "b.conf")
    examples = {Path(name): "file: clients.csv" for name in names}
    assert unnamed(examples, 'read("configs/fleet.yaml", "systemd")') == ["b.conf"]
    assert unnamed(examples, "# configs/fleet.yaml, systemd") == sorted(names)
