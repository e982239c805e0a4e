"""`mqlml criteria history`: the versions of the criteria, and the past told again under them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mqlml.criteria.compare import criteria_changes
from mqlml.criteria.preview import History, restated
from mqlml.criteria.settings import Criteria
from mqlml.criteria.versions import in_force, starts_at
from mqlml.errors import Fault, UsageError
from mqlml.reports.words import counted, percent, percent_range
from mqlml.workflows.criteria import criteria_document
from mqlml.workflows.project import Project, shown_instant
from mqlml.workflows.replay import Told, replayed_past
from mqlml.workflows.rules import refuse_faulty_rules

Say = Callable[[str], None]


@dataclass(frozen=True)
class HistoryResult:
    """The versions of the criteria, and the past told again under them."""

    versions: tuple[Criteria, ...]
    current: int
    table: pd.DataFrame
    weeks: int
    as_of: str
    told: Told

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        told = self.table.assign(period=[shown_instant(int(p)) for p in self.table["period"]])
        return {
            "as_of": self.as_of,
            "in_force": self.current,
            "versions": [
                {**criteria_document(v), "changes": changes}
                for v, changes in zip(self.versions, self._changes(), strict=True)
            ],
            "weeks_per_period": self.weeks,
            "restated": told.to_dict("records"),
            "probabilities": self.told.document(),
        }

    def _changes(self) -> Iterator[list[str]]:
        yield []
        for old, new in zip(self.versions, self.versions[1:], strict=False):
            yield list(criteria_changes(old, new))

    def lines(self) -> Iterator[str]:
        """Yield the answer for people: each version with its changes, then the trend."""
        for version, changes in zip(self.versions, self._changes(), strict=True):
            told = criteria_document(version)
            mark = ", in force" if version.version == self.current else ""
            since = told["valid_from"] or "ever"
            name = f"version {version.version} ({told['digest']})"
            yield f"{name}, {told['agreement']}, valid from {since}{mark}"
            yield from (f"  {change}" for change in changes)
        yield f"leads to sales and their precision, per {self.weeks} weeks:"
        for period, rows in self.table.groupby("period", sort=True):
            parts = [f"{_way(row)} {_told(row)}" for row in rows.to_dict("records")]
            yield f"  from {shown_instant(int(str(period)))[:10]}: {'; '.join(parts)}"
        yield self.told.sentence


def _way(row: Mapping[Any, Any]) -> str:
    return f"under version {row['version']}:" if row["version"] else "as in force:"


def _told(row: Mapping[Any, Any]) -> str:
    leads = counted(row["leads"], "lead", "leads")
    if not row["mature"]:
        return leads
    return f"{leads}, {percent(row['precision'])} ({percent_range(row['low'], row['high'])})"


def criteria_history(
    project: Project, *, as_of: int | None, under: int | None, weeks: int, say: Say
) -> HistoryResult:
    """Return every version of the config's criteria and the past restated under them.

    Periods are `weeks` long and reach up to the last point whose outcome is
    final. `under` asks for one version only, beside what was in force.

    Raises:
        UsageError: `under` is no version of the config.
        ConfigError: a rule does not fit the tables.
        BundleError: no champion.
        DataError: no outcome is final, or times are no days.
    """
    versions = project.settings.criteria_versions
    asked = [v for v in versions if under in (None, v.version)]
    if not asked:
        found = ", ".join(str(v.version) for v in versions)
        mend = f"the config lists version {found}"
        raise UsageError(Fault("no such version of the criteria", "--under", str(under), mend))
    past = replayed_past(project, as_of, say)
    for version in versions:
        changed = past.project.settings.model_copy(update={"criteria": version})
        refuse_faulty_rules(changed, past.tables, past.dataset.points, past.dataset.matrix)
    history = past.history()
    measured = [past.version(version) for version in versions]
    zone = project.settings.timezone or "UTC"
    table = restated(history, measured, _positions(history, versions, zone), weeks=weeks)
    shown = {0, *(version.version for version in asked)}
    current = in_force(versions, past.moment, zone=zone).version
    return HistoryResult(
        versions=versions,
        current=current,
        table=table[table["version"].isin(shown)].reset_index(drop=True),
        weeks=weeks,
        as_of=shown_instant(past.moment),
        told=past.told(history),
    )


def _positions(history: History, versions: tuple[Criteria, ...], zone: str) -> Any:
    """Return which version was in force at each point; before the first, the first."""
    starts = np.array([starts_at(version, zone) for version in versions])
    as_of = history.points["as_of"].to_numpy(np.int64)
    # Versions are in order of their first day, and the day's first instant is the new one's.
    return np.maximum(np.searchsorted(starts, as_of, side="right") - 1, 0)
