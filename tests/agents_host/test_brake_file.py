"""The brake on disk: it outlives everybody, and garbage in it holds."""

import pytest

from agents.brake.file import BrakeFile
from ambicast.contract.messages import Brake, BrakeKind
from ambicast.model.routes import Advertisement, Attributes

BRAKE = Brake(kind=BrakeKind.WITHDRAW, reason="smoke in the rack", since=1_700_000_000.25)


def test_what_was_written_is_read_by_whoever_starts_next(tmp_path):
    BrakeFile(tmp_path / "state").write(BRAKE)
    assert BrakeFile(tmp_path / "state").read() == BRAKE


def test_no_file_is_no_brake_and_releasing_twice_is_releasing_once(tmp_path):
    file = BrakeFile(tmp_path)
    assert file.read() is None
    file.write(BRAKE)
    file.write(None)
    file.write(None)
    assert file.read() is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kind": "halt", "reason": "x"}', "\0\0"])
def test_a_file_that_cannot_be_understood_holds_and_says_which(tmp_path, text):
    file = BrakeFile(tmp_path)
    file.path.write_text(text)
    brake = file.read()
    assert brake.kind is BrakeKind.HOLD
    assert brake.reason.startswith(f"{tmp_path}/brake.json cannot be understood")


def test_a_draft_left_by_a_crash_is_no_brake(tmp_path):
    (tmp_path / "brake.draft").write_text("{")
    assert BrakeFile(tmp_path).read() is None


def test_every_change_of_the_file_leaves_another_trace(tmp_path):
    file = BrakeFile(tmp_path)
    traces = [file.trace()]
    for brake in (BRAKE, Brake(kind=BrakeKind.HOLD, reason="x"), None):
        file.write(brake)
        traces.append(file.trace())
    assert traces[0] is None
    assert traces[-1] is None
    assert len(set(traces)) == 3


ROUTES = frozenset({Advertisement("198.18.0.0/22", "north", Attributes(prepend=2))})
HOLD = Brake(kind=BrakeKind.HOLD, reason="looking into it")


def test_what_a_hold_froze_lies_beside_it_as_long_as_it_is_in_force(tmp_path):
    file = BrakeFile(tmp_path / "state")
    file.write(HOLD)
    assert file.frozen() is None
    file.freeze(ROUTES)
    file.write(Brake(kind=BrakeKind.HOLD, reason="still at it"))
    assert BrakeFile(tmp_path / "state").frozen() == ROUTES
    file.freeze(frozenset())
    assert file.frozen() == frozenset()


@pytest.mark.parametrize("after", [None, BRAKE])
def test_the_next_hold_knows_nothing_of_the_one_before(tmp_path, after):
    file = BrakeFile(tmp_path)
    file.write(HOLD)
    file.freeze(ROUTES)
    file.write(after)
    file.write(HOLD)
    assert file.frozen() is None


def test_what_was_frozen_and_cannot_be_read_is_not_known(tmp_path):
    (tmp_path / "frozen.json").write_text("{")
    assert BrakeFile(tmp_path).frozen() is None
