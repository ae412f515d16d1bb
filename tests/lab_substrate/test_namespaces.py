"""Whose a namespace is."""

import pytest

from lab.engines import namespaces
from lab.engines.namespaces import labs_with_namespaces, namespace, namespaces_of


@pytest.fixture
def some(tmp_path, monkeypatch):
    monkeypatch.setattr(namespaces, "NETNS", tmp_path)
    for lab, node in (("three", "ams"), ("three-pops", "ams"), ("three-pops", "t1")):
        (tmp_path / namespace(lab, node)).touch()
    (tmp_path / "somebody-else").touch()


@pytest.mark.usefixtures("some")
def test_a_lab_whose_name_begins_like_another_has_only_its_own():
    assert namespaces_of("three") == ["amb-three.ams"]
    assert namespaces_of("three-pops") == ["amb-three-pops.ams", "amb-three-pops.t1"]


@pytest.mark.usefixtures("some")
def test_left_over_namespaces_name_their_labs_and_nobody_elses():
    assert labs_with_namespaces() == ["three", "three-pops"]
