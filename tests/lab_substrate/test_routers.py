"""The transits' configurations: accepted by the daemons, and saying what they should."""

import re
import subprocess

import pytest

from lab.topology import Options, pops, three_pops


def files(router, node, **options):
    return three_pops(router, **options).node(node).files


def test_bird_is_told_the_hold_time_on_every_session():
    config = files("bird", "t3", hold_s=30)["/etc/bird/bird.conf"]
    assert config.count("hold time 30;") == config.count("protocol bgp ") == 8
    assert config.count("keepalive time 10;") == 8


def test_frr_is_told_the_hold_time_and_the_advertisement_interval():
    config = files("frr", "t3", hold_s=30, advertisement_interval_s=5)["/etc/frr/bgpd.conf"]
    assert "timers bgp 10 30" in config
    assert config.count("advertisement-interval 5") == config.count(" remote-as ") == 8


def test_bird_refuses_an_advertisement_interval_it_does_not_have():
    with pytest.raises(ValueError, match="BIRD has no such timer"):
        three_pops("bird", advertisement_interval_s=5)


def test_mixed_has_both_kinds_of_routers():
    kinds = {
        "frr" if "/etc/frr/bgpd.conf" in node.files else "bird"
        for node in three_pops("mixed").of_role("transit")
    }
    assert kinds == {"bird", "frr"}


def test_only_pops_are_held_to_the_steered_space():
    config = files("bird", "t3")["/etc/bird/bird.conf"]
    sessions = dict(re.findall(r"protocol bgp (\w+) \{(.*?)\n\}", config, re.DOTALL))
    held = {name for name, text in sessions.items() if "STEERED" in text}
    assert held == {"ams_v4", "ams_v6", "lhr_v4", "lhr_v6"}
    assert all("net.len > " in text for text in sessions.values())


def test_routes_of_providers_and_peers_go_to_customers_only():
    config = files("bird", "t1")["/etc/bird/bird.conf"]
    sessions = dict(re.findall(r"protocol bgp (\w+) \{(.*?)\n\}", config, re.DOTALL))
    exported = {name: re.search("export (.*);", text)[1] for name, text in sessions.items()}
    assert {name for name, what in exported.items() if what == "all"} == {
        f"t{n}_{family}" for n in (3, 4, 5) for family in ("v4", "v6")
    }
    assert "(64601, 300)" in exported["t2_v4"]


@pytest.mark.lab
@pytest.mark.parametrize("topology", [three_pops("bird"), pops(10, Options())], ids=["3", "10"])
def test_bird_parses_every_configuration(topology, tmp_path):
    for node in topology.of_role("transit"):
        path = tmp_path / f"{node.name}.conf"
        path.write_text(node.files["/etc/bird/bird.conf"])
        done = subprocess.run(
            ["bird", "-p", "-c", path], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.lab
def test_frr_parses_every_configuration(tmp_path):
    topology = three_pops("frr", advertisement_interval_s=30)
    for node in topology.of_role("transit"):
        path = tmp_path / f"{node.name}.conf"
        path.write_text(node.files["/etc/frr/bgpd.conf"])
        path.chmod(0o644)
        argv = ["/usr/lib/frr/bgpd", "-C", "-f", path]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "Unknown command" not in done.stderr + done.stdout
