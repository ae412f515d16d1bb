"""`python3 -m lab.nodes.ask URL`: exits 0 where it answers with success, 1 where not."""

from __future__ import annotations

import sys
import urllib.request


def answers(url: str, timeout: float = 2.0) -> bool:
    """Whether an HTTP GET succeeds within `timeout` seconds."""
    try:
        with urllib.request.urlopen(url, timeout=timeout):  # noqa: S310 - the caller's own URL
            return True
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if answers(sys.argv[1]) else 1)
