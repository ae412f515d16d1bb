"""A settled controller behind its API, in process."""

from __future__ import annotations

import pytest
from litestar.testing import TestClient

from controller.api.server import Api
from controller.config import Api as ApiSettings
from tests.controller.scenes import Clock, Diary, Troupe


@pytest.fixture
def troupe():
    """Three PoPs at home."""
    troupe = Troupe(Diary(), Clock())
    troupe.settle()
    return troupe


@pytest.fixture
def api(troupe):
    """Its API as a client sees it."""
    app = Api(ApiSettings(), troupe.fleet, troupe.loop).app()
    # Only the event loop's own self-pipe is needed; nothing listens.
    with TestClient(app) as client:
        yield client
