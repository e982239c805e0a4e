"""Planted leaks found and honest tables stopped by the audit: `make bench-audit`.

Bounds of the audit were chosen on the seeds of `--seeds tune`; what is reported
comes from other seeds.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from scipy.stats import beta

from benchmarks.audit_plants import PLANTS, plant
from benchmarks.audit_tables import clean_table, prepared
from benchmarks.results_file import write_rows
from mqlml.dataset.audit import Finding, audit
from mqlml.dataset.settings import AuditSettings
from mqlml.errors import DataError

FIRST_SEED = {"tune": 0, "report": 300_000}
SIZES = {"quick": (40, 8), "full": (200, 40)}
# Below this nothing is published, whatever the audit says (`gates.min_conversions`).
LEAST_CONVERTED = 50


def main() -> None:
    """Measure, print and write results/audit.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=SIZES, default="full")
    parser.add_argument("--seeds", choices=FIRST_SEED, default="report")
    parser.add_argument("--show", action="store_true", help="name each miss and false stop")
    given = parser.parse_args()
    tables, plants = SIZES[given.profile]
    first = FIRST_SEED[given.seeds]
    command = f"python -m benchmarks.audit --profile {given.profile} --seeds {given.seeds}"
    rows = [
        row | {"command": command}
        for row in (
            *clean_rows(range(first, first + tables), show=given.show),
            *plant_rows(range(first + 50_000, first + 50_000 + plants), show=given.show),
        )
    ]
    for row in rows:
        told = f"[{row['low']:.3f}, {row['high']:.3f}]" if row["low"] is not None else ""
        print(f"{row['name']:48} {row['value']:8.3f} {told:16} {row['goal']:8} {row['met']}")
    if given.seeds == "report":
        print(write_rows("audit", rows, profile=given.profile))


def findings_of(table: Any) -> tuple[Finding, ...]:
    """Return what the audit finds in a simulated table."""
    made = prepared(table)
    return audit(
        made.matrix, made.points, made.plan, AuditSettings(), split=made.split, origin=made.origin
    )


def stopped_by(seed: int) -> list[Finding]:
    """Return the stops in an honest table: there should be none."""
    return [f for f in findings_of(clean_table(seed)) if f.action == "stop"]


def is_found(kind: str, seed: int) -> bool | None:
    """Return whether a planted leak is found; None if the table cannot be split."""
    table = clean_table(seed)
    if table.points.loc[table.points["truth"] == 1, "lead_id"].nunique() < LEAST_CONVERTED:
        return None
    planted = plant(kind, table, seed)
    try:
        found = findings_of(planted.table)
    except DataError:
        return None
    actions = ("stop",) if planted.stops else ("stop", "warn")
    return any(
        f.column in planted.columns and f.action in actions and planted.finding in (None, f.finding)
        for f in found
    )


def clean_rows(seeds: range, *, show: bool) -> Iterator[dict[str, Any]]:
    """Yield how many honest tables were stopped, and the seconds an audit takes."""
    stopped, start = 0, time.process_time()
    for seed in seeds:
        found = stopped_by(seed)
        stopped += bool(found)
        for one in found if show else ():
            print("  false stop", seed, clean_table(seed).shape, one.column, one.evidence)
    seconds = (time.process_time() - start) / len(seeds)
    yield _share("honest tables stopped", stopped, len(seeds), most=0.005)
    yield {"name": "one table made and audited", "value": seconds, "low": None, "high": None,
           "unit": "CPU s", "goal": "", "met": ""}  # fmt: skip


def plant_rows(seeds: range, *, show: bool) -> Iterator[dict[str, Any]]:
    """Yield the share of plants found, kind by kind and over all."""
    found: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    for kind in PLANTS:
        for seed in seeds:
            answer = is_found(kind, seed)
            if answer is None:
                continue
            tried[kind] += 1
            found[kind] += answer
            if show and not answer:
                table = clean_table(seed)
                print("  missed", kind, seed, table.shape, len(table.points), table.outcome.mean())
    for kind in PLANTS:
        yield _share(f"found: {kind}", found[kind], tried[kind], least=0.95)
    yield _share("found: all kinds", found.total(), tried.total(), least=0.95)


def _share(
    name: str, number: int, of: int, *, least: float | None = None, most: float | None = None
) -> dict[str, Any]:
    """Return a share with its 95 % interval (Clopper and Pearson) beside its goal."""
    value = number / max(of, 1)
    low = float(beta.ppf(0.025, number, of - number + 1)) if number else 0.0
    high = float(beta.ppf(0.975, number + 1, of - number)) if number < of else 1.0
    met = value >= least if least is not None else most is not None and value <= most
    goal = f">= {least}" if least is not None else f"<= {most}"
    return {"name": name, "value": value, "low": low, "high": high,
            "unit": f"share of {of}", "goal": goal, "met": met}  # fmt: skip


if __name__ == "__main__":
    main()
