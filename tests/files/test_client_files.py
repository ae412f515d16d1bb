"""The operator's prefix file: groups out of rows, every fault with its file and line."""

from __future__ import annotations

import pytest

from ambicast.files.clients import groups_of, read_rows

HEADER = "prefix,group,lat,lon,demand\n"


def read(text):
    rows, faults = read_rows("clients.csv", text)
    groups, between = groups_of(rows)
    return groups, [str(each) for each in (*faults, *between)]


def test_rows_of_one_group_are_one_group_and_their_demands_add_up():
    groups, faults = read(
        HEADER + "198.19.1.0/24,nl,52.3,4.8,2\n2001:DB8:c01::/48, nl ,52.3,4.8,0.5\n\n"
    )
    assert faults == []
    assert groups["nl"].prefixes == ("198.19.1.0/24", "2001:db8:c01::/48")
    assert (groups["nl"].lat, groups["nl"].lon, groups["nl"].demand) == (52.3, 4.8, 2.5)


def test_demand_may_be_a_rate():
    groups, faults = read(
        HEADER + "198.19.1.0/24,nl,52,4,5Gbit/s\n198.19.2.0/24,nl,52,4,1Gbit/s\n"
    )
    assert faults == []
    assert groups["nl"].demand == 6e9


def test_a_longer_prefix_inside_another_groups_is_fine():
    _, faults = read(HEADER + "198.19.0.0/16,nl,52,4,1\n198.19.2.0/24,be,51,4,1\n")
    assert faults == []


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ("198.19.1.1/24,nl,52,4,1", "2: prefix: found '198.19.1.1/24'; allowed a prefix"),
        ("198.19.1.0,nl,52,4,1", "2: prefix: found '198.19.1.0'; allowed a prefix"),
        ("198.19.1.0/24,NL,52,4,1", "2: group: found 'NL'; allowed a name"),
        ("198.19.1.0/24,default,52,4,1", "2: group: found 'default'; allowed any name but"),
        ("198.19.1.0/24,nl,north,4,1", "2: lat: found 'north'; allowed a number from -90 to 90"),
        ("198.19.1.0/24,nl,91,4,1", "2: lat: found '91'; allowed a number from -90 to 90"),
        ("198.19.1.0/24,nl,52,nan,1", "2: lon: found 'nan'; allowed a number from -180 to 180"),
        ("198.19.1.0/24,nl,52,4,-1", "2: demand: found '-1'; allowed a rate like 5Gbit/s, or"),
        ("198.19.1.0/24,nl,52,4,inf", "2: demand: found 'inf'; allowed"),
        ("198.19.1.0/24,nl,52,4,5GB/s", "2: demand: found '5GB/s'; allowed a rate"),
        ("198.19.1.0/24,nl,52,4", "2: row: found 4 columns; allowed 5: prefix,group"),
        (
            "198.19.1.0/24,nl,52,4,1\n198.19.1.0/24,be,51,4,1",
            "3: prefix: found 198.19.1.0/24 again (first in clients.csv:2: nl); allowed each",
        ),
        (
            "198.19.1.0/24,nl,52,4,1\n198.19.2.0/24,nl,52,5,1",
            "3: lat,lon: found 52,5 for the group nl; allowed 52,4 as in clients.csv:2",
        ),
        (
            "198.19.1.0/24,nl,52,4,1\n198.19.2.0/24,be,51,4,1Gbit/s",
            "3: demand: found a rate; allowed a number without unit as in clients.csv:2",
        ),
        ('"198.19.1.0/24,nl,52,4,1', "2: row: found no CSV"),
    ],
)
def test_a_fault_names_file_line_and_column(rows, fault):
    _, faults = read(HEADER + rows)
    assert len(faults) == 1
    assert faults[0].startswith(f"clients.csv:{fault}")


@pytest.mark.parametrize("text", ["", "prefix,group\n", "198.19.1.0/24,nl,52,4,1\n"])
def test_the_header_is_required(text):
    _, (fault,) = read(text)
    assert fault.startswith("clients.csv:1: header: found ")
    assert fault.endswith("; allowed prefix,group,lat,lon,demand")


def test_all_rows_are_judged():
    _, faults = read(HEADER + "x,nl,52,4,1\n198.19.1.0/24,nl,x,x,x\n198.19.2.0/24,nl,52,4,1\n")
    assert [fault.partition(": found")[0] for fault in faults] == [
        "clients.csv:2: prefix",
        "clients.csv:3: lat",
        "clients.csv:3: lon",
        "clients.csv:3: demand",
    ]
