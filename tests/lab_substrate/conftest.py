"""A lab of the baseline's kind: BGP from every PoP without an agent, so nothing else is needed."""

import os
import time

import pytest

from lab.engines import up
from lab.engines.bringing import monitor
from lab.topology import three_pops

PATIENCE_S = 30.0


@pytest.fixture(scope="session")
def name():
    return f"test{os.getpid()}"


@pytest.fixture(scope="module")
def lab(name):
    with up(three_pops("bird", pop_programs="exabgp-healthcheck"), name=name) as running:
        yield running


@pytest.fixture(scope="module")
def fibs(lab):
    with monitor(lab) as watching:
        yield watching


@pytest.fixture(scope="session")
def until():
    """Wait until something holds, looking again every few milliseconds."""

    def wait(holds, within=PATIENCE_S):
        deadline = time.monotonic() + within
        while not (seen := holds()):
            assert time.monotonic() < deadline, f"not within {within} s"
            time.sleep(0.01)
        return seen

    return wait
