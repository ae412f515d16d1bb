"""Every test has bfdd and BIRD; FRR and root are needed."""

import os

import pytest

from agents.bfd.launch import PROGRAM
from tests.behaviour.bfd.neighbors import Watched, bird_config
from tests.behaviour.exabgp.neighborhood import neighborhood

needed = pytest.mark.skipif(
    os.geteuid() != 0 or not PROGRAM.exists(), reason="needs root and FRR: ./dev test"
)


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent.name == "bfd":
            item.add_marker(needed)


@pytest.fixture
async def watched(tmp_path, request):
    """With a marker ``without(name)``, BIRD does not speak BFD there."""
    marker = request.node.get_closest_marker("parametrize")
    without = request.node.callspec.params.get("without", "") if marker else ""
    async with neighborhood(tmp_path) as place:
        built = Watched(place)
        try:
            await place.start_bird(configuration=bird_config(without))
            await built.start_bfdd()
            yield built
        finally:
            await built.close()
