"""`mqlml criteria preview` and `history`: versions of the criteria replayed on the past."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.config import load_criteria
from mqlml.criteria.compare import criteria_changes
from mqlml.criteria.file import criteria_digest
from mqlml.criteria.preview import (
    Handed,
    History,
    Preview,
    Side,
    Version,
    moved_today,
    preview,
    restated,
)
from mqlml.criteria.settings import Criteria
from mqlml.criteria.versions import in_force, starts_at
from mqlml.dataset.build import Dataset
from mqlml.dataset.points import open_points, training_points
from mqlml.errors import DataError, Fault, UsageError
from mqlml.reports.facts import outcome_words
from mqlml.reports.words import percent, percent_range, signed
from mqlml.scoring.personas import personas_of
from mqlml.scoring.rows import rule_rows
from mqlml.storage.handed import handed_before
from mqlml.storage.score_runs import latest_number, previous_files, score_runs
from mqlml.tables.contracts import Tables
from mqlml.wiring import make_engine
from mqlml.workflows.agreement import project_at
from mqlml.workflows.champion import Loaded, load_champion
from mqlml.workflows.criteria import criteria_document
from mqlml.workflows.ingest import current_tables
from mqlml.workflows.learning import known_assurance, list_floor_of, threshold_of
from mqlml.workflows.project import Project, shown_instant
from mqlml.workflows.rules import refuse_faulty_rules, refuse_pointless_rules

Say = Callable[[str], None]

# Who went to sales before the weeks that are shown does not go again.
_WEEKS_BEFORE = 16
_SHOWN = 20


@dataclass(frozen=True)
class _Past:
    """The champion's view of the tables: points and features up to the data's end, and today."""

    project: Project
    tables: Tables
    moment: int
    loaded: Loaded
    dataset: Dataset

    def history(self) -> History:
        """Return the points up to the last one whose outcome is final."""
        points = self.dataset.points
        known = points.loc[points["label"].notna(), "as_of"]
        is_later = timeline.is_from(points["as_of"].to_numpy(np.int64), int(known.max()) + 1)
        rows = np.flatnonzero(~np.asarray(is_later))
        matrix = self.dataset.matrix.iloc[rows].reset_index(drop=True)
        return self._as_seen(points.iloc[rows].reset_index(drop=True), matrix)

    def today(self) -> History:
        """Return the leads that are open at the moment."""
        settings = self.project.settings
        points = open_points(self.tables, settings.target, settings.points, as_of=self.moment)
        plan = self.loaded.bundle.plan
        matrix = make_engine(settings.engine).compute(self.tables, points, plan)
        seen = self._as_seen(points.assign(label=np.nan), matrix)
        space = self.project.workspace
        runs = score_runs(space.ledger, settings.name)
        after = latest_number(runs)
        files = previous_files(space.scores, runs, before=self.moment, after=after)
        return replace(seen, handed=handed_before(files))

    def _as_seen(self, points: pd.DataFrame, matrix: pd.DataFrame) -> History:
        rows = rule_rows(self.tables, points, matrix)
        probability = self.loaded.bundle.model.probability(matrix)
        return History(points, probability, rows, personas_of(rows, self.project.settings.personas))

    def version(self, criteria: Criteria) -> Version:
        """Return criteria with the threshold that `score` would use at the moment."""
        facts, model = self.loaded.bundle.facts, self.loaded.bundle.model
        zone = self.project.settings.timezone or "UTC"
        if criteria_digest(criteria) == facts["criteria_digest"]:
            floor = float(facts.get("list_floor", 0.0))
            return Version(criteria, float(facts["mql_probability"]), floor, zone)
        assurance = known_assurance(facts)
        measured, least = (
            find(criteria, self.tables, self.dataset, model, assurance)
            for find in (threshold_of, list_floor_of)
        )
        return Version(criteria, float(measured or 0.0), least or 0.0, zone)

    def learnt_share(self, history: History) -> float:
        """Return the share of the history that the champion may have learnt from."""
        last = int(self.loaded.bundle.facts["last_labelled_as_of"])
        as_of = history.points["as_of"].to_numpy(np.int64)
        return 1.0 - float(np.mean(np.asarray(timeline.is_from(as_of, last + 1))))


def _past(project: Project, as_of: int | None, weeks: int | None, say: Say) -> _Past:
    """Return the past of `weeks` and what came before them, or the whole of it."""
    tables = current_tables(project, say=say, as_of=as_of)
    if tables.is_order_time:
        mend = "compare the score files of both versions instead"
        found = "an order column that stands for time"
        raise DataError(Fault("criteria are replayed week by week", "sources", found, mend))
    moment = tables.data_end if as_of is None else as_of
    project = project_at(project, tables, moment)
    loaded = load_champion(project)
    settings = project.settings
    points = training_points(tables, settings.target, settings.points)
    labelled = points.loc[points["label"].notna(), "as_of"]
    if labelled.empty:
        mend = "wait until the horizon of the first leads has passed"
        raise DataError(Fault("no outcome is final yet", "target.horizon_days", mend=mend))
    if weeks is not None:
        length = (weeks + _WEEKS_BEFORE) * timeline.MICROS_PER_WEEK
        is_late = timeline.is_from(points["as_of"].to_numpy(np.int64), int(labelled.max()) - length)
        points = points.iloc[np.flatnonzero(is_late)].reset_index(drop=True)
    say("looking at past points")
    matrix = make_engine(settings.engine).compute(tables, points, loaded.bundle.plan)
    return _Past(project, tables, moment, loaded, Dataset(points, matrix, loaded.bundle.plan))


@dataclass(frozen=True)
class PreviewResult:
    """What a change of the criteria does, on the past and today."""

    old: Version
    new: Version
    found: Preview
    today: pd.DataFrame
    learnt_share: float
    as_of: str

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        found = self.found
        return {
            "as_of": self.as_of,
            "weeks": found.weeks,
            "changes": list(criteria_changes(self.old.criteria, self.new.criteria)),
            "old": _side_document(self.old, found.old),
            "new": _side_document(self.new, found.new),
            "precision_gain": {"value": found.gain, "low": found.gain_low, "high": found.gain_high},
            "enters": {**asdict(found.enters), "lead_ids": list(found.entering)},
            "leaves": {**asdict(found.leaves), "lead_ids": list(found.leaving)},
            "by_segment": found.by_segment.to_dict("records"),
            "by_week": found.by_week.assign(
                week=[shown_instant(int(w)) for w in found.by_week["week"]]
            ).to_dict("records"),
            "today": self.today.to_dict("records"),
            "learnt_share": self.learnt_share,
        }

    def lines(self) -> Iterator[str]:
        """Yield the answer for people: what changes, the figures, who moves."""
        found = self.found
        changes = criteria_changes(self.old.criteria, self.new.criteria)
        yield from changes or ("both say the same",)
        yield f"replayed on {found.weeks} weeks whose outcomes are final:"
        for name, version, side in (("old", self.old, found.old), ("new", self.new, found.new)):
            yield f"  {name}: {_side_words(version, side)}"
        shown = f"{signed(100 * found.gain, 1)} points"
        yield f"  precision changes by {shown} ({_points_range(found)})"
        yield f"  would enter: {_handed_words(found.enters)}{_ids(found.entering)}"
        yield f"  would leave: {_handed_words(found.leaves)}{_ids(found.leaving)}"
        for row in found.by_segment.to_dict("records"):
            yield (
                f"  {row['segment']}: {row['old_leads']} became {row['new_leads']} leads, "
                f"precision {percent(row['old_precision'])} became {percent(row['new_precision'])}"
                f" ({percent_range(row['new_low'], row['new_high'])})"
            )
        if self.learnt_share > 0:
            yield (
                f"  the model learnt from {percent(self.learnt_share)} of these points, which "
                "flatters both precisions: read their difference"
            )
        yield f"today ({self.as_of}) {len(self.today)} open leads change:"
        for row in self.today.head(_SHOWN).to_dict("records"):
            words = f"{outcome_words(row['before'])} becomes {outcome_words(row['after'])}"
            yield f"  {row['lead_id']} ({row['segment']}): {words}"
        if len(self.today) > _SHOWN:
            yield f"  … and {len(self.today) - _SHOWN} more (--json names them all)"


def _side_document(version: Version, side: Side) -> dict[str, Any]:
    return {
        **criteria_document(version.criteria),
        "mql_probability": version.mql_probability,
        "per_week": asdict(side.volume),
        **asdict(side.handed),
    }


def _side_words(version: Version, side: Side) -> str:
    volume = side.volume
    return (
        f"version {version.criteria.version}, {_begins_words(version)}: "
        f"{volume.mean:.1f} leads a week ({volume.low:.1f} to {volume.high:.1f}, at most "
        f"{volume.most}), {_handed_words(side.handed)}"
    )


def _begins_words(version: Version) -> str:
    ranked = version.criteria.thresholds.ranked
    if ranked is None:
        return f"MQL from {percent(version.mql_probability)}"
    least = f" from {percent(version.floor)}" if version.floor else ""
    return f"the best {ranked.most} new leads a {ranked.per}{least}"


def _handed_words(group: Handed) -> str:
    if not group.mature:
        return f"{group.leads} leads"
    return (
        f"{group.leads} leads, {percent(group.precision)} of {group.mature} converted "
        f"({percent_range(group.low, group.high)})"
    )


def _points_range(found: Preview) -> str:
    return f"{signed(100 * found.gain_low, 1)} to {signed(100 * found.gain_high, 1)}"


def _ids(leads: tuple[str, ...]) -> str:
    if not leads:
        return ""
    more = f", … {len(leads) - _SHOWN} more" if len(leads) > _SHOWN else ""
    return f": {', '.join(leads[:_SHOWN])}{more}"


def preview_criteria(
    project: Project, new: Path, *, as_of: int | None, weeks: int, seed: int, say: Say
) -> PreviewResult:
    """Return what the criteria in the file `new` would have done, and do to open leads.

    They are held against the version in force at `as_of` (default: the data's
    end) on the latest `weeks` whose outcomes are final, with the champion's
    probabilities and thresholds as `score` would measure them at `as_of`.

    Raises:
        ConfigError: a rule of the new version is faulty, or can never decide anything.
        BundleError: no champion.
        DataError: no outcome is final, or times are no days.
    """
    criteria = load_criteria(new)
    past = _past(project, as_of, weeks, say)
    settings = past.project.settings
    changed = settings.model_copy(update={"criteria": criteria})
    refuse_faulty_rules(changed, past.tables, past.dataset.points, past.dataset.matrix)
    history = past.history()
    refuse_pointless_rules(changed, history.rows)
    old, fresh = past.version(settings.criteria), past.version(criteria)
    return PreviewResult(
        old=old,
        new=fresh,
        found=preview(history, old, fresh, weeks=weeks, seed=seed),
        today=moved_today(past.today(), old, fresh),
        learnt_share=past.learnt_share(history),
        as_of=shown_instant(past.moment),
    )


@dataclass(frozen=True)
class HistoryResult:
    """The versions of the criteria, and the past told again under them."""

    versions: tuple[Criteria, ...]
    current: int
    table: pd.DataFrame
    weeks: int
    as_of: str

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


def _way(row: Mapping[Any, Any]) -> str:
    return f"under {row['version']}" if row["version"] else "as in force"


def _told(row: Mapping[Any, Any]) -> str:
    if not row["mature"]:
        return f"{row['leads']}"
    return f"{row['leads']}, {percent(row['precision'])} ({percent_range(row['low'], row['high'])})"


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
    past = _past(project, as_of, None, say)
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
    )


def _positions(history: History, versions: tuple[Criteria, ...], zone: str) -> Any:
    """Return which version was in force at each point; before the first, the first."""
    starts = np.array([starts_at(version, zone) for version in versions])
    as_of = history.points["as_of"].to_numpy(np.int64)
    # Versions are in order of their first day, and the day's first instant is the new one's.
    return np.maximum(np.searchsorted(starts, as_of, side="right") - 1, 0)
