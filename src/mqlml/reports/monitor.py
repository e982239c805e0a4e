"""The page of one monitoring: did something change, since when, and what to do."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from mqlml.monitoring.evidence import Change, Cost, Monitoring
from mqlml.reports.curves import calibration_picture
from mqlml.reports.facts import Named, Warned, kind_words
from mqlml.reports.monitor_flow import (
    arrival_table,
    checked_table,
    estimate_picture,
    stage_time_table,
)
from mqlml.reports.monitor_tables import quality_table, question_table, segment_table
from mqlml.reports.page import picture_file, rendered
from mqlml.reports.pictures import Picture
from mqlml.reports.tables import Cell, Head, Table, cells, records, shares_of, text_head
from mqlml.reports.timeline_picture import Champion, weekly_picture
from mqlml.reports.words import counted, day, figure, listed, percent, sentence, short

_INPUTS = 20
_COLUMNS = 6
_LEAST_COST = 0.05


@dataclass(frozen=True)
class Flow:
    """How events arrive and leads move: frames of `arrival_delays` and `stage_times`."""

    arrival: pd.DataFrame = field(default_factory=pd.DataFrame)
    stage_times: pd.DataFrame = field(default_factory=pd.DataFrame)


NO_FLOW = Flow()


@dataclass(frozen=True)
class MonitorFacts:
    """What monitoring found, and the names and versions that belong to it.

    `champions` are the changes of model version in the weeks shown; `sentences` says
    in words what a column holds.
    """

    name: str
    as_of: int | None
    model_version: str
    found: Monitoring
    champions: Sequence[Champion] = ()
    sentences: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    details: Sequence[Named] = ()
    flow: Flow = NO_FLOW


@dataclass(frozen=True)
class ChangeWords:
    """A change as the page shows it."""

    title: str
    evidence: str
    act: str
    facts: tuple[Named, ...]


def monitor_page(facts: MonitorFacts) -> str:
    """Return the monitoring's report as one offline HTML page; equal facts give equal text."""
    found, pictures = facts.found, _pictures(facts)
    return rendered(
        "monitor.html",
        title=f"{short(facts.name)}: monitoring",
        name=short(facts.name),
        subtitle=_subtitle(facts),
        alarm=found.alarm,
        verdict=monitor_verdict(found),
        warnings=tuple(Warned(sentence(text)) for text in (*found.warnings, *facts.warnings)),
        changes=tuple(_change_words(change, facts.sentences) for change in found.changes),
        weekly=pictures.get("weekly"),
        calibration=pictures.get("calibration"),
        inputs=_input_table(found.inputs) if len(found.inputs) else None,
        questions=question_table(found.questions) if len(found.questions) else None,
        quality=quality_table(found.quality) if len(found.quality) else None,
        segments=segment_table(found.segments, facts.sentences) if len(found.segments) else None,
        checked=checked_table(found.checked) if len(found.checked) else None,
        estimates=pictures.get("estimates"),
        arrival=arrival_table(facts.flow.arrival) if len(facts.flow.arrival) else None,
        times=stage_time_table(facts.flow.stage_times) if len(facts.flow.stage_times) else None,
        details=facts.details,
    )


def monitor_pictures(facts: MonitorFacts) -> dict[str, bytes]:
    """Return the page's pictures as SVG files, by name."""
    return {f"{name}.svg": picture_file(one) for name, one in _pictures(facts).items()}


def _pictures(facts: MonitorFacts) -> dict[str, Picture]:
    found, made = facts.found, {}
    if len(found.weekly):
        made["weekly"] = weekly_picture(found.weekly, facts.champions)
    if len(found.calibration):
        made["calibration"] = calibration_picture(found.calibration)
    if len(found.checked):
        made["estimates"] = estimate_picture(found.checked)
    return made


def monitor_verdict(found: Monitoring) -> str:
    """Return the one sentence to remember: whether something changed, and what to do."""
    if not found.changes:
        return (
            "Alarm, without a change that can be named."
            if found.alarm
            else "Nothing that matters has changed."
        )
    first = found.changes[0]
    since = f" since {_date(first.since)}" if first.since is not None else ""
    told, rest = f"{kind_words(first.kind)}{since}", len(found.changes) - 1
    more = counted(rest, "further change was", "further changes were")
    also = f", and {more} found" if rest else ""
    if found.alarm:
        return f"{told}{also}."
    return f"No alarm, but worth a look: {told[0].lower()}{told[1:]}{also}."


def _subtitle(facts: MonitorFacts) -> str:
    as_of = [f"as of {day(facts.as_of)}"] if facts.as_of is not None else []
    return " · ".join(["Monitoring", *as_of, f"model version {short(facts.model_version, 20)}"])


def _change_words(change: Change, sentences: Mapping[str, str]) -> ChangeWords:
    facts = []
    if change.since is not None:
        facts.append(Named("Since", _since_words(change)))
    if change.columns:
        named = change.columns[:_COLUMNS]
        shown = [short(sentences.get(column, column), 120) for column in named]
        rest = len(change.columns) - len(shown)
        if rest:
            shown.append(f"{rest} more")
        facts.append(Named("Columns" if len(change.columns) > 1 else "Column", listed(shown)))
    if change.segment:
        facts.append(Named("Where", short(change.segment, 120)))
    if change.cost is not None and change.cost.conversions_a_week >= _LEAST_COST:
        facts.append(Named("What it costs", _cost_words(change.cost)))
    return ChangeWords(
        title=kind_words(change.kind),
        evidence=sentence(change.evidence),
        act=sentence(change.act),
        facts=tuple(facts),
    )


def _cost_words(cost: Cost) -> str:
    lost = f"about {cost.conversions_a_week:.1f} conversions a week that were expected"
    if cost.hours_a_week < 1:
        return lost
    return f"{lost}, and {cost.hours_a_week:.0f} hours of sales a week on leads that give less"


def _since_words(change: Change) -> str:
    if change.earliest is None or change.latest is None or change.earliest == change.latest:
        return _date(change.since)
    return f"{_date(change.since)} (between {_date(change.earliest)} and {_date(change.latest)})"


def _date(micros: int | None) -> str:
    """Return the day alone: changes are dated by the week, so hours would claim too much."""
    return day(micros).split(" ", 1)[0]


def _input_table(inputs: pd.DataFrame) -> Table:
    top = inputs.head(_INPUTS)
    strength = [_evidence(row["p_value"]) for row in records(top)]
    rows = tuple(
        cells(
            Cell(short(row["sentence"], 120), short(row["statistic"])),
            Cell("shifted" if row["shifted"] else "steady", tone="bad" if row["shifted"] else ""),
            figure(row["reference"], 2),
            figure(row["current"], 2),
            Cell(percent(row["p_value"]), bar=bar),
        )
        for row, bar in zip(records(top), shares_of(strength), strict=True)
    )
    heads = (
        text_head("Input", "what of it"),
        text_head("Finding"),
        Head("Reference period"),
        Head("Current period"),
        Head("Chance by luck", "longer bar: stronger"),
    )
    moved = int(inputs["shifted"].sum())
    note = f"{counted(moved, 'figure', 'figures')} of {len(inputs)} shifted."
    return Table("Inputs then and now, the strongest evidence first", heads, rows, note=note)


def _evidence(p_value: float) -> float:
    return -math.log10(max(p_value, 1e-12)) if math.isfinite(p_value) else math.nan
