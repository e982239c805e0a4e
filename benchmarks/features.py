"""Features at three sizes: ours beside the floor of reading and writing, and beside its peers.

    python -m benchmarks.features small|medium|large [--peers PREFIX] [--data FOLDER]

Every case runs in a process of its own and tells its CPU seconds (all threads, after
imports and warm-up) and its peak memory. Ratios are of cases of one run. Rows of
other sizes that were measured before stay in the results.
"""

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.features_data import Size, make_data
from benchmarks.features_picture import draw
from benchmarks.features_plan import SIGNALS, bench_plan, event_features
from benchmarks.results_file import FOLDER, write_rows

SIZES = {
    "small": Size(1_000_000, 60_000),
    "medium": Size(10_000_000, 600_000),
    "large": Size(50_000_000, 3_000_000),
}
FEW_LOOKS = Size(10_000_000, 600_000, points_per_lead=3)
WHALE = Size(10_000_000, 600_000, whale_share=1 / 3)


@dataclass(frozen=True)
class Row:
    """One figure with its goal."""

    name: str
    value: float
    low: float
    high: float
    unit: str
    goal: str
    met: bool | None
    command: str
    note: str = ""


@dataclass(frozen=True)
class Bench:
    """Where data and results lie, and where the peers' environments begin (`PEERS-tables`)."""

    data: Path
    peers: Path | None
    size: str
    repeats: int

    @property
    def command(self) -> str:
        """Return what was run."""
        return f"make bench SIZE={self.size}"

    def folder(self, name: str, size: Size) -> Path:
        """Return the folder of generated data, made if it is not there."""
        folder = self.data / name
        make_data(folder, size)
        plan = {"signals": SIGNALS, "features": event_features(bench_plan())}
        (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
        return folder

    def ours(self, case: str, folder: Path, *more: str) -> list[dict[str, Any]]:
        """Return what the repeats of a case of ours took."""
        return [
            _run([sys.executable, "-m", "benchmarks.features_case", case, str(folder), out, *more])
            for out in [str(self.data / "out")] * self.repeats
        ]

    def peer(self, case: str, folder: Path) -> dict[str, Any] | None:
        """Return what a case of a peer took, and how far its results are from ours."""
        if self.peers is None:
            return None
        out = self.data / f"out-{case}"
        shutil.rmtree(out, ignore_errors=True)
        out.unlink(missing_ok=True)
        kind = "featuretools" if case.startswith("featuretools") else "tables"
        python = Path(f"{self.peers}-{kind}") / "bin" / "python"
        if not python.exists():
            return None
        script = Path(__file__).with_name("features_peers.py")
        facts = _run([str(python), str(script), case, str(folder), str(out)])
        if "failed" not in facts and case != "featuretools_dfs":
            ours = str(self.data / "out")
            facts["equal"] = _run(
                [sys.executable, "-m", "benchmarks.features_case", "equal", str(out), ours]
            )
        return facts


def _run(words: Sequence[str]) -> dict[str, Any]:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return {"failed": lines[-1]}
    facts: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"  {' '.join(Path(w).name for w in words[1:])}: {facts}", file=sys.stderr, flush=True)
    return facts


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    return round(statistics.median(values), 3), round(min(values), 3), round(max(values), 3)


def measure(bench: Bench) -> Iterator[list[Row]]:
    """Yield the rows of one size, some at a time."""
    size = SIZES[bench.size]
    folder = bench.folder(bench.size, size)
    name = f"{size.events / 1e6:g} M events × {size.points / 1e3:g} k points"
    runs = bench.ours("ours", folder)
    ours, peaks = [r["cpu_s"] for r in runs], [r["peak_mib"] for r in runs]
    is_large = bench.size == "large"
    yield [
        Row(f"{name}: ours", *_spread(ours), "CPU s", "", None, bench.command),
        Row(
            f"{name}: ours, peak memory",
            *_spread(peaks),
            "MiB",
            "≤ 1024" if is_large else "",
            max(peaks) <= 1024 if is_large else None,
            bench.command,
        ),
    ]
    yield _floor_rows(bench, folder, name, ours)
    if bench.size == "small":
        yield [_start_row(bench)]
        yield from _peer_rows(bench, folder, name, ours, SMALL_PEERS)
        yield _width_rows(bench)
    if bench.size == "medium":
        yield from _shape_rows(bench)
        bench.ours("ours", folder)  # the peers' results are compared with these
        yield from _peer_rows(bench, folder, name, ours, MEDIUM_PEERS)
    if is_large:
        yield _growth_rows(bench, name, ours)


SMALL_PEERS = {
    "duckdb_join_by_bucket": "",
    "duckdb_asof_by_bucket": "",
    "polars_join": "",
    "pandas_merge": "≥ 20",
    "featuretools_dfs": "≥ 100",
}
MEDIUM_PEERS = {"polars_join": "≥ 8", "duckdb_asof_by_bucket": "≥ 8"}


def _floor_rows(bench: Bench, folder: Path, name: str, ours: Sequence[float]) -> list[Row]:
    rows = []
    for case, words, goal in (
        ("floor", "reading and writing once, our readers and writers", "≤ 1.8"),
        ("floor_by_default", "reading and writing once, pyarrow's defaults", ""),
    ):
        floors = [r["cpu_s"] for r in bench.ours(case, folder)]
        ratio = statistics.median(ours) / statistics.median(floors)
        low, high = min(ours) / max(floors), max(ours) / min(floors)
        wanted = goal if bench.size == "medium" else ""
        met = ratio <= 1.8 if wanted else None
        rows += [
            Row(f"{name}: {words}", *_spread(floors), "CPU s", "", None, bench.command),
            Row(
                f"{name}: ours ÷ {words}",
                round(ratio, 2),
                round(low, 2),
                round(high, 2),
                "×",
                wanted,
                met,
                bench.command,
            ),
        ]
    return rows


def _peer_rows(
    bench: Bench, folder: Path, name: str, ours: Sequence[float], peers: dict[str, str]
) -> Iterator[list[Row]]:
    for case, goal in peers.items():
        facts = bench.peer(case, folder)
        if facts is None or "failed" in facts:
            why = "NOT MEASURED: " + (facts["failed"] if facts else "no environment of peers")
            yield [Row(f"{name}: {case}", 0, 0, 0, "CPU s", goal, None, bench.command, why)]
            continue
        seconds, note = (
            facts["cpu_s"],
            f"version {facts['version']}; peak {facts['peak_mib']:.0f} MiB",
        )
        if "points" in facts:  # of Featuretools only a few points can be waited for
            share = SIZES[bench.size].points / facts["points"]
            note += f"; {facts['points']} points in {seconds:.1f} s, times {share:.0f}"
            seconds *= share
        if "equal" in facts:
            note += f"; largest difference {facts['equal'].get('largest_difference')}"
        ratios = [seconds / s for s in ours]
        met = statistics.median(ratios) >= float(goal[2:]) if goal else None
        whole = [round(seconds, 2)] * 3
        yield [
            Row(f"{name}: {case}", *whole, "CPU s", "", None, bench.command, note),
            Row(f"{name}: {case} ÷ ours", *_spread(ratios), "×", goal, met, bench.command),
        ]


def _width_rows(bench: Bench) -> list[Row]:
    """Return the cost per feature at 100, 500 and 2,000 features, on a tenth of the data."""
    folder = bench.folder("small", SIZES["small"])
    rows: list[Row] = []
    for features in (100, 500, 2_000):
        runs = bench.ours("ours", folder, str(features))
        each = [1e3 * r["cpu_s"] / r["features"] for r in runs]
        value = statistics.median(each)
        met = value < rows[0].value if rows else None
        rows.append(
            Row(
                f"1 M events × 60 k points: cost per feature at {runs[0]['features']} features",
                *_spread(each),
                "CPU ms",
                "falls" if rows else "",
                met,
                bench.command,
                f"peak {max(r['peak_mib'] for r in runs):.0f} MiB",
            )
        )
    return rows


def _shape_rows(bench: Bench) -> Iterator[list[Row]]:
    """Yield other shapes of the same size: one lead with a third of all, few looks at a lead."""
    whale = bench.folder("whale", WHALE)
    runs = bench.ours("ours", whale, "512MB")
    peaks = [r["peak_mib"] for r in runs]
    name = "10 M events × 600 k points, one lead with a third of all events, --memory 512MB: peak"
    met = max(peaks) <= 512e6 / 2**20
    yield [Row(name, *_spread(peaks), "MiB", "≤ 488", met, bench.command)]
    few = bench.folder("few-looks", FEW_LOOKS)
    name = "10 M events × 600 k points, 3 looks a lead"
    ours = [r["cpu_s"] for r in bench.ours("ours", few)]
    yield [Row(f"{name}: ours", *_spread(ours), "CPU s", "", None, bench.command)]
    yield _floor_rows(bench, few, name, ours)
    yield from _peer_rows(bench, few, name, ours, {"polars_join": ""})


def _growth_rows(bench: Bench, name: str, ours: Sequence[float]) -> list[Row]:
    medium = bench.folder("medium", SIZES["medium"])
    before = [r["cpu_s"] for r in bench.ours("ours", medium)]
    ratio = statistics.median(ours) / statistics.median(before)
    return [
        Row(
            f"{name}: CPU ÷ that of 10 M × 600 k",
            round(ratio, 2),
            round(min(ours) / max(before), 2),
            round(max(ours) / min(before), 2),
            "×",
            "≤ 5.5",
            ratio <= 5.5,
            bench.command,
        )
    ]


def _start_row(bench: Bench) -> Row:
    mqlml = str(Path(sys.executable).with_name("mqlml"))
    gaps = [_cpu_of([mqlml, "--help"]) - _cpu_of([sys.executable, "-c", "pass"]) for _ in range(7)]
    value, low, high = _spread(gaps)
    return Row(
        "mqlml --help beyond python -c pass",
        value,
        low,
        high,
        "CPU s",
        "≤ 0.4",
        value <= 0.4,
        bench.command,
    )


def _cpu_of(words: Sequence[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def keep(bench: Bench, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Write the rows beside those of other sizes; return all of them."""
    path = FOLDER / "features.json"
    old = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else []
    kept = [row for row in old if row["command"] != bench.command]
    whole = [*kept, *(asdict(row) for row in rows)]
    order = [f"make bench SIZE={size}" for size in SIZES]
    whole.sort(key=lambda row: order.index(row["command"]))
    write_rows("features", whole)
    return whole


def main() -> None:
    """Measure one size, print its table, write results and picture."""
    options = argparse.ArgumentParser()
    options.add_argument("size", choices=SIZES)
    options.add_argument("--peers", type=Path, default=None)
    options.add_argument("--data", type=Path, default=Path("build/bench"))
    options.add_argument("--repeats", type=int, default=3)
    asked = options.parse_args()
    bench = Bench(asked.data.resolve(), asked.peers, asked.size, asked.repeats)
    rows: list[Row] = []
    for some in measure(bench):
        rows += some
        draw(keep(bench, rows), FOLDER / "features.svg")
    for row in rows:
        sign = {True: "met", False: "MISSED", None: ""}[row.met]
        span = f"{row.value:,.2f} ({row.low:,.2f}-{row.high:,.2f}) {row.unit}"
        print(f"{row.name:<95} {span:<34} {row.goal:>8} {sign:<7} {row.note}")


if __name__ == "__main__":
    main()
