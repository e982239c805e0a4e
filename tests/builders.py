"""Small tables for tests, written the way the snapshot holds them.

    tables = make_tables(
        tmp_path,
        leads=[{"lead_id": "a", "created_at": "2026-01-05", "industry": "Steel"}],
        events=[{"lead_id": "a", "occurred_at": "2026-01-06 10:00", "type": "webinar"}],
    )

Times are text in UTC ("2026-01-05 10:00"), or whole microseconds. What an event
leaves out is filled: a running event_id, arrival when it happened, a page view,
not a bot. Attributes of leads are whatever columns the rows have beyond the
contract; text and numbers are told apart by their values.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mqlml.storage.scores import ScoreFile, exported, parquet_bytes
from mqlml.tables.contracts import (
    ATTRIBUTES,
    EVENTS,
    HANDOVERS,
    LEADS,
    STAGES,
    VERDICTS,
    Attribute,
    Column,
    ColumnType,
    Contract,
    EventLog,
    Known,
    Tables,
)

Row = Mapping[str, Any]

_ARROW = {
    ColumnType.TEXT: pa.string(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.FLAG: pa.bool_(),
    ColumnType.TIME: pa.timestamp("us", tz="UTC"),
}
_PANDAS = {ColumnType.TEXT: "str", ColumnType.NUMBER: "float64", ColumnType.FLAG: "boolean"}


def at(when: str | int) -> int:
    """Return `when` ("2026-01-05 10:00", in UTC) as whole microseconds."""
    if isinstance(when, int):
        return when
    return int(pd.Timestamp(when, tz="UTC").value) // 1000  # pandas counts in ns


def make_points(*points: tuple[str, str | int]) -> pd.DataFrame:
    """Return points (lead_id, as_of) in the given order."""
    return pd.DataFrame(
        {
            "lead_id": pd.Series([lead for lead, _ in points], dtype="str"),
            "as_of": pd.Series([at(when) for _, when in points], dtype="int64"),
        }
    )


def make_tables(
    folder: Path,
    *,
    leads: Sequence[Row] = (),
    events: Sequence[Row] = (),
    data_end: str | int = "2027-01-01",
    properties: tuple[Column, ...] = (),
    attribute_specs: tuple[Attribute, ...] | None = None,
    **others: Sequence[Row],
) -> Tables:
    """Return tables over `folder`, where the events are written as bucketed Parquet.

    `others` are the rows of attributes, stages, verdicts and handovers. Without
    `attribute_specs`, columns of `leads` are known at creation and names in
    `attributes` are dated texts.
    """
    specs = attribute_specs
    if specs is None:
        specs = _specs(leads, others.get("attributes", ()))
    extra = tuple(Column(s.name, s.type) for s in specs if s.known is not Known.DATED)
    return Tables(
        leads=_frame(LEADS, leads, extra),
        attributes=_frame(ATTRIBUTES, others.get("attributes", ())),
        stages=_frame(STAGES, others.get("stages", ())),
        verdicts=_frame(VERDICTS, others.get("verdicts", ())),
        handovers=_frame(HANDOVERS, others.get("handovers", ())),
        events=write_events(folder / "events", events, properties=properties),
        attribute_specs=specs,
        data_end=at(data_end),
        digest="test",
    )


def write_events(
    folder: Path,
    events: Sequence[Row],
    *,
    properties: tuple[Column, ...] = (),
    buckets: int = 3,
) -> EventLog:
    """Return the log of `events`, written to `folder` as `bucket=N/part.parquet`, in row order."""
    columns = (*EVENTS.columns, *properties)
    filled = [_filled(event, number) for number, event in enumerate(events)]
    folder.mkdir(parents=True, exist_ok=True)
    for bucket in range(buckets):
        rows = [e for e in filled if crc32(e["lead_id"].encode()) % buckets == bucket]
        if rows:
            (folder / f"bucket={bucket}").mkdir(exist_ok=True)
            pq.write_table(_arrow(columns, rows), folder / f"bucket={bucket}" / "part.parquet")
    return EventLog(folder, len(filled), properties)


def _filled(event: Row, number: int) -> dict[str, Any]:
    base = {"event_id": f"e{number:06d}", "type": "page_view", "is_bot": False}
    happened = {"arrived_at": event["occurred_at"]}
    return base | happened | dict(event)


def _arrow(columns: Sequence[Column], rows: Sequence[Row]) -> pa.Table:
    arrays = {}
    for column in columns:
        values = [row.get(column.name) for row in rows]
        if column.type is ColumnType.TIME:
            values = [None if v is None else at(v) for v in values]
        arrays[column.name] = pa.array(values, type=_ARROW[column.type])
    return pa.table(arrays)


def _frame(contract: Contract, rows: Sequence[Row], extra: Sequence[Column] = ()) -> pd.DataFrame:
    columns = {}
    for column in (*contract.columns, *extra):
        columns[column.name] = _series(column, [row.get(column.name) for row in rows])
    return pd.DataFrame(columns)


def _series(column: Column, values: list[Any]) -> pd.Series:
    if column.type is ColumnType.TIME:
        micros = pd.Series([at(v) for v in values], dtype="int64")
        return pd.to_datetime(micros, unit="us", utc=True).astype("datetime64[us, UTC]")
    return pd.Series(values, dtype=_PANDAS[column.type])


def _specs(leads: Sequence[Row], attributes: Sequence[Row]) -> tuple[Attribute, ...]:
    names = dict.fromkeys(n for row in leads for n in row if n not in LEADS.names)
    created = [Attribute(n, _type_of([row.get(n) for row in leads])) for n in names]
    dated = dict.fromkeys(row["name"] for row in attributes)
    return (*created, *(Attribute(n, ColumnType.TEXT, Known.DATED) for n in dated))


def _type_of(values: list[Any]) -> ColumnType:
    given = [v for v in values if v is not None]
    if given and all(isinstance(v, bool) for v in given):
        return ColumnType.FLAG
    if given and all(isinstance(v, int | float) for v in given):
        return ColumnType.NUMBER
    return ColumnType.TEXT


def write_scores(folder: Path, frame: pd.DataFrame, **facts: Any) -> Path:
    """Write scores as a run does; return the file, or with `format="csv"` the CSV of it."""
    form = facts.pop("format", "parquet")
    file = ScoreFile(folder, **facts)
    file.write(parquet_bytes(frame))
    return exported(file.path, frame, form)
