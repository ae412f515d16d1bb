"""Client groups from an operator's prefix file: CSV with ``prefix,group,lat,lon,demand``.

Several rows make up a group: their positions must agree, their demands add up. A prefix belongs
to one group; a longer prefix inside another group's is fine, because the longest match answers.
Demand is a rate (``5Gbit/s``), which is compared with capacities, or in every row a plain number,
of which only the shares matter.
"""

from __future__ import annotations

import csv
import io
import math

import msgspec

from ambicast.files.faults import Fault, quote
from ambicast.files.forms import FORMS
from ambicast.model.clients import ClientGroup
from ambicast.model.identifiers import EVERYONE_ELSE, GroupName
from ambicast.model.quantities import rate

COLUMNS = ("prefix", "group", "lat", "lon", "demand")


class Row(msgspec.Struct, frozen=True):
    """One row of a prefix file."""

    file: str
    line: int
    prefix: str
    group: str
    lat: float
    lon: float
    demand: float
    measured: bool


def read_rows(file: str, text: str) -> tuple[tuple[Row, ...], tuple[Fault, ...]]:
    """The valid rows of a prefix file, and the faults of the others."""
    reader = csv.reader(io.StringIO(text), strict=True)
    rows: list[Row] = []
    faults: list[Fault] = []
    try:
        header = tuple(cell.strip() for cell in next(reader, []))
        if header != COLUMNS:
            found = quote(",".join(header)) if header else "nothing"
            return (), (_fault(file, 1, "header", found, ",".join(COLUMNS)),)
        for cells in reader:
            if cells:
                row = _row(file, reader.line_num, cells, faults)
                rows += [row] if row else []
    except csv.Error as fault:
        faults.append(_fault(file, reader.line_num, "row", f"no CSV ({fault})", "CSV (RFC 4180)"))
    return tuple(rows), tuple(faults)


def groups_of(
    rows: tuple[Row, ...],
) -> tuple[dict[GroupName, ClientGroup], tuple[Fault, ...]]:
    """The groups that ``rows`` make up, and the faults between rows."""
    faults = _mixed(rows)
    owner: dict[str, Row] = {}
    members: dict[str, list[Row]] = {}
    for row in rows:
        before = owner.setdefault(row.prefix, row)
        if before is not row:
            found = f"{row.prefix} again (first in {before.file}:{before.line}: {before.group})"
            faults.append(_fault(row.file, row.line, "prefix", found, "each prefix once"))
            continue
        group = members.setdefault(row.group, [])
        if group and (row.lat, row.lon) != (group[0].lat, group[0].lon):
            place = f"{group[0].lat:g},{group[0].lon:g} as in {group[0].file}:{group[0].line}"
            found = f"{row.lat:g},{row.lon:g} for the group {row.group}"
            faults.append(_fault(row.file, row.line, "lat,lon", found, place))
        group.append(row)
    groups = {GroupName(name): _group(name, group) for name, group in members.items()}
    return groups, tuple(faults)


def _mixed(rows: tuple[Row, ...]) -> list[Fault]:
    """One fault where some demands are rates and others are not: they cannot be compared."""
    for row in rows:
        if row.measured is not rows[0].measured:
            words = {True: "a rate", False: "a number without unit"}
            where = f"{words[not row.measured]} as in {rows[0].file}:{rows[0].line}"
            return [_fault(row.file, row.line, "demand", words[row.measured], where)]
    return []


def _group(name: str, rows: list[Row]) -> ClientGroup:
    return ClientGroup(
        name=GroupName(name),
        prefixes=tuple(row.prefix for row in rows),
        lat=rows[0].lat,
        lon=rows[0].lon,
        demand=sum(row.demand for row in rows),
    )


def _row(file: str, line: int, cells: list[str], faults: list[Fault]) -> Row | None:
    if len(cells) != len(COLUMNS):
        allowed = f"{len(COLUMNS)}: {','.join(COLUMNS)}"
        faults.append(_fault(file, line, "row", f"{len(cells)} columns", allowed))
        return None
    before = len(faults)
    prefix, group, lat, lon, demand = (cell.strip() for cell in cells)
    found = Row(
        file=file,
        line=line,
        prefix=_text(file, line, ("prefix", prefix), faults),
        group=_text(file, line, ("group", group), faults, form="name"),
        lat=_number(file, line, ("lat", lat), (-90.0, 90.0), faults),
        lon=_number(file, line, ("lon", lon), (-180.0, 180.0), faults),
        demand=_demand(file, line, demand, faults),
        measured=demand.endswith("bit/s"),
    )
    if group == EVERYONE_ELSE:
        allowed = f"any name but {EVERYONE_ELSE}, which is every client that no row lists"
        faults.append(_fault(file, line, "group", quote(group), allowed))
    return found if len(faults) == before else None


def _text(
    file: str, line: int, cell: tuple[str, str], faults: list[Fault], form: str = "prefix"
) -> str:
    column, text = cell
    try:
        return FORMS[form].parse(text)
    except ValueError:
        faults.append(_fault(file, line, column, quote(text), FORMS[form].allowed))
        return text


def _demand(file: str, line: int, text: str, faults: list[Fault]) -> float:
    try:
        value = rate(text) if text.endswith("bit/s") else float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        allowed = "a rate like 5Gbit/s, or a number of at least 0"
        faults.append(_fault(file, line, "demand", quote(text), allowed))
    return value


def _number(
    file: str,
    line: int,
    cell: tuple[str, str],
    bounds: tuple[float, float],
    faults: list[Fault],
) -> float:
    column, text = cell
    low, high = bounds
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isfinite(value) and low <= value <= high:
        return value
    faults.append(_fault(file, line, column, quote(text), f"a number from {low:g} to {high:g}"))
    return math.nan


def _fault(file: str, line: int, path: str, found: str, allowed: str) -> Fault:
    return Fault(file=file, line=max(line, 1), path=path, found=found, allowed=allowed)
