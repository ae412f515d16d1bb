"""The settings file: paths beside it, and one line for each fault."""

from __future__ import annotations

import pytest

from controller.choreography.technique import Technique
from controller.config import ConfigError, load_settings

GOOD = "fleet: fleet.yaml\nbroker: {host: 127.0.0.1}\njournal: var/journal.sqlite\n"


def test_paths_are_relative_to_the_file_and_all_techniques_are_on(tmp_path):
    path = tmp_path / "controller.yaml"
    path.write_text(GOOD)
    settings = load_settings(path)
    assert settings.fleet == str(tmp_path / "fleet.yaml")
    assert settings.journal == str(tmp_path / "var/journal.sqlite")
    assert set(settings.techniques) == set(Technique)
    assert (settings.api.host, settings.broker.port) == ("127.0.0.1", 1883)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "colour: red\n", "unknown field `colour`"),
        (GOOD.replace("broker: {host: 127.0.0.1}\n", ""), "required field `broker`"),
        (GOOD.replace("{host: 127.0.0.1}", "{host: h, prot: 1}"), "$.broker"),
        (GOOD + "techniques: [magic]\n", "Invalid enum value 'magic'"),
        (GOOD + "api: {port: many}\n", "$.api.port"),
        ("fleet: [", "line 2"),
        ("", "object"),
    ],
)
def test_a_fault_is_one_clear_error_that_names_the_file(tmp_path, text, said):
    path = tmp_path / "controller.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as fault:
        load_settings(path)
    assert str(path) in str(fault.value)
    assert said in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_missing_file_is_one_clear_error(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        load_settings(tmp_path / "nowhere.yaml")
