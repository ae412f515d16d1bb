"""Break-glass on the worst of days: the settings have a fault, and nobody answers."""

import threading

import pytest
import yaml

from agents.__main__ import main
from agents.brake.desk import listen
from agents.brake.file import BrakeFile
from agents.config import places
from ambicast.contract.messages import BrakeKind


@pytest.fixture
def broken(tmp_path):
    """An agent.yaml whose fleet file is not there."""
    path = tmp_path / "agent.yaml"
    settings = {
        "fleet": "/nowhere/fleet.yaml",
        "pop": "ams",
        "host": "ams-1",
        "broker": {"host": "127.0.0.1"},
        "state_dir": str(tmp_path / "state"),
        "socket": str(tmp_path / "agent.sock"),
        "exabgp": {"bridge": str(tmp_path / "exabgp.sock")},
    }
    path.write_text(yaml.safe_dump(settings))
    return path


@pytest.fixture
def bridge(tmp_path):
    """What is said to the bridge."""
    heard = []
    listener = listen(tmp_path / "exabgp.sock")
    listener.settimeout(20)

    def hear():
        while b"#restart\n" not in heard:
            client, _ = listener.accept()
            with client:
                heard.append(client.recv(100))

    thread = threading.Thread(target=hear, daemon=True)
    thread.start()
    yield thread, heard
    listener.close()


def test_hold_is_written_and_the_fault_is_told(broken, tmp_path, capsys):
    assert main(["hold", "--reason", "x", "--config", str(broken)]) == 0
    out, err = capsys.readouterr()
    assert BrakeFile(tmp_path / "state").read().kind is BrakeKind.HOLD
    assert "host         ams ams-1" in out
    assert "/nowhere/fleet.yaml" in err


def test_withdraw_ends_an_exabgp_it_does_not_know_how_to_talk_to(broken, bridge, capsys):
    assert main(["withdraw", "--reason", "x", "--config", str(broken)]) == 0
    bridge[0].join(5)
    assert bridge[1][-1] == b"#restart\n"
    assert "it was ended, which closes its sessions" in capsys.readouterr().out


def test_a_host_without_settings_is_none_of_ours(tmp_path, capsys):
    assert main(["status", "--config", str(tmp_path / "none.yaml")]) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("text", ["", "a: [", "exabgp: 5\nstate_dir: relative\n"])
def test_what_cannot_be_read_is_where_it_normally_is(tmp_path, text):
    (tmp_path / "agent.yaml").write_text(text)
    assert str(places(tmp_path / "agent.yaml").state_dir) == "/var/lib/ambicast"


@pytest.mark.parametrize("command", ["hold", "withdraw", "release"])
def test_a_command_without_a_reason_is_2(command, broken, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([command, "--config", str(broken)])
    assert stopped.value.code == 2
    assert "--reason" in capsys.readouterr().err
