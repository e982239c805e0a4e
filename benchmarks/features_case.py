"""One measurement of mqlml in a process of its own; the answer is one line of JSON.

python -m benchmarks.features_case CASE FOLDER OUT [FEATURES|MEMORY]
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.features_data import Size, make_data, read_points, read_tables
from benchmarks.features_plan import bench_plan
from mqlml.engines.local import LocalEngine
from mqlml.features.plan import Plan
from mqlml.storage.parts import PartFolder, open_parts


def ours(folder: Path, out: Path, plan: Plan, memory: str) -> dict[str, Any]:
    """The `features` command's work: read points and leads, compute, write parts, swap them in."""
    parts = open_parts(out, "bench")
    points = read_points(folder)
    LocalEngine(memory, threads=2).write(read_tables(folder), points, plan, parts)
    parts.finish()
    return {"features": len(plan.features), "points": len(points)}


def in_memory(folder: Path, _: Path, plan: Plan, memory: str) -> dict[str, Any]:
    """The whole matrix in memory, as training has it."""
    engine = LocalEngine(memory, threads=2)
    matrix = engine.compute(read_tables(folder), read_points(folder), plan)
    return {"features": len(plan.features), "points": len(matrix)}


def floor(folder: Path, out: Path, plan: Plan, _: str) -> dict[str, Any]:
    """Read what ours reads and write what it wrote, once, with the same readers and writers.

    `out` holds the result already; reading it back is not counted.
    """
    from mqlml.engines.bucket_files import bucket_files, event_columns
    from mqlml.features.bucket import arrange_work

    begun = time.process_time()
    read_points(folder)
    log = read_tables(folder).events
    needed = arrange_work(plan).columns([c.name for c in event_columns(log)])
    for bucket in bucket_files(log, needed):
        for _piece in bucket.pieces():
            pass
    reading = time.process_time() - begun
    writing = 0.0
    with TemporaryDirectory(dir=out.parent) as scratch:
        parts = PartFolder(Path(scratch) / "floor", "floor")
        parts.folder.mkdir()
        for path in sorted(out.glob("*.parquet")):
            whole = pq.ParquetFile(path)
            tables = [whole.read_row_group(g) for g in range(whole.metadata.num_row_groups)]
            begun = time.process_time()
            parts.write(path.stem, tables)
            writing += time.process_time() - begun
    return {"cpu_s": reading + writing, "reading_s": reading, "writing_s": writing}


def floor_by_default(folder: Path, out: Path, plan: Plan, _: str) -> dict[str, Any]:
    """The same floor with what pyarrow does when asked for nothing special."""
    from mqlml.engines.bucket_files import event_columns
    from mqlml.features.bucket import arrange_work

    begun = time.process_time()
    read_points(folder)
    log = read_tables(folder).events
    needed = arrange_work(plan).columns([c.name for c in event_columns(log)])
    for path in sorted(log.folder.glob("*/*.parquet")):
        pq.ParquetFile(path).read(list(needed))
    reading = time.process_time() - begun
    writing = 0.0
    with TemporaryDirectory(dir=out.parent) as scratch:
        for path in sorted(out.glob("*.parquet")):
            table = pq.ParquetFile(path).read()
            begun = time.process_time()
            pq.write_table(table, Path(scratch) / path.name)
            writing += time.process_time() - begun
    return {"cpu_s": reading + writing, "reading_s": reading, "writing_s": writing}


CASES: dict[str, Callable[[Path, Path, Plan, str], dict[str, Any]]] = {
    "ours": ours,
    "in_memory": in_memory,
    "floor": floor,
    "floor_by_default": floor_by_default,
}


def warm_up(plan: Plan) -> None:
    """Compile or load the kernel and start the libraries, on a table of nothing."""
    with TemporaryDirectory() as folder:
        make_data(Path(folder) / "data", Size(300, 30))
        parts = open_parts(Path(folder) / "out", "warm")
        tables = read_tables(Path(folder) / "data")
        LocalEngine(threads=1).write(tables, read_points(Path(folder) / "data"), plan, parts)


def equal(ours_folder: Path, theirs: Path) -> dict[str, Any]:
    """Say how far the results of a peer are from ours, over all columns they share."""
    left, right = (_sorted(path) for path in (ours_folder, theirs))
    keys = [c for c in right.column_names if c in left.column_names][2:]
    left = left.join(
        right.select(["lead_id", "as_of"]), ["lead_id", "as_of"], join_type="left semi"
    )
    left = left.sort_by([("lead_id", "ascending"), ("as_of", "ascending")])
    if left.num_rows != right.num_rows:
        return {"rows": [left.num_rows, right.num_rows]}
    worst = 0.0
    for name in keys:
        a, b = (np.asarray(t[name].to_numpy(), np.float64) for t in (left, right))
        gap = np.abs(a - b)
        gap[np.isnan(a) & np.isnan(b)] = 0.0
        worst = max(worst, float(np.nan_to_num(gap, nan=np.inf).max(initial=0.0)))
    return {"rows": right.num_rows, "columns": len(keys), "largest_difference": worst}


def _sorted(path: Path) -> pa.Table:
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    tables = [pq.ParquetFile(f).read() for f in files]
    whole = pa.concat_tables(tables, promote_options="permissive")
    as_of = whole["as_of"]
    if pa.types.is_timestamp(as_of.type):
        as_of = as_of.cast(pa.int64())
    whole = whole.set_column(whole.column_names.index("as_of"), "as_of", as_of)
    order = [("lead_id", "ascending"), ("as_of", "ascending")]
    return whole.set_column(
        whole.column_names.index("lead_id"), "lead_id", whole["lead_id"].cast(pa.string())
    ).sort_by(order)


def peak_mib() -> float:
    """Return the most memory this process has had.

    Not ru_maxrss, which begins at what the process that started this one had.
    """
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Run one case and print what it took."""
    case, folder, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if case == "equal":
        print(json.dumps(equal(out, folder)))
        return
    features = int(sys.argv[4]) if len(sys.argv) > 4 and sys.argv[4].isdigit() else None
    memory = sys.argv[4] if len(sys.argv) > 4 and features is None else "2GB"
    plan = bench_plan(features)
    warm_up(plan)
    begun, wall = time.process_time(), time.perf_counter()
    facts = {"cpu_s": 0.0}
    made = CASES[case](folder, out, plan, memory)
    facts |= {
        "cpu_s": time.process_time() - begun,
        "wall_s": time.perf_counter() - wall,
        "peak_mib": peak_mib(),
        **made,
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
