"""From staged text to typed rows with a fault code; files of one layout are read together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from mqlml.errors import ConfigError, Fault, MqlmlError, SchemaError
from mqlml.sources import casting
from mqlml.sources.door import Door
from mqlml.sources.fields import Field
from mqlml.sources.reshaping import lost_name
from mqlml.sources.settings import Refusal, RowJoin, RowShape, TableSource, shape_of
from mqlml.sources.shaping import cleaned_rows, numbered_rows
from mqlml.sources.staging import FEW_BODIES, StagedFile
from mqlml.sources.zones import checked_zone, stretches
from mqlml.tables.checking import CellNames, column_checks
from mqlml.tables.contracts import ColumnType
from mqlml.tables.expressions import check_expressions
from mqlml.tables.ingested import Note
from mqlml.tables.quarantine import NOT_A_ROW, Check, fault_code
from mqlml.tables.sql import only_row, quoted

SQL_TYPES = {
    ColumnType.TEXT: "VARCHAR",
    ColumnType.NUMBER: "DOUBLE",
    ColumnType.TIME: "TIMESTAMPTZ",
    ColumnType.FLAG: "BOOLEAN",
}
# Beyond these a row is faulty anyway, and its time may not fit the SQL type.
_YEAR_1, _YEAR_9999 = -62_135_596_800_000_000, 253_370_764_800_000_000


@dataclass(frozen=True)
class FilePlan:
    """One file on its way to a table: its fields, and columns that pass through as text."""

    table: str
    number: int
    staged: StagedFile
    source: TableSource
    fields: tuple[Field, ...]
    passed: Mapping[str, str] = field(default_factory=dict)

    @property
    def parsed(self) -> str:
        """Return the name of the file's table of texts and what was read from them."""
        return f"{self.table}_parsed_{self.number}"


@dataclass(frozen=True)
class TypedFile:
    """SQL that selects the typed rows of a file, and the checks its fault codes stand for.

    Files that were read together have one `parsed` table and one `select`.
    """

    plan: FilePlan
    parsed: str
    select: str
    checks: tuple[Check, ...]
    notes: tuple[Note, ...]


def grouped(plans: Sequence[FilePlan]) -> tuple[tuple[FilePlan, ...], ...]:
    """Return the plans in groups that can be read by one query, in the order of their first.

    Planning a query takes longer than reading a small file. Files of leads are read one by
    one, and so are those whose rows are looked at together with the rows around them.
    """
    groups: list[list[FilePlan]] = []
    for plan in plans:
        group = next((g for g in groups if _is_alike(plan, g)), None)
        if group is None:
            groups.append([plan])
        else:
            group.append(plan)
    return tuple(map(tuple, groups))


def _is_alike(plan: FilePlan, group: Sequence[FilePlan]) -> bool:
    first, shape = group[0], shape_of(plan.source)
    if plan.table == "leads" or (shape is not None and shape.windows):
        return False
    if plan.staged.columns != first.staged.columns or plan.fields != first.fields:
        return False
    if any(plan.staged.folder == other.staged.folder for other in group):
        return False  # one file that is read twice
    own, other = (one.source.model_copy(update={"file": None}) for one in (plan, first))
    return own == other


def type_files(door: Door, plans: Sequence[FilePlan]) -> tuple[TypedFile, ...]:
    """Return the typed rows of files that are read together, ready to be selected.

    Raises ConfigError for naive times without a zone or a filter that cannot be
    evaluated, SchemaError for a column whose values mostly cannot be read, in files of
    webhooks only if they are FEW_BODIES at least.
    """
    plan = plans[0]
    zone = plan.source.timezone or door.timezone
    if zone is not None:
        checked_zone(zone, "timezone")
    _parse(door.connection, plans)
    profiles = _profiles(door.connection, plans)
    errors = [e for p in plans for q in profiles[p.number] for e in _profile_errors(q, p, zone)]
    if door.is_retry:
        # Rows that were refused once say nothing about their columns.
        errors = [e for e in errors if not isinstance(e, SchemaError)]
    raise_together(errors)
    found = [p for listed in profiles.values() for p in listed]
    names = _Cells(plan, {p.number for p in found if p.naive and zone is not None})
    checks = (NOT_A_ROW, *_partner_checks(plan.source), *_checks(door, plan, names, zone or ""))
    select = _select(door.connection, plan, names, fault_code(checks), zone)
    return tuple(
        TypedFile(
            one,
            plan.parsed,
            select,
            checks,
            tuple(_notes(door.connection, plan.parsed, one, profiles[one.number], zone)),
        )
        for one in plans
    )


def raise_together(errors: Sequence[MqlmlError]) -> None:
    """Raise the faults of all errors as one error of the first one's class, if there are any."""
    if errors:
        raise type(errors[0])(*dict.fromkeys(f for error in errors for f in error.faults))


def _parse(connection: duckdb.DuckDBPyConnection, plans: Sequence[FilePlan]) -> None:
    """Make the table of the files' texts (`__t0`, …) and what was read (`__r0`, …)."""
    plan = plans[0]
    source = plan.source
    if source.where is not None and shape_of(source) is None:
        check_expressions({f"{plan.table}.where": source.where}, plan.staged.columns)
    rows = numbered_rows([(one.number, one.staged) for one in plans])
    steps, last = cleaned_rows(source, plan.staged, rows)
    passes = f"coalesce(CAST(({source.where}\n) AS BOOLEAN), false)" if source.where else "true"
    texts = [f"{f.text} AS __t{n}" for n, f in enumerate(plan.fields)]
    reads = [sql for n, f in enumerate(plan.fields) for sql in _reads(n, f, source)]
    through = [f"{sql} AS {quoted(name)}" for name, sql in plan.passed.items()]
    picked = ", ".join(["*", f"__broken IS NOT NULL OR {passes} AS __passes", *texts])
    refused = [f"({r.sql}) AS __b{n}" for n, r in enumerate(_refusals(source))]
    kept = ["__file", "__row", "__line", "__broken", "__passes", f"{_newest(source)} AS __newest"]
    kept += _lost(source)
    kept += [f"__t{n}" for n in range(len(texts))]
    query = f"""
        CREATE OR REPLACE TABLE {plan.parsed} AS
        WITH {steps}, picked AS (SELECT {picked} FROM {last})
        SELECT {", ".join([*kept, *refused, *reads, *through])} FROM picked
    """
    try:
        connection.execute(query)
    except duckdb.Error as error:
        if source.where is None:
            raise
        mend = "every column is text here: compare with text, or CAST(x AS DOUBLE)"
        found = str(error).splitlines()[0]
        where = f"{plan.table}.where"
        raise ConfigError(Fault("filter cannot be evaluated", where, found, mend)) from error


def _refusals(source: TableSource) -> Sequence[Refusal]:
    shape = shape_of(source)
    return shape.refused if shape is not None else ()


def _newest(source: TableSource) -> str:
    """Return SQL for how new a version of its row a row is; null if the source does not tell."""
    if source.newest_by is None:
        return "CAST(NULL AS DOUBLE)"
    if source.newest_by == "file":
        return "CAST(__file AS DOUBLE)"
    text = quoted(source.newest_by)
    number = casting.number(casting.plain_number(text, source.decimal))
    return f"CAST(coalesce({casting.wall_micros(text, source.time_format)}, {number}) AS DOUBLE)"


def _reads(number: int, one: Field, source: TableSource) -> list[str]:
    text = f"__t{number}"
    if one.column.type is ColumnType.NUMBER:
        read = casting.number(casting.plain_number(text, source.decimal))
    elif one.column.type is ColumnType.FLAG:
        read = casting.flag(text)
    elif one.column.type is ColumnType.TIME:
        read = casting.wall_micros(text, source.time_format)
        naive = casting.is_naive(text, source.time_format)
        return [f"{read} AS __r{number}", f"coalesce({naive}, false) AS __k{number}"]
    else:
        return []
    return [f"{read} AS __r{number}"]


@dataclass(frozen=True)
class _Profile:
    """How a field's values could be read in one file."""

    number: int
    filled: int
    read: int
    naive: int
    nan: int
    example: str


def _profiles(
    connection: duckdb.DuckDBPyConnection, plans: Sequence[FilePlan]
) -> dict[int, list[_Profile]]:
    """Return the profiles of the fields that are read, by the files' numbers."""
    fields = [(n, one) for n, one in enumerate(plans[0].fields) if one.is_read]
    figures = [sql for n, one in fields for sql in _figures(n, one)]
    query = f"""
        SELECT __file, {", ".join(figures)} FROM {plans[0].parsed} WHERE __passes GROUP BY __file
    """
    found = {file: rest for file, *rest in connection.execute(query).fetchall()} if fields else {}
    size = len(_figures(0, plans[0].fields[0]))
    nothing = (0, 0, 0, 0, "") * len(fields)
    return {
        plan.number: [
            _Profile(n, *found.get(plan.number, nothing)[size * k : size * (k + 1)])
            for k, (n, _) in enumerate(fields)
        ]
        for plan in plans
    }


def _figures(number: int, one: Field) -> tuple[str, ...]:
    kind, text, read = one.column.type, f"__t{number}", f"__r{number}"
    naive = f"__k{number} AND {read} IS NOT NULL" if kind is ColumnType.TIME else "false"
    nan = f"isnan({read})" if kind is ColumnType.NUMBER else "false"
    return (
        f"count({text})",
        f"count({read})",
        f"count(*) FILTER ({naive})",
        f"count(*) FILTER ({nan})",
        f"coalesce(arg_min({text}, __row) FILTER ({read} IS NULL), '')",
    )


def _profile_errors(profile: _Profile, plan: FilePlan, zone: str | None) -> list[MqlmlError]:
    one, found = plan.fields[profile.number], profile.example
    where = f"{plan.staged.name}, {plan.table}.{one.shown}"
    unread = profile.filled - profile.read
    # A file of a few bodies of a webhook says nothing about all others: its rows are refused.
    is_few = plan.source.format == "webhooks" and unread < FEW_BODIES
    if unread * 2 > profile.filled and not is_few:
        what = f"most values of {one.shown} are not a {one.column.type}"
        shown = f"{unread} of {profile.filled}, the first is {found[:40]!r}"
        return [SchemaError(Fault(what, where, shown, one.remedy or _mend(one, plan.source)))]
    if profile.naive and zone is None:
        mend = "set 'timezone:' in the config or for this source, for example Europe/Berlin or UTC"
        shown = f"{profile.naive} of {profile.filled} values"
        return [ConfigError(Fault("times without an offset need a time zone", where, shown, mend))]
    return []


def _mend(one: Field, source: TableSource) -> str:
    if one.column.type is ColumnType.TIME:
        given = f" (now {source.time_format!r})" if source.time_format else ""
        return f"map another column, or set 'time_format'{given}, for example '%d.%m.%Y %H:%M'"
    if one.column.type is ColumnType.NUMBER:
        return f"map another column, or set 'decimal' (now {source.decimal!r})"
    return "map another column, or map its words in 'values' to true and false"


class _Cells:
    """Names and SQL of each field's text and of what was read, local times resolved."""

    def __init__(self, plan: FilePlan, local: set[int]) -> None:
        self.plan = plan
        self.local = local

    def read(self, number: int) -> str:
        if number in self.local:
            return (
                f"CASE WHEN __k{number} THEN __r{number} - __z{number}.offset ELSE __r{number} END"
            )
        return f"__r{number}" if self.plan.fields[number].is_read else f"__t{number}"

    def is_gap(self, number: int) -> str:
        # A date alone means the first instant of its day, which every day has.
        has_clock = f"contains(__t{number}, ':')"
        is_gap = f"(__k{number} AND __z{number}.is_gap AND {has_clock})"
        return is_gap if number in self.local else "false"

    def typed(self, number: int) -> str:
        kind, read = self.plan.fields[number].column.type, self.read(number)
        if kind is ColumnType.TIME:
            fits = f"{read} BETWEEN {_YEAR_1} AND {_YEAR_9999}"
            return f"CASE WHEN {fits} THEN make_timestamptz({read}) END"
        return (
            f"CASE WHEN isnan({read}) THEN NULL ELSE {read} END"
            if kind is ColumnType.NUMBER
            else read
        )


def _lost(source: TableSource) -> dict[str, RowJoin]:
    """Return the joins whose missing partner makes a row faulty, by the column that says so."""
    shape = shape_of(source) or RowShape()
    return {lost_name(n): join for n, join in enumerate(shape.joins) if join.is_required}


def _partner_checks(source: TableSource) -> list[Check]:
    checks = []
    for column, join in _lost(source).items():
        reason = f"{join.file} has no row for it"
        remedy = f"export {join.file} too, whole and of the same time"
        checks.append(Check(join.file, reason, remedy, column))
    return checks


def _checks(door: Door, plan: FilePlan, names: _Cells, zone: str) -> list[Check]:
    checks = [
        Check(refusal.column, refusal.reason, refusal.remedy, f"__b{number}")
        for number, refusal in enumerate(_refusals(plan.source))
    ]
    for number, one in enumerate(plan.fields):
        cell = CellNames(f"__t{number}", f"({names.read(number)})", names.is_gap(number))
        for check in column_checks(one.column, cell, times=door.times, valid=one.valid, zone=zone):
            remedy = one.remedy or check.remedy
            checks.append(Check(check.column, check.reason, remedy, check.broken))
    return checks


def _select(
    connection: duckdb.DuckDBPyConnection,
    plan: FilePlan,
    names: _Cells,
    fault: str,
    zone: str | None,
) -> str:
    columns = ["__file", "__row", "__line", "__broken", "__passes", "__newest"]
    typed = {one.name: names.typed(n) for n, one in enumerate(plan.fields)}
    if "arrived_at" in typed:
        typed["arrived_at"] = f"coalesce({typed['arrived_at']}, {typed['occurred_at']})"
    columns += [
        f"CAST({sql} AS {SQL_TYPES[one.column.type]}) AS {quoted(one.name)}"
        for one, sql in zip(plan.fields, typed.values(), strict=True)
    ]
    columns += [quoted(name) for name in plan.passed]
    joins = ""
    for number in sorted(names.local):
        joins += (
            f" ASOF LEFT JOIN {_zone_table(connection, zone or '')} AS __z{number}"
            f" ON __r{number} >= __z{number}.local_from"
        )
    # A fault is a row's first; a time outside every stretch of its zone has no code of its own.
    return f"SELECT {', '.join(columns)}, {fault} AS __fault FROM {plan.parsed}{joins}"


def _zone_table(connection: duckdb.DuckDBPyConnection, zone: str) -> str:
    name = quoted(f"zone {zone}")
    found = stretches(zone)
    columns = {
        "local_from": [s.local_from for s in found],
        "offset": [s.offset for s in found],
        "is_gap": [s.is_gap for s in found],
        "is_twice": [s.is_twice for s in found],
    }
    connection.register("stretches", pa.table(columns))
    connection.execute(f"CREATE TABLE IF NOT EXISTS {name} AS SELECT * FROM stretches")
    connection.unregister("stretches")
    return name


def _notes(
    connection: duckdb.DuckDBPyConnection,
    parsed: str,
    plan: FilePlan,
    profiles: Sequence[_Profile],
    zone: str | None,
) -> list[Note]:
    notes = [Note(plan.table, plan.staged.name, "", remark) for remark in plan.staged.remarks]
    for profile in profiles:
        name = plan.fields[profile.number].shown
        if profile.nan:
            what = "NaN taken as missing"
            notes.append(Note(plan.table, plan.staged.name, name, what, profile.nan))
        if profile.naive and zone is not None:
            rows = f"(SELECT * FROM {parsed} WHERE __file = {plan.number})"
            twice = _twice(connection, rows, profile.number, zone)
            what = f"local times that happen twice in {zone}, taken as the first"
            notes += [Note(plan.table, plan.staged.name, name, what, twice)] if twice else []
    return notes


def _twice(connection: duckdb.DuckDBPyConnection, rows: str, number: int, zone: str) -> int:
    query = f"""
        SELECT count(*) FROM {rows} AS r
        ASOF JOIN {_zone_table(connection, zone)} AS z ON __r{number} >= z.local_from
        WHERE __passes AND __k{number} AND z.is_twice
    """
    (count,) = only_row(connection, query)
    return int(count)
