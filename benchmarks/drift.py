"""What monitoring finds in worlds whose truth is known: `make bench-drift PROFILE=quick|full`.

Every firm is looked at once a week, by the functions that `mqlml monitor` calls. Thresholds were
chosen on seeds below 1,000; what is reported comes from seeds of 900,000 on. One line a world
is kept in a file while it runs, so that a run can be stopped and taken up again.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.drift_cast import PLAN
from benchmarks.drift_table import table_rows
from benchmarks.drift_worlds import (
    FIRST_LOOK,
    WEEKS,
    Firm,
    Played,
    draw_firm,
    play,
)
from benchmarks.results_file import write_rows
from mqlml.monitoring.diagnosis import Edit, alarms_at, diagnose
from mqlml.monitoring.evidence import Change, Reference
from mqlml.monitoring.figures import Figures
from mqlml.monitoring.settings import MonitoringSettings
from mqlml.monitoring.watch import Watch, figures_of, watch
from mqlml.timeline import MICROS_PER_WEEK

REFERENCE = Reference(PLAN, {})
SETTINGS = MonitoringSettings()
FIRST_SEED = {"tune": 0, "report": 900_000}
# Worlds of which every seed plays one in turn, and those that every seed plays.
PRIORS = ("prior", "prior_up")
BREAKS = ("tag_lost", "field_renamed", "unit_changed")
OTHERS = ("concept_gradual", "concept_segment", "concept_recurring", "new_market")
ALWAYS = ("none", "concept", "definition", "campaign", "sales_cycle", "selection", "bot_opens")
_SHOWN = ("value", "low", "high")
FEW_LEADS = ("none", "concept")


@dataclass(frozen=True)
class Seen:
    """One world: weeks from the change to the alarm (None: never), and what was named when.

    `false_alarms` counts separate alarms before the change (or ever, without one) within
    `quiet_weeks`; `named` holds kind, weeks off the true date and columns by weeks after the
    alarm.
    """

    seed: int
    leads: int
    world: str
    kind: str | None
    quiet_weeks: int
    false_alarms: int
    false_layers: tuple[str, ...]
    delay: int | None
    named: dict[str, dict[str, Any]]
    columns: tuple[str, ...]


def worlds_of(seed: int, leads: int) -> tuple[str, ...]:
    """Return the worlds that a seed plays."""
    prior = PRIORS[seed % len(PRIORS)]
    if leads < 300:
        return (*FEW_LEADS, prior)
    return (*ALWAYS, prior, BREAKS[seed % len(BREAKS)], OTHERS[seed % len(OTHERS)])


def play_seed(seed: int, leads: int) -> Iterator[Seen]:
    """Yield what monitoring finds in every world of a seed."""
    firm, base = draw_firm(seed, leads), None
    for name in worlds_of(seed, leads):
        played = play(firm, name)
        if base is None:
            base = figures_of(played.history, REFERENCE)
        yield look_weekly(firm, played, base, leads)


def look_weekly(firm: Firm, played: Played, base: Figures, leads: int) -> Seen:
    """Return what weekly looks at one world find; `base` are figures of the unchanged firm."""
    figures = base
    if played.altered:
        figures = _replaced(base, figures_of(played.history, REFERENCE, played.altered))
    watched = watch(played.history, REFERENCE, SETTINGS, figures=figures)
    alarms = [alarms_at(watched, week - WEEKS) for week in range(WEEKS)]
    changes = played.world.kind is not None
    quiet = range(FIRST_LOOK, firm.change if changes else WEEKS)
    raised = [w for w in quiet if alarms[w].any]
    # An alarm that stands for weeks is one alarm: it is told once.
    fresh = [w for w in raised if w == FIRST_LOOK or not alarms[w - 1].any]
    layers = tuple(k for k, v in asdict(alarms[fresh[0]]).items() if v) if fresh else ()
    found = [w for w in range(firm.change, WEEKS) if alarms[w].any] if changes else []
    named = {}
    for later in (0, 4, 8):
        if found and found[0] + later < WEEKS:
            named[str(later)] = _named(watched, played, found[0] + later)
    return Seen(
        seed=firm.seed,
        leads=leads,
        world=played.world.name,
        kind=played.world.kind,
        quiet_weeks=len(quiet),
        false_alarms=len(fresh),
        false_layers=layers,
        delay=found[0] - firm.change + 1 if found else None,
        named=named,
        columns=played.world.columns,
    )


def _replaced(base: Figures, new: Figures) -> Figures:
    columns = {figure.column for figure in new.of}
    keep = [i for i, figure in enumerate(base.of) if figure.column not in columns]
    kept = Figures(base.weeks, base.counts, tuple(base.of[i] for i in keep), base.table[:, keep])
    return kept.beside(new)


def _named(watched: Watch, played: Played, week: int) -> dict[str, Any]:
    edits = [Edit(at, "the criteria were edited") for at in played.edits]
    changes: Sequence[Change] = diagnose(watched, week - WEEKS, edits=edits, with_columns=False)
    if not changes:
        return {"kind": None, "off_weeks": None, "columns": []}
    first = changes[0]
    off = None
    if first.since is not None:
        off = round(first.since / MICROS_PER_WEEK) - played.change
    return {"kind": first.kind, "off_weeks": off, "columns": list(first.columns)}


def main() -> None:
    """Play, keep, print and write results/drift.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=("tiny", "quick", "full"), default="full")
    parser.add_argument("--seeds", choices=FIRST_SEED, default="report")
    parser.add_argument("--from-seed", type=int, default=0, help="leave out so many seeds")
    parser.add_argument("--repetitions", type=int, help="instead of the profile's")
    parser.add_argument("--keep", type=Path, default=Path("benchmarks/results/drift.jsonl"))
    parser.add_argument("--leads", type=int, choices=(100, 300), help="only one size")
    parser.add_argument("--only-table", action="store_true", help="of what is kept")
    given = parser.parse_args()
    count = given.repetitions or {"tiny": 1, "quick": 10, "full": 200}[given.profile]
    done = {(s["seed"], s["leads"], s["world"]) for s in kept(given.keep)}
    first = FIRST_SEED[given.seeds]
    sizes = (given.leads,) if given.leads else (300, 100)
    for seed in () if given.only_table else range(first + given.from_seed, first + count):
        for leads in sizes:
            if all((seed, leads, world) in done for world in worlds_of(seed, leads)):
                continue
            lines = [json.dumps(asdict(seen)) + "\n" for seen in play_seed(seed, leads)]
            with given.keep.open("a", encoding="utf-8") as file:
                file.write("".join(lines))
    seen = [s for s in kept(given.keep) if s["seed"] >= first]
    command = f"python -m benchmarks.drift --profile {given.profile}"
    rows = [row | {"command": command} for row in table_rows(seen)]
    for row in rows:
        figures = (f"{row[key]:.3f}" if row[key] is not None else "–" for key in _SHOWN)
        value, low, high = figures
        met = {True: "met", False: "not met", None: ""}[row["met"]]
        print(f"{row['name']:66} {value:>8} [{low}, {high}] n={row['n']} {row['goal']} {met}")
    if given.seeds == "report" and given.profile == "full":
        print(write_rows("drift", rows))


def kept(path: Path) -> list[dict[str, Any]]:
    """Return the worlds that were played before."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main()
