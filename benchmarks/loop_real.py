"""What the loop would have done on two public tables: `python -m benchmarks.loop_real FOLDER`.

Both are replayed week by week from where `benchmarks.drift_real` begins to look. The first model is
learnt from what was known then; afterwards it stays (trained once), is learnt anew every month from
the latest year of final outcomes, or is kept by the package's loop. Each week's leads are judged by
the model that was champion then: log loss, and the conversions among the best fifth of the week.
Nothing was chosen on these tables: settings are the defaults, weeks of 20 rows count.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.drift_real import bank, olist, replace_settings
from benchmarks.loop_firm import Funnel, Linear
from benchmarks.loop_policies import Step, by_calendar, by_monitoring, champions, never
from benchmarks.results_file import write_rows
from mqlml.modeling.calibration import probability_of
from mqlml.monitoring.delay import observed_delay
from mqlml.monitoring.evidence import Reference, ScoredHistory
from mqlml.timeline import MICROS_PER_WEEK, NEVER

Floats = npt.NDArray[np.float64]

_WORKED_SHARE = 0.2
_MONTH, _YEAR = 4, 52
_FEWEST = 5


@dataclass(frozen=True)
class Table(Funnel):
    """A public table as the loop sees it."""

    whole: ScoredHistory
    start: int

    def history(self, model: Linear, now: int) -> ScoredHistory:
        """Return the past as monitoring sees it when `model` is champion."""
        end = now * MICROS_PER_WEEK
        rows = np.flatnonzero(self.whole.as_of < end)
        log_odds = self.log_odds(model)[rows]
        scores = self.whole.scores.iloc[rows].reset_index(drop=True)
        at = self.whole.converted_at[rows]
        return replace(
            self.whole,
            scores=scores.assign(
                probability=probability_of(log_odds), fit_part=log_odds, engagement_part=0.0
            ),
            matrix=self.whole.matrix.iloc[rows].reset_index(drop=True),
            converted_at=np.where(at < end, at, NEVER).astype(np.int64),
            data_end=end,
            learnt_until=model.learnt_until * MICROS_PER_WEEK,
        )


def table_of(whole: ScoredHistory, reference: Reference) -> Table:
    """Return a table with the model that is champion when the looks begin."""
    weeks = -(-(whole.data_end - int(whole.as_of.min())) // MICROS_PER_WEEK)
    start = whole.data_end - weeks * MICROS_PER_WEEK
    whole = _from_zero(whole, start)
    created, converted_at = whole.as_of, whole.converted_at
    at_once = whole.horizon < MICROS_PER_WEEK // 7
    first = (whole.learnt_until + (0 if at_once else whole.horizon)) // MICROS_PER_WEEK
    design, names = _design(whole.matrix, created < whole.learnt_until)
    late = converted_at - created >= whole.horizon
    nothing = Linear(0.0, np.zeros(design.shape[1]), 0, 0)
    table = Table(
        week=created // MICROS_PER_WEEK,
        created=created,
        converted_at=np.where(late, NEVER, converted_at).astype(np.int64),
        design=design,
        names=names,
        horizon=whole.horizon,
        delay=observed_delay(created[:1], converted_at[:1], whole.horizon),
        first_model=nothing,
        weeks=weeks,
        reference=reference,
        whole=whole,
        start=start,
    )
    rows = table.mature(first)
    delay = observed_delay(created[rows], table.converted_at[rows], whole.horizon)
    table = replace(table, delay=delay)
    return replace(table, first_model=table.learnt(rows, first))


def _from_zero(whole: ScoredHistory, start: int) -> ScoredHistory:
    """Return the history with times counted from the begin of its first week."""
    at = whole.converted_at
    return replace(
        whole,
        scores=whole.scores.assign(as_of=whole.as_of - start),
        converted_at=np.where(at == NEVER, NEVER, at - start).astype(np.int64),
        data_end=whole.data_end - start,
        learnt_until=whole.learnt_until - start,
    )


def _design(
    matrix: pd.DataFrame, learnt: "npt.NDArray[np.bool_]"
) -> tuple[Floats, tuple[str, ...]]:
    """Return a column of unit spread per level that the first training rows hold."""
    found, names = [], []
    for column in matrix.columns:
        for level in sorted(matrix[column].unique()):
            is_level = (matrix[column] == level).to_numpy(dtype=np.float64)
            spread = is_level[learnt].std()
            if spread > 0:
                found.append((is_level - is_level[learnt].mean()) / spread)
                names.append(f"{column}={level}")
    return np.clip(np.column_stack(found), -8.0, 8.0), tuple(names)


def judged(table: Table, steps: list[Step]) -> dict[str, float]:
    """Return what the champions of each week were worth on that week's leads."""
    came = table.converted_at != NEVER
    losses, caught, best = [], 0.0, 0.0
    last = table.weeks - table.horizon_weeks
    span = range(table.first_model.data_end, last)
    for week, champion in champions(iter(steps), table.first_model, span):
        rows = np.flatnonzero(table.week == week)
        if len(rows) < _FEWEST:
            continue
        said = probability_of(table.log_odds(champion)[rows])
        losses.append(-np.log(np.where(came[rows], said, 1.0 - said)))
        worked = max(1, round(_WORKED_SHARE * len(rows)))
        order = np.lexsort((table.created[rows], -said))[:worked]
        caught += float(came[rows][order].sum())
        best += float(came[rows].sum())
    return {
        "log loss": float(np.concatenate(losses).mean()),
        "conversions among the best fifth": caught,
        "of all conversions": best,
        "champions": float(sum(step.is_promoted for step in steps)),
    }


def main() -> None:
    """Replay both tables, print and write results/loop_real.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    rows: list[dict[str, Any]] = []
    tables = {"olist": olist(folder / "olist_funnel"), "bank": bank(folder / "bank_marketing")}
    for name, (history, reference) in tables.items():
        table = table_of(history, reference)
        for policy, steps in _policies(table):
            for figure, value in judged(table, steps).items():
                rows.append({"name": f"{name}, {policy}: {figure}", "value": value})
                print(f"{name:6} {policy:30} {figure:36} {value:10.4f}")
            if policy == "the loop":
                for step in steps:
                    at = pd.Timestamp(table.start + step.week * MICROS_PER_WEEK, unit="us").date()
                    done = "promoted" if step.is_promoted else "kept"
                    print(f"    {at} {step.reason} {step.kind} {step.approach}: {done}")
    command = "python -m benchmarks.loop_real ../shared/data"
    print(write_rows("loop_real", [row | {"unit": "", "command": command} for row in rows]))


def _policies(table: Table) -> Iterator[tuple[str, list[Step]]]:
    yield "trained once", list(never(table, table.weeks))
    monthly = by_calendar(table, table.weeks, every=_MONTH, window=_YEAR)
    yield "learnt anew each month", list(monthly)
    yield "the loop", list(by_monitoring(table, table.weeks, replace_settings()))


if __name__ == "__main__":
    main()
