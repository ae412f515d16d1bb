"""The key all watchers of a fleet share, from its file.

Whoever holds it can declare PoPs alive, so the file belongs to the agent alone (mode 0600).
"""

from __future__ import annotations

from pathlib import Path

# Half of SHA-256's output is the least RFC 2104 section 5 calls sound, for key and tag alike.
SHORTEST = 16


class WatchKeyError(ValueError):
    """The key file cannot be used; the message says which file, why, and what is allowed."""


def load_key(path: Path) -> bytes:
    """The key in ``path``: its bytes without a trailing newline.

    Raises:
        WatchKeyError: where the file cannot be read or is too short.
    """
    try:
        key = path.read_bytes().rstrip(b"\r\n")
    except OSError as fault:
        raise WatchKeyError(f"watch key {path}: {fault.strerror}") from None
    if len(key) < SHORTEST:
        raise WatchKeyError(f"watch key {path}: {len(key)} bytes; at least {SHORTEST} are needed")
    return key
