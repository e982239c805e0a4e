"""What was seen of the data as of a moment, as one digest that later data do not change.

The digest is of the rows that scoring may look at: leads created by `as_of`, events
that counted before it, dated attributes and stages given before it. An event that
happened earlier and arrived later is not among them, and neither is anything about
outcomes, which are learnt afterwards. It is a sum over rows, so it does not depend
on their order, on how the log is cut into buckets, or on columns that are empty in
every row seen. Whoever edits a row in place changes it.

Sums can be taken apart: a snapshot keeps them by day, so that asking for a moment
reads the rows of that moment's day only.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from mqlml import timeline
from mqlml.tables.contracts import (
    ATTRIBUTES,
    EVENTS,
    LEADS,
    SPELL_COLUMNS,
    STAGES,
    Attribute,
    Column,
    ColumnType,
    Known,
    Tables,
)
from mqlml.tables.sql import literal, quoted

DAY_SUMS = "seen.parquet"
_DIGEST_LENGTH = 32
_WORD = 2**64
_TABLES = ("leads", "attributes", "events", "stages")


@dataclass(frozen=True)
class SeenData:
    """How many rows of each table were seen, and the digest of them all."""

    digest: str
    leads: int
    attributes: int
    events: int
    stages: int

    def to_json(self) -> dict[str, Any]:
        """Return plain values for the ledger."""
        return asdict(self)


@dataclass(frozen=True)
class _Part:
    """Rows of one table: where they lie, what is read of them, and when each counts from.

    A lead counts at the very moment of its creation (`is_inclusive`), everything else after.
    """

    table: str
    files: str
    columns: tuple[Column, ...]
    counts_from: str
    is_inclusive: bool = False
    counts_until: str | None = None

    def query(self, condition: Callable[[str], str]) -> str:
        """Return the query of (table, day, rows, total) for rows whose time meets a condition.

        A row that no longer counts is taken off again on the day of its end.
        """
        begun = self._query(f"epoch_us({self.counts_from})", condition, sign="")
        if self.counts_until is None:
            return begun
        at = f"epoch_us({self.counts_until})"
        ended = self._query(at, lambda t: f"{t} IS NOT NULL AND {condition(t)}", sign="-")
        return f"{begun} UNION ALL {ended}"

    def _query(self, at: str, condition: Callable[[str], str], *, sign: str) -> str:
        cells = [_cell_text(c) for c in sorted(self.columns, key=lambda column: column.name)]
        total = f"sum(CAST(md5_number_lower(concat_ws('', {', '.join(cells)})) AS HUGEINT))"
        word = f"{_WORD}::HUGEINT"
        modulo = f"CAST((({sign}{total}) % {word} + {word}) % {word} AS UBIGINT)"
        return f"""
            SELECT {literal(self.table)} AS "table", {at} // {timeline.MICROS_PER_DAY} AS day,
                {sign}count(*) AS "rows", {modulo} AS total
            FROM {self.files} WHERE {condition(at)} GROUP BY day
        """


def write_day_sums(
    folder: Path, specs: Sequence[Attribute], properties: Sequence[Column], *, spill: Path
) -> None:
    """Write the sums by table and day of the snapshot's files in `folder` beside them."""
    with _connection() as connection:
        connection.execute(f"SET temp_directory = {literal(str(spill))}")
        queries = [part.query(lambda _: "true") for part in _parts(folder, specs, properties)]
        sums = connection.sql(f"{' UNION ALL '.join(queries)} ORDER BY ALL").to_arrow_table()
    pq.write_table(sums, folder / DAY_SUMS, compression="zstd")


def seen_data(tables: Tables, as_of: int) -> SeenData:
    """Return what `tables`, as read from a snapshot, hold that was known at `as_of`.

    With times made from an order column all rows are seen, whatever `as_of` is.
    """
    folder = tables.events.folder.parent
    parts = list(_parts(folder, tables.attribute_specs, tables.events.properties))
    day = as_of // timeline.MICROS_PER_DAY
    with _connection() as connection:
        if tables.is_order_time:
            sums = _rows(connection, [_kept(folder, "true")])
        else:
            begun = [_of_begun_day(part, day, as_of) for part in parts]
            sums = _rows(connection, [_kept(folder, f"day < {day}"), *begun])
    rows = {name: sum(row[2] for row in sums if row[0] == name) for name in _TABLES}
    totals = {name: sum(row[3] for row in sums if row[0] == name) % _WORD for name in _TABLES}
    text = json.dumps([rows, totals], sort_keys=True)
    return SeenData(hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH], **rows)


def _kept(folder: Path, condition: str) -> str:
    path = literal(str(folder / DAY_SUMS))
    return f'SELECT "table", day, "rows", total FROM read_parquet({path}) WHERE {condition}'


def _of_begun_day(part: _Part, day: int, as_of: int) -> str:
    # What `timeline.is_known` and `is_seen` say, over one day of a file.
    compared = "<=" if part.is_inclusive else "<"
    start = day * timeline.MICROS_PER_DAY
    return part.query(lambda at: f"{at} >= {start} AND {at} {compared} {as_of}")


def _rows(connection: duckdb.DuckDBPyConnection, queries: Sequence[str]) -> list[Any]:
    rows: list[Any] = connection.execute(" UNION ALL ".join(queries)).fetchall()
    return rows


def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _parts(
    folder: Path, specs: Sequence[Attribute], properties: Sequence[Column]
) -> Iterator[_Part]:
    """Yield the tables that scoring looks at, with the columns that their files have."""
    created = (Column(a.name, a.type) for a in specs if a.known is Known.CREATION)
    of_leads = (*(c for c in LEADS.columns if c.name != "outcome"), *created)
    yield _part(folder / "leads.parquet", "leads", of_leads, "created_at")
    yield _part(folder / "attributes.parquet", "attributes", ATTRIBUTES.columns, "known_at")
    yield _part(folder / "stages.parquet", "stages", STAGES.columns, "entered_at")
    events = folder / "events" / "**" / "*.parquet"
    own = [c for c in properties if c not in SPELL_COLUMNS]
    times = ["occurred_at", "arrived_at"]
    of_events = (*EVENTS.columns, *own)
    if len(own) == len(properties):
        yield _part(events, "events", of_events, f"greatest({', '.join(times)})")
    else:
        # DuckDB's `greatest` passes over what is missing.
        begin = f"greatest({', '.join([*times, 'counts_after'])})"
        yield replace(_part(events, "events", of_events, begin), counts_until="counts_until")


def _part(path: Path, table: str, columns: Sequence[Column], counts_from: str) -> _Part:
    one = next(path.parents[1].glob("*/*.parquet")) if "*" in path.name else path
    held = frozenset(pq.read_schema(one).names)
    kept = tuple(c for c in columns if c.name in held)
    return _Part(table, _file(path), kept, counts_from, is_inclusive=table == "leads")


def _file(path: Path) -> str:
    return f"read_parquet({literal(str(path))}, hive_partitioning = false)"


def _cell_text(column: Column) -> str:
    """Return SQL for a cell's name, kind and value; null if the value is missing."""
    name = quoted(column.name)
    value = f"epoch_us({name})" if column.type is ColumnType.TIME else name
    text = f"CAST({value} AS VARCHAR)"
    # The length keeps one cell's text from being taken for two.
    head = literal(f"{column.name}:{column.type.value}:")
    return f"{head} || length({text}) || ':' || {text}"
