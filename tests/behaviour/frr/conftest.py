"""Every test has FRR as its neighbor; FRR and root are needed."""

import os

import pytest

from tests.behaviour.exabgp.neighborhood import neighborhood
from tests.behaviour.frr.neighbor import FRR, Frr

needed = pytest.mark.skipif(
    os.geteuid() != 0 or not (FRR / "bgpd").exists(), reason="needs root and FRR: ./dev test"
)


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent.name == "frr":
            item.add_marker(needed)


@pytest.fixture
async def place(tmp_path):
    async with neighborhood(tmp_path) as built:
        yield built


@pytest.fixture
async def frr(place):
    started = Frr(place)
    try:
        await started.start()
        yield started
    finally:
        await started.close()
