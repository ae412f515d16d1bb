import os
from pathlib import Path

import pytest

from tests.agents_watch.fleets import fleet_of
from tests.behaviour.kernel.world import World

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if os.geteuid() != 0 and item.path.parent == HERE:
            item.add_marker(pytest.mark.skip(reason="needs root: ./dev test"))


@pytest.fixture(scope="session")
def fleet():
    return fleet_of()


@pytest.fixture
def world(fleet):
    built = World(fleet, f"kernel{os.getpid()}-")
    try:
        built.build()
        yield built
    finally:
        built.remove()
