"""A generated event log of any size in the layout of a snapshot, and points to look at it.

The same size and seed give the same bytes. One bucket is in memory at a time.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mqlml.storage.snapshot import write_bucket
from mqlml.tables.buckets import bucket_count, bucket_sql
from mqlml.tables.contracts import (
    ATTRIBUTES,
    HANDOVERS,
    STAGES,
    VERDICTS,
    Attribute,
    ColumnType,
    EventLog,
    Tables,
)
from mqlml.timeline import MICROS_PER_DAY, MICROS_PER_WEEK

START = 1_735_689_600_000_000  # 2025-01-01
SPAN_DAYS = 180  # a lead is active for so long
FIRST_WEEK = 4  # after its creation a lead is first looked at
TYPES = ("page_view", "email_open", "email_click", "form_submit", "download", "webinar")
TYPE_SHARES = (0.55, 0.2, 0.1, 0.05, 0.06, 0.04)
PAGES = (*(f"/page-{i}" for i in range(40)), "/pricing", "/demo", "/case-study", "/docs")
CHANNELS = ("organic", "paid", "email", "social", "referral")
SOURCES = ("web", "mail", "crm")
_INDUSTRIES = ("Steel", "Software", "Retail", "Food", "Media")


@dataclass(frozen=True)
class Size:
    """How many events and points; a lead has `points_per_lead` of them, a week apart.

    `whale_share` of the events belong to one lead.
    """

    events: int
    points: int
    points_per_lead: int = 20
    seed: int = 7
    whale_share: float = 0.0

    @property
    def leads(self) -> int:
        """Return the number of leads."""
        return self.points // self.points_per_lead


def make_data(folder: Path, size: Size) -> None:
    """Write `events/bucket=N/part.parquet`, `points.parquet`, `leads.parquet` and `size.json`."""
    done = folder / "size.json"
    facts = json.dumps(vars(size), sort_keys=True)
    if done.exists() and done.read_text(encoding="utf-8") == facts:
        return
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(size.seed)
    ids = pa.array([f"lead-{i:08d}" for i in range(size.leads)])
    created = START + draw.integers(0, 200 * MICROS_PER_DAY, size.leads)
    _write_leads(folder, ids, created, draw)
    _write_points(folder, ids, created, size)
    _write_events(folder / "events", ids, created, size, draw)
    done.write_text(facts, encoding="utf-8")


def _write_leads(folder: Path, ids: pa.Array, created: npt.NDArray[np.int64], draw: Any) -> None:
    leads = {
        "lead_id": ids,
        "created_at": pa.array(created, pa.timestamp("us", "UTC")),
        "outcome": pa.nulls(len(ids), pa.bool_()),
        "account_id": pa.nulls(len(ids), pa.string()),
        "industry": pa.array(np.array(_INDUSTRIES)[draw.integers(0, 5, len(ids))]),
        "employees": pa.array(draw.integers(1, 5_000, len(ids)).astype(np.float64)),
    }
    pq.write_table(pa.table(leads), folder / "leads.parquet")


def _write_points(folder: Path, ids: pa.Array, created: npt.NDArray[np.int64], size: Size) -> None:
    """Write the points as training asks for them: by time, then lead."""
    weeks = FIRST_WEEK + np.arange(size.points_per_lead)
    as_of = (created[:, np.newaxis] + weeks * MICROS_PER_WEEK).ravel()
    lead = np.repeat(np.arange(size.leads), size.points_per_lead)
    order = np.lexsort((lead, as_of))
    points = {"lead_id": ids.take(pa.array(lead[order])), "as_of": pa.array(as_of[order])}
    pq.write_table(pa.table(points), folder / "points.parquet")


def _write_events(
    folder: Path, ids: pa.Array, created: npt.NDArray[np.int64], size: Size, draw: Any
) -> None:
    weight = draw.lognormal(0.0, 1.0, size.leads)
    weight[draw.random(size.leads) < 0.03] = 0.0  # leads that never do anything
    known = size.events - round(size.whale_share * size.events)
    counts = draw.multinomial(known, weight / weight.sum())
    counts[0] += size.events - known
    buckets = bucket_count(size.events)
    with duckdb.connect(":memory:") as connection:
        connection.register("ids", pa.table({"lead_id": ids}))
        query = f"SELECT {bucket_sql(buckets)} AS bucket FROM ids"
        of_lead = connection.execute(query).fetchnumpy()["bucket"]
    for bucket in range(buckets):
        leads = np.flatnonzero(of_lead == bucket)
        rng = np.random.default_rng((size.seed, bucket))
        table = _events(ids, leads, counts[leads], created, bucket, rng)
        write_bucket(table, folder / f"bucket={bucket}")


def _events(
    ids: pa.Array,
    leads: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    created: npt.NDArray[np.int64],
    bucket: int,
    rng: np.random.Generator,
) -> pa.Table:
    lead = np.repeat(leads, counts)
    rows = len(lead)
    at = created[lead] + rng.integers(0, SPAN_DAYS * MICROS_PER_DAY, rows)
    order = np.lexsort((at, lead))
    lead, at = lead[order], at[order]
    late = np.where(rng.random(rows) < 0.01, rng.integers(0, 3 * MICROS_PER_DAY, rows), 0)
    kind = rng.choice(len(TYPES), rows, p=TYPE_SHARES)
    is_view = kind == 0
    has_value = rng.random(rows) < 0.3
    return pa.table(
        {
            "event_id": pa.array(np.char.mod(f"e{bucket:05d}-%09d", np.arange(rows))),
            "lead_id": ids.take(pa.array(lead)),
            "occurred_at": pa.array(at - late, pa.timestamp("us", "UTC")),
            "arrived_at": pa.array(at, pa.timestamp("us", "UTC")),
            "type": _coded(kind, TYPES),
            "source": _coded(rng.integers(0, 3, rows), SOURCES),
            "channel": _coded(rng.integers(0, 5, rows), CHANNELS),
            "campaign": _coded(rng.integers(0, 30, rows), [f"c{i}" for i in range(30)]),
            "page": _coded(rng.integers(0, len(PAGES), rows), PAGES, is_view),
            "asset": pa.nulls(rows, pa.string()),
            "value": pa.array(np.round(rng.gamma(2.0, 20.0, rows), 1), mask=~has_value),
            "duration_s": pa.array(np.round(rng.exponential(60.0, rows)), mask=~is_view),
            "is_bot": pa.array(rng.random(rows) < 0.02),
        }
    )


def _coded(codes: Any, names: Any, keep: Any = None) -> pa.Array:
    mask = None if keep is None else ~keep
    coded = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32(), mask=mask), list(names))
    return coded.cast(pa.string())


def read_tables(folder: Path) -> Tables:
    """Return the generated tables, as a snapshot's."""
    leads = pd.read_parquet(folder / "leads.parquet")
    leads["outcome"] = leads["outcome"].astype("boolean")
    leads["account_id"] = leads["account_id"].astype("str")
    empty = {
        contract.table: pd.DataFrame({name: pd.Series(dtype="str") for name in contract.names})
        for contract in (ATTRIBUTES, STAGES, VERDICTS, HANDOVERS)
    }
    size = json.loads((folder / "size.json").read_text(encoding="utf-8"))
    return Tables(
        leads=leads,
        events=EventLog(folder / "events", size["events"]),
        attribute_specs=(
            Attribute("industry", ColumnType.TEXT),
            Attribute("employees", ColumnType.NUMBER),
        ),
        data_end=START + 2 * SPAN_DAYS * MICROS_PER_DAY,
        digest=json.dumps(size),
        **empty,
    )


def read_points(folder: Path) -> pd.DataFrame:
    """Return the points (lead_id, as_of in microseconds)."""
    return pd.read_parquet(folder / "points.parquet")
