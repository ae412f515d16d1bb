from __future__ import annotations

import pytest

from tests.behaviour.knot.daemon import Daemon


@pytest.fixture
def daemon(tmp_path):
    """A knotd with its initial files, running."""
    found = Daemon(tmp_path).start()
    yield found
    found.kill()
