"""Google Analytics rows through the door, beside the least that DuckDB needs for them.

    python -m benchmarks.ingest [--rows 100000 1000000] [--days 100] [--small 545] [--data FOLDER]

The floor reads the same file, unnests every event's parameters and writes both as Parquet.
Ours reads it, checks every row, and leaves canonical events in buckets. Each case runs in a
process of its own and tells its CPU seconds (all threads) and its peak memory. For the
increment the last file is cut into days, of which the last one comes after the others were
ingested; the same days are ingested at once beside it. Small files have fifty rows each.
"""

import argparse
import itertools
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
    (work / "ga4").mkdir()
    (work / "ga4" / "events.json").symlink_to(path)
    _ingest(work, "w", _rows_of(path), _rows_of(path))


def _rows_of(path: Path) -> int:
    return int(path.stem.split("-")[1])


def _ingest(work: Path, workspace: str, rows: int, of: int) -> float:
    """Ingest the exports in `work` into a workspace; return the CPU seconds of it."""
    from mqlml.workflows.ingest import ingest
    from mqlml.workflows.project import open_project

    leads = "".join(f"L{n},2025-01-01\n" for n in range(max(1, of // 40)))
    (work / "leads.csv").write_text(f"lead_id,created_at\n{leads}", encoding="utf-8")
    (work / "our.yaml").write_text(CONFIG, encoding="utf-8")
    before = _cpu()
    done = ingest(open_project(work / "our.yaml", workspace=work / workspace), say=str)
    spent = _cpu() - before
    kept = sum(count.kept for count in done.counts if count.table == "events")
    if kept != rows:
        raise SystemExit(f"{kept} of {rows} events were kept")
    return spent


def _cut(path: Path, work: Path, files: int, rows: int) -> Iterator[int]:
    """Write the file's lines as so many files, one whenever asked; yield how many rows it has."""
    (work / "ga4").mkdir()
    with path.open(encoding="utf-8") as lines:
        for number in range(files):
            taken = list(itertools.islice(lines, rows))
            (work / "ga4" / f"events_{number:05}.json").write_text("".join(taken), encoding="utf-8")
            yield len(taken)


def increment(path: Path, work: Path, days: int) -> dict[str, float]:
    """Ingest all days but the last, then with it; and all of them at once."""
    of = _rows_of(path)
    cut = _cut(path, work, days, of // days)
    rows = sum(itertools.islice(cut, days - 1))
    first = _ingest(work, "w", rows, of)
    rows += next(cut)
    day = _ingest(work, "w", rows, of)
    return {"first": first, "day": day, "whole": _ingest(work, "at-once", rows, of)}


def small(path: Path, work: Path, files: int) -> dict[str, float]:
    """Ingest many files of fifty rows."""
    rows = sum(_cut(path, work, files, 50))
    return {"cpu_s": _ingest(work, "w", rows, _rows_of(path))}


CONFIG = """\
name: bench
timezone: UTC
sources:
  leads: {file: leads.csv, columns: {lead_id: lead_id, created_at: created_at}}
  exports: [{system: ga4, folder: ga4, lead_id: user_id}]
target: {stage: customer, horizon_days: 30}
"""
CASES = {"floor": floor, "ours": ours}
FOLDERS = {"increment": increment, "small": small}


def measured(case: str, path: Path, files: int = 0) -> dict[str, float]:
    """Return what a case tells in a process of its own: CPU seconds, peak MiB and others."""
    asked = [sys.executable, "-m", "benchmarks.ingest", "--case", case, "--file", str(path)]
    asked += ["--files", str(files)]
    done = subprocess.run(asked, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _one(case: str, path: Path, files: int) -> None:
    import duckdb  # noqa: F401 - imported before the clock starts

    import mqlml.workflows.ingest  # noqa: F401

    more: dict[str, float] = {}
    with tempfile.TemporaryDirectory(dir=path.parent) as work:
        before, start = _cpu(), time.perf_counter()
        if case in FOLDERS:
            more = FOLDERS[case](path, Path(work), files)
        else:
            CASES[case](path, Path(work))
        spent, wall = _cpu() - before, time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu_s": spent, "wall_s": wall, "peak_mib": peak, **more}))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure the cases and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--days", type=int, default=100)
    parser.add_argument("--small", type=int, default=545)
    parser.add_argument("--data", type=Path, default=Path("/tmp/mqlml-bench"))  # noqa: S108
    parser.add_argument("--case")
    parser.add_argument("--file", type=Path)
    parser.add_argument("--files", type=int, default=0)
    given = parser.parse_args()
    if given.case:
        _one(given.case, given.file, given.files)
        return
    given.data.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for size in given.rows:
        path = write_ga4(given.data, size)
        rows += _single({case: measured(case, path) for case in CASES}, size)
        _tell(rows)
    if given.days > 1:
        rows += _increment(measured("increment", path, given.days), size, given.days)
    if given.small:
        spent = measured("small", path, given.small)["cpu_s"]
        rows.append(_row(f"ingest ga4: cpu, {given.small} files of 50 rows", spent, "s"))
    _tell(rows)


def _tell(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        print(row["name"], row["value"], row["unit"], row["goal"], flush=True)
    command = f"python -m benchmarks.ingest {' '.join(sys.argv[1:])}".strip()
    write_rows("ingest", [{**row, "command": command} for row in rows])


def _single(found: dict[str, dict[str, float]], rows: int) -> Iterator[dict[str, Any]]:
    ratio = found["ours"]["cpu_s"] / found["floor"]["cpu_s"]
    peak = found["ours"]["peak_mib"]
    what = f"{rows:,} rows"
    yield _row(f"ingest ga4: cpu, ours, {what}", found["ours"]["cpu_s"], "s")
    yield _row(f"ingest ga4: cpu, floor, {what}", found["floor"]["cpu_s"], "s")
    yield _row(f"ingest ga4: ratio, {what}", ratio, "x", goal="<= 2", met=ratio <= 2)
    yield _row(f"ingest ga4: peak memory, {what}", peak, "MiB", goal="<= 2048", met=peak <= 2048)


def _increment(found: dict[str, float], rows: int, days: int) -> Iterator[dict[str, Any]]:
    what = f"{rows:,} rows in {days} files"
    yield _row(f"ingest ga4: cpu, all at once, {what}", found["whole"], "s")
    yield _row(f"ingest ga4: cpu, the first {days - 1}, {what}", found["first"], "s")
    yield _row(f"ingest ga4: cpu, the last after the others, {what}", found["day"], "s")


def _row(
    name: str, value: float, unit: str, *, goal: str = "", met: bool | None = None
) -> dict[str, Any]:
    return {"name": name, "value": round(value, 2), "unit": unit, "goal": goal, "met": met}


if __name__ == "__main__":
    main()
