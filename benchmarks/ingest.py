"""Google Analytics rows through the door, beside the least that DuckDB needs for them.

    python -m benchmarks.ingest [--rows 500000] [--data FOLDER]

The floor reads the same file, unnests every event's parameters and writes both as Parquet.
Ours reads it, checks every row, and leaves canonical events in buckets. Each case runs in a
process of its own and tells its CPU seconds (all threads) and its peak memory. The increment
is the same file cut into 100 days, one of which is new.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.results_file import write_rows

DAY = 86_400_000_000
START = 1_735_689_600_000_000  # 2025-01-01
_DAYS = 100
_PAGES = ("", "pricing", "product", "blog/how-to", "customers", "docs/start", "careers", "demo")
_NAMES = ("page_view", "page_view", "page_view", "user_engagement", "scroll", "session_start")


def write_ga4(folder: Path, rows: int) -> Path:
    """Return a file of events as `bq extract` writes them, made from a seed; written once."""
    path = folder / f"ga4-{rows}.json"
    if path.exists():
        return path
    dice = random.Random(7)  # noqa: S311 - made-up visits
    aside = path.with_suffix(".new")
    with aside.open("w", encoding="utf-8") as file:
        for number in range(rows):
            file.write(json.dumps(_event(number, rows, dice), separators=(",", ":")) + "\n")
    aside.rename(path)
    return path


def _event(number: int, rows: int, dice: random.Random) -> dict[str, Any]:
    lead = dice.randrange(max(1, rows // 40))
    at = START + number * _DAYS * DAY // rows
    url = f"https://www.example.com/{dice.choice(_PAGES)}?utm_source=news&gclid=x{number % 97}"
    params = [
        _param("page_location", "string", url),
        _param("page_title", "string", "How to do it well | Example"),
        _param("ga_session_id", "int", str(1_700_000_000 + lead)),
        _param("ga_session_number", "int", str(1 + number % 9)),
        _param("engagement_time_msec", "int", str(dice.randrange(60_000))),
        _param("campaign", "string", "spring"),
    ]
    return {
        "event_date": time.strftime("%Y%m%d", time.gmtime(at // 1_000_000)),
        "event_timestamp": str(at),
        "event_name": dice.choice(_NAMES),
        "event_params": params,
        "event_bundle_sequence_id": str(number),
        "user_id": f"L{lead}",
        "user_pseudo_id": f"{lead}.{lead + 7}",
        "user_properties": [_param("crm", "string", f"c{lead}")],
        "device": {"category": "desktop", "web_info": {"browser": "Chrome"}},
        "geo": {"country": "Germany", "city": "Berlin"},
        "stream_id": "1234567",
        "platform": "WEB",
    }


def _param(key: str, kind: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {f"{kind}_value": value}}


def floor(path: Path, work: Path) -> None:
    """Read the file, unnest the parameters, and write events and parameters as Parquet."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET memory_limit = '2GB'")
        connection.execute(f"SET temp_directory = '{work / 'spill'}'")
        connection.execute(
            f"COPY (SELECT * EXCLUDE (p), p.key AS key, p.value AS value FROM"
            f" (SELECT *, unnest(event_params) AS p FROM read_json('{path}',"
            f" format = 'newline_delimited'))) TO '{work / 'floor.parquet'}' (FORMAT parquet)"
        )


def ours(path: Path, work: Path) -> None:
    """Ingest the file into a workspace."""
    from mqlml.workflows.ingest import ingest
    from mqlml.workflows.project import open_project

    (work / "ga4").mkdir()
    (work / "ga4" / "events.json").symlink_to(path)
    rows = int(path.stem.split("-")[1])
    leads = "".join(f"L{n},2025-01-01\n" for n in range(max(1, rows // 40)))
    (work / "leads.csv").write_text(f"lead_id,created_at\n{leads}", encoding="utf-8")
    (work / "our.yaml").write_text(CONFIG, encoding="utf-8")
    project = open_project(work / "our.yaml", workspace=work / "w")
    done = ingest(project, say=lambda _text: None)
    kept = sum(count.kept for count in done.counts if count.table == "events")
    if kept != rows:
        raise SystemExit(f"{kept} of {rows} events were kept")


CONFIG = """\
name: bench
timezone: UTC
sources:
  leads: {file: leads.csv, columns: {lead_id: lead_id, created_at: created_at}}
  exports: [{system: ga4, folder: ga4, lead_id: user_id}]
target: {stage: customer, horizon_days: 30}
"""
CASES = {"floor": floor, "ours": ours}


def measured(case: str, path: Path) -> dict[str, float]:
    """Return CPU seconds, wall seconds and peak MiB of a case in a process of its own."""
    asked = [sys.executable, "-m", "benchmarks.ingest", "--case", case, "--file", str(path)]
    done = subprocess.run(asked, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _one(case: str, path: Path) -> None:
    import duckdb  # noqa: F401 - imported before the clock starts

    import mqlml.workflows.ingest  # noqa: F401

    with tempfile.TemporaryDirectory(dir=path.parent) as work:
        before, start = _cpu(), time.perf_counter()
        CASES[case](path, Path(work))
        spent, wall = _cpu() - before, time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu_s": spent, "wall_s": wall, "peak_mib": peak}))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure both cases and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--data", type=Path, default=Path("/tmp/mqlml-bench"))  # noqa: S108
    parser.add_argument("--case")
    parser.add_argument("--file", type=Path)
    given = parser.parse_args()
    if given.case:
        _one(given.case, given.file)
        return
    given.data.mkdir(parents=True, exist_ok=True)
    path = write_ga4(given.data, given.rows)
    found = {case: measured(case, path) for case in CASES}
    for case, figures in found.items():
        print(case, {name: round(value, 1) for name, value in figures.items()})
    print(f"ratio {found['ours']['cpu_s'] / found['floor']['cpu_s']:.2f}")
    write_rows("ingest", list(_rows(found, given.rows)))


def _rows(found: dict[str, dict[str, float]], rows: int) -> Iterator[dict[str, Any]]:
    command = f"python -m benchmarks.ingest --rows {rows}"
    ratio = found["ours"]["cpu_s"] / found["floor"]["cpu_s"]
    peak = found["ours"]["peak_mib"]
    for name, value, unit, goal, met in (
        ("ingest ga4: cpu, ours", found["ours"]["cpu_s"], "s", "", None),
        ("ingest ga4: cpu, floor", found["floor"]["cpu_s"], "s", "", None),
        ("ingest ga4: ratio", ratio, "x", "<= 2", ratio <= 2),
        ("ingest ga4: peak memory", peak, "MiB", "<= 2048", peak <= 2048),
    ):
        yield {
            "name": f"{name}, {rows:,} rows",
            "value": round(value, 2),
            "unit": unit,
            "goal": goal,
            "met": met,
            "command": command,
        }


if __name__ == "__main__":
    main()
