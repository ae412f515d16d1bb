"""A fleet of which too much would have to be said at once is refused before anybody tries."""

from __future__ import annotations

import pytest

from ambicast.contract.codec import encode
from ambicast.files import FleetFileError, load_fleet, validate
from controller.planning.answers import client_map
from tests.files.fleetfiles import CLIENTS, write


def rows(prefixes, groups):
    found = [CLIENTS.splitlines()[0]]
    for number in range(prefixes):
        group = f"g{number % groups}"
        found.append(f"20.{number // 256}.{number % 256}.0/24,{group},52.3,4.8,1Mbit/s")
    return "\n".join(found) + "\n"


def test_what_fits_is_sent_and_no_fault(tmp_path):
    path = write(tmp_path, clients=rows(12_000, 300))
    assert validate(path) == ()
    encode(client_map(load_fleet(path)))


def test_more_client_prefixes_than_one_map_holds_are_a_fault_at_their_file(tmp_path):
    path = write(tmp_path, clients=rows(20_000, 300))
    (fault,) = validate(path)
    assert fault.path == "clients.sources[0].file"
    assert fault.found == "20000 client prefixes in 300 groups"
    assert "262144 bytes" in fault.allowed
    with pytest.raises(FleetFileError, match="20000 client prefixes"):
        load_fleet(path)


def test_more_answers_than_one_steering_message_holds_are_a_fault(tmp_path):
    path = write(tmp_path, clients=rows(6000, 6000))
    (fault,) = validate(path)
    assert fault.found == "1 services for 6000 client groups"
