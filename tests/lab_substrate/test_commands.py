"""The lab's command line: one line per fault, exit code 2."""

import pytest

from lab.commands import run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fly"], "No such command"),
        (["up", "--router", "cisco"], "'bird', 'frr', 'mixed'"),
        (["up", "--engine", "vm"], "'netns', 'clab'"),
        (["up", "--pops", "2"], "3 to 60"),
        (["status", "--name", "nowhere"], "no lab 'nowhere' is up"),
        (["exec", "--name", "nowhere", "ams", "--", "ls"], "no lab 'nowhere' is up"),
    ],
)
def test_a_wrong_call_is_explained_and_ends_with_2(arguments, said, capsys):
    assert run(arguments) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_the_graph_names_every_node_and_link(capsys):
    assert run(["graph", "--delay", "5ms"]) == 0
    shown = capsys.readouterr().out
    assert 'ams ---|"eth1 to eth1, 5ms"| t3' in shown
    assert 'fra["fra<br/>AS64500"]' in shown
    assert shown.count("---") == 6 + 7 + 3 + 1


def test_taking_down_what_is_not_up_is_no_fault(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("lab.engines.namespaces.NETNS", tmp_path)
    assert run(["down", "--name", "nowhere"]) == 0
    assert "nothing was up" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "node"),
    [(["two-hosts"], "amsr"), (["ten-pops"], "p10"), (["--pops", "12"], "p12"), ([], "lhr")],
)
def test_a_topology_is_chosen_by_name_or_by_its_number_of_pops(arguments, node, capsys):
    assert run(["graph", *arguments]) == 0
    assert f'{node}["' in capsys.readouterr().out


def test_an_unknown_topology_is_refused_with_those_there_are(capsys):
    assert run(["graph", "four-pops"]) == 2
    assert "three-pops, two-hosts, ten-pops" in " ".join(capsys.readouterr().err.split())
