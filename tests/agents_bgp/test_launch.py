"""Which ExaBGP may be started, and where its files go."""

import stat

import pytest

from agents.bgp import launch
from agents.bgp.launch import LaunchError, is_allowed, require_version, write_files
from tests.agents_bgp.test_configuration import speaker


@pytest.mark.parametrize(
    ("version", "allowed"),
    [
        ("5.0.13", True), ("5.0.15", True), ("5.1.0", True), ("5.0.12", False), ("4.2.22", False),
        ("6.0.0", False), ("5.0.0", False), ("5.0.13rc1", False), ("", False), ("5", False),
    ],
)  # fmt: skip
def test_versions_before_the_injection_was_mended_are_refused(version, allowed):
    assert is_allowed(version) is allowed


def test_the_error_says_what_is_installed_and_what_is_allowed(monkeypatch):
    monkeypatch.setattr(launch, "version", lambda name: "4.2.22")
    with pytest.raises(
        LaunchError, match=r"exabgp 4\.2\.22 is installed: at least 5\.0\.13 and below 6"
    ):
        require_version()


def test_the_version_in_this_environment_is_allowed():
    require_version()


def test_files_are_for_their_owner_only(pop, tmp_path):
    for path in write_files(speaker(pop), tmp_path / "run"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_text()


def test_a_folder_that_cannot_be_written_is_one_clear_error(pop, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(LaunchError, match="cannot write ExaBGP's files into"):
        write_files(speaker(pop), tmp_path / "file" / "run")


def test_what_cannot_be_rendered_is_one_clear_error(pop, tmp_path):
    with pytest.raises(LaunchError, match="hold 1: 0 or 3 to 65535"):
        write_files(speaker(pop, hold=1), tmp_path)


def test_settings_of_the_callers_exabgp_do_not_leak_in(monkeypatch, tmp_path):
    for name in ("exabgp_tcp_bind", "EXABGP_ETC", "exabgp.api.ack"):
        monkeypatch.setenv(name, "x")
    kept = launch._clean(tmp_path / "exabgp.env")
    assert {name for name in kept if name.lower().startswith("exabgp")} == {"EXABGP_ENVFILE"}
