"""Topologies: what a lab consists of, as a value, and as a containerlab file."""

from lab.topology.building import lab_of, pops, three_pops
from lab.topology.options import Options
from lab.topology.rendering import clab_yaml, file_name, render
from lab.topology.shapes import Address, End, Link, Node, Program, Topology

__all__ = [
    "Address",
    "End",
    "Link",
    "Node",
    "Options",
    "Program",
    "Topology",
    "clab_yaml",
    "file_name",
    "lab_of",
    "pops",
    "render",
    "three_pops",
]
