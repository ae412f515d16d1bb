"""What the responder needs to start: little, and of its settings only what is its own."""

import subprocess
import sys

import msgspec
import pytest

from agents import config
from agents.watch.guardian import Settings, read

HEAVY = ("aiomqtt", "ambicast.files", "asyncio", "pyroute2", "structlog", "agents.wiring")


def test_it_loads_nothing_that_is_slow_to_load():
    code = "import sys, agents.__main__, agents.watch.guardian; print(*sys.modules)"
    argv = (sys.executable, "-c", code)
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(done.stdout.split())


def test_the_agent_and_the_responder_agree_on_where_it_listens():
    fields = {each.name: each.default for each in msgspec.structs.fields(config.Settings)}
    assert str(fields["responder"]) == Settings("p", "h", "k").responder


def test_faults_elsewhere_in_the_file_are_none_of_its_business(tmp_path):
    file = tmp_path / "agent.yaml"
    file.write_text("{pop: ams, host: ams-1, watch_key_file: /key, fleet: 7, alow: [x]}")
    assert read(file) == Settings("ams", "ams-1", "/key")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pop: ams\nhost: ams-1\n", "missing required field `watch_key_file`"),
        ("{pop: 7, host: h, watch_key_file: /key}", "Expected `str`, got `int` - at `$.pop`"),
        ("[]", "Expected `object`, got `array`"),
        ("{", "expected node content"),
    ],
)
def test_a_file_it_cannot_use_is_one_clear_line(tmp_path, text, said):
    file = tmp_path / "agent.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match=str(file)) as fault:
        read(file)
    assert said in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match="No such file"):
        read(tmp_path / "agent.yaml")
