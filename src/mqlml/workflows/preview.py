"""`mqlml criteria preview`: a change of the criteria replayed on the past and on today."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mqlml.config import load_criteria
from mqlml.criteria.compare import criteria_changes
from mqlml.criteria.preview import (
    Handed,
    Preview,
    Side,
    Version,
    moved_today,
    preview,
    weeks_of,
)
from mqlml.criteria.settings import Criteria
from mqlml.reports.facts import Named, outcome_words
from mqlml.reports.preview import PreviewFacts, preview_page
from mqlml.reports.preview_pictures import SideNames
from mqlml.reports.words import counted, percent, percent_range, signed
from mqlml.workflows.criteria import criteria_document
from mqlml.workflows.project import Project, shown_instant
from mqlml.workflows.replay import ReplayedPast, Told, replayed_past
from mqlml.workflows.rules import refuse_faulty_rules, refuse_pointless_rules
from mqlml.workflows.train import keep_page

Say = Callable[[str], None]

_SHOWN = 20


@dataclass(frozen=True)
class PreviewResult:
    """What a change of the criteria does, on the past and today."""

    old: Version
    new: Version
    found: Preview
    today: pd.DataFrame
    told: Told
    as_of: str
    report: Path

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
            "probabilities": self.told.document(),
            "report": str(self.report),
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
        yield f"  {self.told.sentence}"
        changed = counted(len(self.today), "open lead changes:", "open leads change:")
        yield f"today ({self.as_of}) {changed if len(self.today) else 'no open lead changes'}"
        for row in self.today.head(_SHOWN).to_dict("records"):
            words = f"{outcome_words(row['before'])} becomes {outcome_words(row['after'])}"
            yield f"  {row['lead_id']} ({row['segment']}): {words}"
        if len(self.today) > _SHOWN:
            yield f"  … and {len(self.today) - _SHOWN} more (--json names them all)"
        yield f"report: {self.report}"


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
    end) on the latest `weeks` whose outcomes are final, with thresholds as `score`
    would measure them at `as_of`, and probabilities of models that had not seen those
    weeks. Fewer weeks are replayed where those do not reach back far enough.

    Raises:
        ConfigError: a rule of the new version is faulty, or can never decide anything.
        BundleError: no champion.
        DataError: no outcome is final, or times are no days.
    """
    criteria = load_criteria(new)
    past = replayed_past(project, as_of, say, seed=seed)
    settings = past.project.settings
    changed = settings.model_copy(update={"criteria": criteria})
    refuse_faulty_rules(changed, past.tables, past.dataset.points, past.dataset.matrix)
    history = past.history()
    refuse_pointless_rules(changed, history.rows)
    old, fresh = past.version(settings.criteria), past.version(criteria)
    weeks = min(weeks, weeks_of(history))
    found = preview(history, old, fresh, weeks=weeks, seed=seed)
    today = moved_today(past.today(), old, fresh)
    facts = _facts(past, found, today, (old, fresh), past.told(history))
    with project.workspace.lock("preview"):
        report = keep_page(project, _page_name(facts), preview_page(facts))
    return PreviewResult(
        old=old,
        new=fresh,
        found=found,
        today=today,
        told=past.told(history),
        as_of=shown_instant(past.moment),
        report=report,
    )


def _facts(
    past: ReplayedPast,
    found: Preview,
    today: pd.DataFrame,
    versions: tuple[Version, Version],
    told: Told,
) -> PreviewFacts:
    old, new = versions
    thresholds = new.criteria.thresholds
    places = thresholds.ranked.per_week if thresholds.ranked else thresholds.capacity_per_week
    return PreviewFacts(
        name=past.project.settings.name,
        as_of=past.moment,
        names=_side_names(old.criteria, new.criteria),
        found=found,
        today=today,
        changes=criteria_changes(old.criteria, new.criteria),
        told=told.sentence,
        capacity=places,
        details=[
            *_version_facts("In force", old),
            *_version_facts("Proposed", new),
            Named("Model", f"version {past.loaded.version}"),
            Named("Data", past.tables.digest),
        ],
    )


def _side_names(old: Criteria, new: Criteria) -> SideNames:
    if old.version != new.version:
        return SideNames(f"version {old.version}", f"version {new.version}")
    return SideNames(f"version {old.version} as it is", f"version {new.version} as proposed")


def _version_facts(which: str, version: Version) -> list[Named]:
    told = criteria_document(version.criteria)
    shown = f"version {told['version']} ({told['digest']}), {told['agreement']}"
    since = told["valid_from"] or "ever"
    return [Named(which, f"{shown}, valid from {since}; {_begins_words(version)}")]


def _page_name(facts: PreviewFacts) -> str:
    stamp = shown_instant(facts.as_of).replace(":", "").replace("-", "")
    return f"criteria-{stamp}.html"
