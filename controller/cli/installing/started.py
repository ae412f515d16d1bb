"""What this machine's programs were last started from, so that nothing half done is forgotten.

Whether something has to be restarted cannot be told from the files that differ: an installation
that failed half-way has written them already, and an upgrade in place changes programs, not files.
So an installation that has succeeded leaves a mark: a digest of every file the programs read at
their start, and one of the programs themselves. Whoever installs takes the mark away first and
sets it last. Where it is another one than the files and programs give now, or none, restarts are
due.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from controller.cli.installing.changes import Put, inside, text_at

OURS = ("ambicast", "agents", "controller")
DIGITS = 16
PROGRAMS = "programs"


class Mark(msgspec.Struct, frozen=True):
    """Digests by file name; the programs' stand under :data:`PROGRAMS`."""

    path: Path
    digests: Mapping[str, str]

    def put(self) -> Put:
        """The mark as a file, for the user who owns the folder, and root."""
        text = json.dumps(dict(self.digests), indent=1, sort_keys=True)
        return Put(self.path, text + "\n", mode=0o600)

    def differing(self, root: Path) -> set[str]:
        """What is not as it was at the last start; everything, where that is not known."""
        try:
            known = msgspec.json.decode(text_at(root, self.path) or "", type=dict[str, str])
        except msgspec.DecodeError:
            known = {}
        names = self.digests.keys() | known.keys()
        return {name for name in names if known.get(name) != self.digests.get(name)}


def mark(root: Path, path: Path, programs: Path, read: Mapping[Path, str | None]) -> Mark:
    """The mark of these programs and of what they ``read``: a text, or none for what is there."""
    texts = {
        each.name: text if text is not None else text_at(root, each) or ""
        for each, text in read.items()
    }
    digests = {name: _digest(iter([text.encode()])) for name, text in texts.items()}
    return Mark(path, {**digests, PROGRAMS: _digest(_programs(inside(root, programs).parent))})


def _programs(environment: Path) -> Iterator[bytes]:
    """What tells one set of installed packages, ours and others, from another.

    A package's RECORD has the hash of each of its files. The sources of one that is installed in
    place (``pip install -e``) stand in none.
    """
    for record in sorted(environment.glob("lib/python3*/site-packages/*.dist-info/RECORD")):
        yield str(record.relative_to(environment)).encode()
        yield record.read_bytes()
    for origin in environment.glob("lib/python3*/site-packages/ambicast-*/direct_url.json"):
        found = json.loads(origin.read_text())
        if found.get("dir_info", {}).get("editable"):
            yield from _sources(Path(str(found.get("url")).removeprefix("file://")))


def _sources(folder: Path) -> Iterator[bytes]:
    for package in OURS:
        for file in sorted((folder / package).rglob("*.py")):
            yield str(file.relative_to(folder)).encode()
            yield file.read_bytes()


def _digest(parts: Iterator[bytes]) -> str:
    found = hashlib.sha256()
    for each in parts:
        found.update(b"%d:" % len(each))
        found.update(each)
    return found.hexdigest()[:DIGITS]
