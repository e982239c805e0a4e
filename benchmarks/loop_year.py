"""A year of weekly cycles on the demo firm, unattended: `make bench-year`.

The simulated company exports its data every Monday and `mqlml cycle` runs on them, 52 times.
In the middle the firm moves up-market: what makes leads convert changes, and a week later so do
the criteria. Printed: what the loop did and when, CPU time per cycle, how the workspace grows,
and at the end the size of each part of it.
"""

import argparse
import json
import tempfile
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.results_file import write_rows
from mqlml.demo.company import simulate
from mqlml.demo.export import Exports
from mqlml.demo.settings import DemoSettings
from mqlml.demo.story import as_of, monday_before
from mqlml.workflows.cycle import CycleResult, CycleWishes, cycle
from mqlml.workflows.demo import write_demo_configs
from mqlml.workflows.project import Project, open_project
from mqlml.workflows.train import train

_SEED = 11
# Ten months before the first training, a year of cycles, the change half-way through it.
_MONTHS = 22
_CHANGE_MONTH = 16
_WEEKS_BEFORE = 26
_PARTS_SHOWN = 6
_CRITERIA = "demo_criteria_v2.yaml"


@dataclass(frozen=True)
class Week:
    """One cycle: its day, what it did, its CPU seconds, and the workspace's size after it."""

    day: date
    result: CycleResult
    cpu_s: float
    size_mb: float
    parts_mb: dict[str, float]

    @property
    def told(self) -> str:
        """Return what the cycle did beside scoring."""
        steps = {step.name: step.outcome for step in self.result.steps}
        return f"{steps['monitor']} | {steps['retrain']}"

    @property
    def is_promotion(self) -> bool:
        """Return whether another champion came of this cycle."""
        outcome = next(step.outcome for step in self.result.steps if step.name == "retrain")
        return ": promoted the " in outcome and not outcome.startswith("nothing to do")


def main() -> None:
    """Run the year, print it and write results/loop_year.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=12_000)
    parser.add_argument("--weeks", type=int, default=52)
    parser.add_argument("--before", type=int, default=_WEEKS_BEFORE, help="weeks until the change")
    given = parser.parse_args()
    command = f"python -m benchmarks.loop_year --leads {given.leads} --weeks {given.weeks}"
    with tempfile.TemporaryDirectory() as folder:
        weeks = run_year(Path(folder), leads=given.leads, weeks=given.weeks, before=given.before)
    rows = year_rows(weeks, command)
    for row in rows:
        print(f"{row['name']:56} {row['value']:10.2f} {row['unit']}")
    if given.weeks == 52:
        print(write_rows("loop_year", rows, leads=given.leads, story=story_of(weeks)))


def run_year(folder: Path, *, leads: int, weeks: int, before: int = _WEEKS_BEFORE) -> list[Week]:
    """Return the cycles of a year in a fresh workspace, `before` of them before the change.

    Nobody is there to sign the later criteria, so leads are scored by unsigned ones.
    """
    settings = DemoSettings(n_leads=leads, months=_MONTHS, icp_change_month=_CHANGE_MONTH)
    company, change = simulate(settings, seed=_SEED), settings.icp_change_on
    if change is None:
        raise ValueError("the company does not change")
    exports, signed = Exports(company), change + timedelta(weeks=1)
    write_demo_configs(folder)
    _valid_from(folder / _CRITERIA, signed)
    first = monday_before(change - timedelta(weeks=before))
    exports.write(folder / "exports", until=as_of(first))
    train(_project(folder, "demo.yaml"), as_of=as_of(first), seed=_SEED, say=_silent)
    done = []
    for day in (first + timedelta(weeks=number) for number in range(1, weeks + 1)):
        exports.write(folder / "exports", until=as_of(day))
        config = "demo_v2.yaml" if day >= signed else "demo.yaml"
        begun = time.process_time()
        wishes = CycleWishes(as_of=as_of(day), seed=_SEED, allow_unsigned=True)
        result = cycle(_project(folder, config), wishes, say=_silent)
        spent = time.process_time() - begun
        parts = _parts_mb(folder / "workspace")
        week = Week(day, result, spent, sum(parts.values()), parts)
        print(f"{day} {spent:5.1f} s {week.size_mb:6.1f} MB  {week.told}", flush=True)
        done.append(week)
    return done


def _project(folder: Path, config: str) -> Project:
    return open_project(folder / config, data=folder / "exports", workspace=folder / "workspace")


def _silent(_text: str) -> None:
    return


def _valid_from(criteria: Path, day: date) -> None:
    """Let the new criteria hold from `day`: this company changes later than the demo's."""
    lines = criteria.read_text(encoding="utf-8").splitlines()
    told = [f"valid_from: {day}" if ln.startswith("valid_from:") else ln for ln in lines]
    criteria.write_text("\n".join(told) + "\n", encoding="utf-8")


def _parts_mb(folder: Path) -> dict[str, float]:
    """Return the megabytes of each part of the workspace."""
    found: dict[str, float] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            part = path.relative_to(folder).parts[0]
            found[part] = found.get(part, 0.0) + path.stat().st_size / 1e6
    return found


def year_rows(weeks: list[Week], command: str) -> list[dict[str, Any]]:
    """Return the figures of a year."""
    failed = sum(week.result.error is not None for week in weeks)
    half = weeks[(len(weeks) - 1) // 2].size_mb
    figures = {
        "cycles run": (float(len(weeks)), ""),
        "cycles that failed": (float(failed), ""),
        "weeks with an alarm": (float(sum(week.result.alarm for week in weeks)), ""),
        "champions promoted": (float(sum(week.is_promotion for week in weeks)), ""),
        "CPU seconds in all": (sum(week.cpu_s for week in weeks), "s"),
        "CPU seconds of the longest cycle": (max(week.cpu_s for week in weeks), "s"),
        "workspace after the first cycle": (weeks[0].size_mb, "MB"),
        "workspace at half time": (half, "MB"),
        "workspace at the end": (weeks[-1].size_mb, "MB"),
    }
    grown = weeks[-1].parts_mb
    for part in sorted(grown, key=lambda name: -grown[name])[:_PARTS_SHOWN]:
        before = weeks[0].parts_mb.get(part, 0.0)
        figures[f"{part}: growth a week"] = ((grown[part] - before) / (len(weeks) - 1), "MB")
    return [
        {"name": name, "value": value, "unit": unit, "goal": "", "command": command}
        for name, (value, unit) in figures.items()
    ]


def story_of(weeks: list[Week]) -> list[str]:
    """Return the weeks in which something was done, a line each."""
    quiet = "nothing to do: no change found and the champion is young"
    return [
        f"{week.day}: {week.told}"
        for week in weeks
        if quiet not in json.dumps(week.told) or week.result.alarm
    ]


if __name__ == "__main__":
    main()
