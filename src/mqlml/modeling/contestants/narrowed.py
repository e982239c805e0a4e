"""Columns on trial: every learner enters twice, with and without them.

Rates of verdicts tell what sales thought of a group's earlier leads. That may be news of the
conversions to come, or only of sales' habits. So the learner that does not see them stays in
the tournament, stands first, and is beaten only by more than one standard error of the
forward log loss, like any simpler contestant.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from mqlml.features.plan import Plan
from mqlml.modeling.contestants.boosting import Boosting
from mqlml.modeling.contestants.contestant import (
    Contestant,
    Fitted,
    Floats,
    Setting,
    TrainingRows,
)
from mqlml.modeling.contestants.guided import Guided
from mqlml.modeling.contestants.logistic import Logistic
from mqlml.modeling.contestants.segments import Segments

_WITH = "_verdicts"


@dataclass(frozen=True)
class Narrowed:
    """A contestant under its own name that is not shown the `hidden` columns."""

    inner: Contestant
    hidden: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the contestant's name."""
        return self.inner.name

    @property
    def complexity(self) -> int:
        """Return the contestant's rank in simplicity."""
        return self.inner.complexity

    def search(self, rows: TrainingRows, valid: pd.DataFrame) -> Mapping[Setting, Floats]:
        """Return the log-odds of the `valid` rows under every setting, learnt from `rows`."""
        return self.inner.search(self.seen(rows), valid)

    def fit(self, rows: TrainingRows, setting: Setting) -> Fitted:
        """Return the contestant learnt from `rows` under one setting."""
        return self.inner.fit(self.seen(rows), setting)

    def seen(self, rows: TrainingRows) -> TrainingRows:
        """Return the rows as the contestant sees them."""
        return replace(rows, shape=rows.shape.without(self.hidden))


def verdict_columns(plan: Plan) -> tuple[str, ...]:
    """Return the plan's columns that are made of verdicts: rates, and ratios of them."""
    rates = [rate.column for rate in plan.rates if rate.is_of_verdicts]
    ratios = [ratio.column for ratio in plan.ratios if {ratio.of, ratio.to} & set(rates)]
    return (*rates, *ratios)


def on_trial(entrants: Iterable[Contestant], columns: tuple[str, ...]) -> Iterator[Contestant]:
    """Yield the entrants without the columns, each learner followed by the one that has them.

    Without columns the entrants are what they were.
    """
    for entrant in entrants:
        if columns and isinstance(entrant, Logistic | Guided | Boosting | Segments):
            yield Narrowed(entrant, columns)
        else:
            yield entrant
        if columns and isinstance(entrant, Logistic | Boosting):
            yield replace(entrant, name=f"{entrant.name}{_WITH}")
