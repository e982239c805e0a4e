"""What each lead is and does, one row per lead: what groups of leads are looked for in."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.dataset.splits import Split
from mqlml.errors import ConfigError, Fault
from mqlml.features.columns import Feature
from mqlml.features.plan import Plan

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

# Of a signal the first kind that the plan has; its longest window.
_KINDS = ("count", "decayed_count", "active_days", "sessions")
# A habit that fewer leads have tells no groups apart.
_LEAST_SHARE = 0.02
# Converting counts as much as half of all habits together: personas should differ in both.
_CONVERTING = 0.5


def refuse_bare(plan: Plan) -> None:
    """Raise ConfigError if the plan has no attribute that says what leads are."""
    if not _attribute_columns(plan):
        mend = "map a column that says who a lead is, such as industry or job title"
        raise ConfigError(Fault("no attribute to tell leads by", "sources.leads", mend=mend))


def _attribute_columns(plan: Plan) -> list[str]:
    """Return the columns that say what leads are; how well they fit is no matter of personas."""
    return [
        part.column
        for part in plan.attributes
        if part.axis == "fit" and not part.transform.startswith("icp_")
    ]


def _habits_of(plan: Plan) -> dict[str, str]:
    """Return what leads do by column, in words: signals, and attributes that tell of engagement.

    Of a signal one feature serves: of the first kind there is, the one that looks back furthest.
    """
    found: dict[str, Feature] = {}
    for feature in plan.features:
        if feature.kind in _KINDS:
            other = found.get(feature.signal.name)
            if other is None or _reach(feature) > _reach(other):
                found[feature.signal.name] = feature
    counted = {feature.column: feature.signal.says for feature in found.values()}
    told = {
        part.column: part.sentence
        for part in plan.attributes
        if part.axis == "engagement" and part.dtype == "number"
    }
    return counted | told


def _reach(feature: Feature) -> tuple[int, int]:
    return -_KINDS.index(feature.kind), feature.window


def attributes_of(rows: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return the columns that tell leads apart, without those that say one thing of everybody."""
    named = rows[_attribute_columns(plan)]
    return named[[name for name in named if len(named[name].unique()) > 1]]


@dataclass(frozen=True)
class People:
    """One row per lead, in order of first points: habits, whether it converted, its last point."""

    habits: tuple[str, ...]
    counts: Floats
    converted: Floats
    last: Rows
    lead_of: Rows

    @classmethod
    def of(cls, points: pd.DataFrame, matrix: pd.DataFrame, plan: Plan) -> "People":
        """Return the leads of labelled points with what their points say on average."""
        lead_of = pd.factorize(points["lead_id"])[0]
        per_lead = np.bincount(lead_of).astype(np.float64)
        habits, counts = [], []
        for column, says in _habits_of(plan).items():
            values = np.maximum(np.nan_to_num(matrix[column].to_numpy(np.float64)), 0.0)
            mean = np.bincount(lead_of, values) / per_lead
            if (mean > 0).mean() >= _LEAST_SHARE:
                habits.append(says)
                counts.append(mean)
        converted = np.zeros(len(per_lead))
        np.maximum.at(converted, lead_of, points["label"].to_numpy(np.float64))
        newest_last = np.argsort(points["as_of"].to_numpy(), kind="stable")
        last = np.empty(len(per_lead), dtype=np.intp)
        last[lead_of[newest_last]] = newest_last
        table = np.column_stack(counts) if counts else np.empty((len(per_lead), 0))
        return cls(tuple(habits), table, converted, last, lead_of)

    def behaviour(self) -> Floats:
        """Return habits and converting on scales that may be compared."""
        scaled = _unit(np.log1p(self.counts)) / np.sqrt(max(len(self.habits), 1))
        return np.column_stack([scaled, np.sqrt(_CONVERTING) * _unit(self.converted[:, None])])

    def folds(self, split: Split) -> list[tuple[Rows, Rows]]:
        """Return earlier and later leads of each forward fold."""
        return [
            (self._leads(split, fold.train), self._leads(split, fold.valid)) for fold in split.folds
        ]

    def _leads(self, split: Split, rows: Rows) -> Rows:
        return np.unique(self.lead_of[np.searchsorted(split.development, rows)])


def _unit(values: Floats) -> Floats:
    spread = values.std(axis=0)
    return np.asarray((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0))
