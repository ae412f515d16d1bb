"""Every test gets a neighborhood of its own, with all sessions up."""

import os

import pytest

from tests.behaviour.exabgp.neighborhood import neighborhood

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: ./dev test")


def pytest_collection_modifyitems(items):
    for item in items:
        if "agents_bgp" not in str(item.path):
            item.add_marker(needs_root)


@pytest.fixture
async def place(tmp_path):
    async with neighborhood(tmp_path) as built:
        yield built


@pytest.fixture
async def running(place):
    await place.start_bird()
    await place.start_exabgp()
    await place.bird.all_up()
    return place
