"""A runner that is killed leaves nothing behind."""

import subprocess
import sys

import pytest

from lab.engines.namespaces import namespaces_of, processes_in
from lab.engines.node_init import environment

pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]

RUNNER = """
import sys, time
from lab.engines import up
from lab.topology import three_pops
topology = three_pops("bird", pop_programs="exabgp-healthcheck")
lab = up(topology, name=sys.argv[1], ready_within=None)
print("up", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_a_lab_goes_with_the_runner_that_made_it(how, name, until):
    mine = f"{name}{how}"
    runner = subprocess.Popen(
        [sys.executable, "-c", RUNNER, mine], env=environment(), stdout=subprocess.PIPE
    )
    with runner:
        assert runner.stdout.readline() == b"up\n"
        spaces = namespaces_of(mine)
        assert len(spaces) == 12
        getattr(runner, how)()
    until(lambda: not namespaces_of(mine), within=20)
    assert processes_in(spaces) == []
