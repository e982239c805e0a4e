"""Features of one snapshot on the local engine and on Spark: CPU seconds, start-up apart.

    python benchmarks/spark_features.py --events 1000000 --leads 10000
    python benchmarks/spark_features.py --events 1000000 --leads 1 --points 50

CPU seconds are user and system time of this process and of every process below it
(Java and its Python workers), read from /proc, so it runs on Linux only. A first
small job starts everything before the clock does.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mqlml.engines.local import LocalEngine
from mqlml.engines.settings import EngineSettings
from mqlml.engines.spark import SparkEngine
from mqlml.engines.spark_session import close_session, exact_times, open_session
from mqlml.features.plan import Plan, make_plan
from mqlml.features.settings import PlanSettings
from mqlml.storage.parts import open_parts, write_part
from mqlml.tables.buckets import bucket_count, bucket_of
from mqlml.tables.contracts import EVENTS, Attribute, ColumnType, EventLog, Tables
from mqlml.timeline import MICROS_PER_DAY

START = 1_735_689_600_000_000
DAYS = 365
TYPES = ("page_view", "email_open", "email_click", "webinar", "form_submit", "download")
PAGES = tuple(f"/page-{number}" for number in range(40))
_JOBS = ("local", "local write", "buckets", "buckets write", "table parts", "table write")
TICK = os.sysconf("SC_CLK_TCK")


def plan() -> Plan:
    """Return about a hundred features: counts, recency, values, rhythm."""
    signals = {kind: {"where": f"type = '{kind}'"} for kind in TYPES}
    signals["pricing"] = {"where": "type = 'page_view' AND page IN ('/page-1', '/page-2')"}
    names = ["any", *signals]
    lines = [
        {"kinds": ["count"], "signals": names, "windows_days": [7, 14, 30, 90, 180, "ever"]},
        {"kinds": ["days_since_last", "days_since_first"], "signals": names},
        {"kinds": ["active_days", "sessions"], "signals": ["any"], "windows_days": [7, 30, 90]},
        {"kinds": ["sum", "max"], "of": "value", "windows_days": [7, 30, 90, "ever"]},
        {"kinds": ["distinct"], "of": "page", "windows_days": [7, 30, 90, "ever"]},
        {"kinds": ["decayed_count"], "half_life_days": 14, "signals": names},
        {"kinds": ["weekly_slope"], "windows_days": [28, 84]},
        {"kinds": ["active_weeks_streak"]},
    ]
    settings = PlanSettings.model_validate({"signals": signals, "features": lines})
    return make_plan(
        settings, [Attribute("industry", ColumnType.TEXT)], event_columns=EVENTS.columns
    )


def write_events(folder: Path, events: int, leads: int) -> EventLog:
    """Return a log of drawn events in the snapshot's buckets."""
    if folder.exists():
        return EventLog(folder, events)
    draw, buckets = np.random.default_rng(7), bucket_count(events)
    home = np.array([bucket_of(lead_id(lead), buckets) for lead in range(leads)])
    lead = draw.integers(0, leads, events)
    for bucket in range(buckets):
        rows = np.sort(lead[home[lead] == bucket])
        if len(rows):
            (folder / f"bucket={bucket}").mkdir(parents=True)
            table = _events(rows, draw, bucket)
            pq.write_table(table, folder / f"bucket={bucket}" / "part.parquet", compression="zstd")
    return EventLog(folder, events)


def lead_id(number: int) -> str:
    """Return the id of a lead."""
    return f"lead-{number:08d}"


def _events(
    lead: "np.ndarray[tuple[int], np.dtype[np.int64]]", draw: np.random.Generator, bucket: int
) -> pa.Table:
    count = len(lead)
    at = START + draw.integers(0, DAYS * MICROS_PER_DAY, count)
    at = at[np.lexsort((at, lead))]
    times = pa.array(at).view(pa.timestamp("us", "UTC"))
    none = pa.nulls(count, pa.string())
    kinds = draw.choice(len(TYPES), count, p=[0.6, 0.15, 0.1, 0.05, 0.05, 0.05])
    numbers = np.where(draw.random(count) < 0.5, np.nan, draw.random(count) * 100)
    columns = {
        "event_id": pa.array([f"e{bucket}-{row}" for row in range(count)]),
        "lead_id": pa.array([lead_id(number) for number in lead.tolist()]),
        "occurred_at": times,
        "arrived_at": times,
        "type": pa.array(np.array(TYPES)[kinds]),
        "source": none,
        "channel": none,
        "campaign": none,
        "page": pa.array(np.array(PAGES)[draw.integers(0, len(PAGES), count)]),
        "asset": none,
        "value": pa.array(numbers, from_pandas=True),
        "duration_s": pa.nulls(count, pa.float64()),
        "is_bot": pa.array(draw.random(count) < 0.02),
        "bot_reason": pa.nulls(count, pa.string()),
    }
    return pa.table({name: columns[name] for name in EVENTS.names})


def make_tables(folder: Path, events: int, leads: int) -> Tables:
    """Return a snapshot of leads that are all there from the start."""
    ids = pd.Series([lead_id(number) for number in range(leads)], dtype="str")
    created = pd.to_datetime(pd.Series(np.full(leads, START)), unit="us", utc=True)
    industry = pd.Series(np.array(["steel", "food", "software"])[np.arange(leads) % 3], dtype="str")
    none = pd.DataFrame({name: [] for name in ("lead_id", "name", "value")}, dtype="str")
    none["known_at"] = pd.to_datetime(pd.Series([], dtype="int64"), unit="us", utc=True)
    return Tables(
        leads=pd.DataFrame(
            {"lead_id": ids, "created_at": created.dt.as_unit("us"), "industry": industry}
        ),
        attributes=none,
        stages=pd.DataFrame(
            {"lead_id": none["lead_id"], "stage": none["name"], "entered_at": none["known_at"]}
        ),
        verdicts=pd.DataFrame(),
        handovers=pd.DataFrame(),
        events=write_events(folder, events, leads),
        attribute_specs=(Attribute("industry", ColumnType.TEXT),),
        data_end=START + DAYS * MICROS_PER_DAY,
        digest="benchmark",
    )


def make_points(leads: int, per_lead: int) -> pd.DataFrame:
    """Return `per_lead` points of each lead, spread over the year."""
    ids = np.array([lead_id(number) for number in range(leads)])
    moments = START + (np.arange(per_lead) + 1) * DAYS * MICROS_PER_DAY // per_lead
    return pd.DataFrame(
        {
            "lead_id": pd.Series(np.repeat(ids, per_lead), dtype="str"),
            "as_of": np.tile(moments, leads).astype(np.int64),
        }
    )


def cpu_seconds() -> dict[str, float]:
    """Return user and system seconds so far, by kind of process: this one, java, python."""
    found: dict[str, float] = {}
    for pid in _family(os.getpid()):
        name = _name(pid)
        found[name] = found.get(name, 0.0) + _seconds(pid)
    return found


def _name(pid: int) -> str:
    return "driver" if pid == os.getpid() else Path(f"/proc/{pid}/comm").read_text().strip()


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            children = (task / "children").read_text().split()
        except FileNotFoundError:
            continue  # the thread has just ended
        for child in children:
            yield from _family(int(child))


def _seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / TICK  # its own, and its children's that have ended


def peak_mib() -> dict[str, int]:
    """Return the largest resident memory so far of the living processes of each kind."""
    found: dict[str, int] = {}
    for pid in _family(os.getpid()):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        kib = dict(line.split(":", 1) for line in lines).get("VmHWM", "0").split()[0]
        found[_name(pid)] = max(found.get(_name(pid), 0), int(kib) // 1024)
    return found


def measured(job: Callable[[], object]) -> dict[str, object]:
    """Return CPU and wall seconds of one run of `job`."""
    before, wall = cpu_seconds(), time.perf_counter()
    job()
    wall, after = time.perf_counter() - wall, cpu_seconds()
    cpu = {name: round(seconds - before.get(name, 0.0), 2) for name, seconds in after.items()}
    return {"cpu_s": round(sum(cpu.values()), 2), "of": cpu, "wall_s": round(wall, 2)}


def main() -> None:
    """Print one JSON object of figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--leads", type=int, default=6_000)
    parser.add_argument("--points", type=int, default=10, help="points per lead")
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--option", nargs="*", default=[], help="Spark properties, name=value")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each; all are told")
    parser.add_argument("--folder", type=Path, help="where drawn events are kept for other runs")
    parser.add_argument("--only", nargs="*", default=list(_JOBS), choices=_JOBS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        kept = (asked.folder or folder) / f"{asked.events}-{asked.leads}"
        tables = make_tables(kept, asked.events, asked.leads)
        small = make_tables(folder / "small", 1_000_000, 1_000)
        points, features = make_points(asked.leads, asked.points), plan()
        options = dict(option.split("=", 1) for option in asked.option)
        engine = SparkEngine(EngineSettings(kind="spark", master=asked.master, options=options))
        session = open_session(engine.settings)

        def from_table(whole: Tables, rows: pd.DataFrame, name: str) -> None:
            found = engine.features(*engine.to_spark(whole, rows), features)
            with exact_times(session):
                found.write.mode("overwrite").parquet(str(folder / name))

        def parts_from_table(whole: Tables, rows: pd.DataFrame) -> None:
            shutil.rmtree(folder / "parts", ignore_errors=True)
            (folder / "parts").mkdir()
            own, asked = engine.to_spark(whole, rows)
            engine.write_parts(own, asked, features, folder / "parts", write=write_part)

        def by_workers(whole: Tables, rows: pd.DataFrame) -> None:
            shutil.rmtree(folder / "written", ignore_errors=True)
            (folder / "written").mkdir()
            engine.write(whole, rows, features, folder / "written", write=write_part)

        def by_local(whole: Tables, rows: pd.DataFrame) -> None:
            parts = open_parts(folder / "local", str(len(rows)))
            LocalEngine().write(whole, rows, features, parts)
            parts.finish()

        few = make_points(1_000, 3)
        jobs: dict[str, Callable[[Tables, pd.DataFrame], object]] = {
            "local": lambda t, p: LocalEngine().compute(t, p, features),
            "local write": by_local,
            "buckets": lambda t, p: engine.compute(t, p, features),
            "buckets write": by_workers,
            "table parts": parts_from_table,
            "table write": lambda t, p: from_table(t, p, "from-table"),
        }
        figures: dict[str, object] = {
            "events": asked.events,
            "points": len(points),
            "features": len(features.columns),
        }
        for name in asked.only:
            jobs[name](small, few)
            runs = range(asked.repeat)
            figures[name] = [measured(lambda: jobs[name](tables, points)) for _ in runs]  # noqa: B023
            figures[f"{name} peak MiB"] = peak_mib()
            print(name, json.dumps(figures[name]), file=sys.stderr)
        print(json.dumps(figures, indent=1))
        close_session()


if __name__ == "__main__":
    main()
