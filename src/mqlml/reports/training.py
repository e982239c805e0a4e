"""The page of one training: what was predicted, how good it is, what it leans on."""

import math
from collections.abc import Sequence

import pandas as pd

from mqlml.dataset.findings import Finding
from mqlml.modeling.gates import Gate
from mqlml.modeling.metrics import TestMetrics
from mqlml.reports.audit_pictures import finding_pictures
from mqlml.reports.curves import calibration_picture, gains_picture
from mqlml.reports.dependence import dependence_pictures
from mqlml.reports.facts import Named, Warned, became, become, contestant_words
from mqlml.reports.grades import band_table, is_graded, rate_matrix
from mqlml.reports.leads import leads_of
from mqlml.reports.limits import FALLBACK_WORDS, NOT_FOR, limits_of
from mqlml.reports.moved import moved_table
from mqlml.reports.page import picture_file, rendered
from mqlml.reports.pictures import Picture
from mqlml.reports.sensitive import fare_tables, sensitive_table
from mqlml.reports.summaries import found_at
from mqlml.reports.tables import Table
from mqlml.reports.training_facts import Target, TrainingFacts
from mqlml.reports.training_tables import (
    contestant_table,
    feature_table,
    finding_table,
    gate_table,
    gate_words,
    override_table,
    persona_table,
    reliability_table,
    source_table,
)
from mqlml.reports.words import (
    MISSING,
    capital,
    count,
    counted,
    day,
    duration,
    listed,
    percent,
    sentence,
    short,
    times,
)

_EXAMPLES = 6
_NAMED_COLUMNS = 4
_LARGE_CALIBRATION_ERROR = 0.05
_NARROW = "\u202f"


def training_page(facts: TrainingFacts) -> str:
    """Return the training's report as one offline HTML page; equal facts give equal text."""
    stage = facts.target.stage
    return rendered(
        "training.html",
        title=f"{short(facts.name)}: training report",
        name=short(facts.name),
        is_repeated=facts.target.is_repeated,
        subtitle=_subtitle(facts),
        published=facts.published and facts.is_promoted is not False and not facts.fallback,
        state=_state(facts),
        verdict=training_verdict(facts),
        compared=compared(facts),
        tiles=_tiles(facts),
        warnings=_warnings(facts),
        predicted=predicted_facts(facts),
        is_compared=facts.moved is not None,
        moved=moved_table(facts.moved) if facts.moved is not None and len(facts.moved) else None,
        contestants=contestant_table(
            facts.contestants, facts.winner, facts.fold_log_loss, is_fallback=bool(facts.fallback)
        ),
        **_pictures(facts),
        bands=band_table(facts.bands, stage) if len(facts.bands) else None,
        grades=_grade_matrix(facts.grades, stage),
        features=_features(facts.features),
        dependence=dependence_pictures(facts.dependence),
        personas=persona_table(facts.personas, stage) if len(facts.personas) else None,
        reliability=reliability_table(facts.reliability) if len(facts.reliability) else None,
        examples=leads_of(facts.examples.drop(columns="trend", errors="ignore"), limit=_EXAMPLES),
        sources=source_table(facts.sources) if facts.sources else None,
        gates=gate_table(facts.gates) if facts.gates else None,
        audit=finding_table(facts.findings) if facts.findings else None,
        audit_pictures=finding_pictures(facts.findings),
        overrides=override_table(facts.findings)
        if any(f.allowed for f in facts.findings)
        else None,
        sensitive=sensitive_table(facts.sensitive) if facts.sensitive else None,
        fares=fare_tables(facts.sensitive, stage) if facts.sensitive else (),
        limits=limits_of(facts),
        not_for=NOT_FOR,
        details=facts.details,
    )


def training_pictures(facts: TrainingFacts) -> dict[str, bytes]:
    """Return the page's pictures as SVG files, by name."""
    shown = dict(enumerate(dependence_pictures(facts.dependence), start=1))
    named = _pictures(facts) | {f"dependence-{number}": one for number, one in shown.items()}
    return {f"{name}.svg": picture_file(one) for name, one in named.items()}


def _pictures(facts: TrainingFacts) -> dict[str, Picture]:
    return {
        "gains": gains_picture({contestant_words(n): frame for n, frame in facts.gains.items()}),
        "calibration": calibration_picture(facts.calibration),
    }


def training_verdict(facts: TrainingFacts) -> str:
    """Return the one sentence to remember, in plain words."""
    base, lift = facts.test.base_rate, facts.test.lift_at_10
    ranks = "they rank" if facts.fallback else "this model ranks"
    if facts.fallback == "base_rate":
        sentence = f"That is {percent(base)}; it does not tell the leads apart."
    elif facts.winner == "base_rate" or not math.isfinite(lift):
        sentence = (
            "No model did better than giving every lead the average chance of "
            f"{percent(base)}: these data do not tell the leads apart."
        )
    else:
        sentence = (
            f"Of the 10{_NARROW}% of leads {ranks} highest, {percent(lift * base)} "
            f"{became(facts.target.stage)}: {times(lift)} the average of {percent(base)}."
        )
    if facts.fallback:
        return f"{FALLBACK_WORDS[facts.fallback]} {sentence}"
    return sentence if facts.published else f"Not published. {sentence}"


def compared(facts: TrainingFacts) -> str:
    """Return how the winner stands beside the points rules and the simple model."""
    lifts = {
        name: facts.contestants[name].lift_at_10
        for name in ("points_rules", "logistic", "lightgbm")
        if name != facts.winner and name in facts.contestants
    }
    parts = [
        f"{contestant_words(name).lower()} {times(lift)}"
        for name, lift in lifts.items()
        if math.isfinite(lift)
    ]
    if not parts:
        return ""
    return f"On the same leads: {listed(parts)} the average."


def _state(facts: TrainingFacts) -> str:
    if not facts.published:
        return "not published"
    if facts.fallback:
        return "fallback"
    states = {None: "published", True: "the new champion", False: "the old champion stays"}
    return states[facts.is_promoted]


def _subtitle(facts: TrainingFacts) -> str:
    parts = [contestant_words(facts.winner)]
    if facts.model_version:
        parts.append(f"version {short(facts.model_version, 20)}")
    if facts.as_of is not None:
        parts.append(f"as of {day(facts.as_of)}")
    return " · ".join(parts)


def _tiles(facts: TrainingFacts) -> tuple[Named, ...]:
    test, curve = facts.test, facts.gains.get(facts.winner)
    fifth = found_at(curve, 0.2) if curve is not None else math.nan
    tiles = (
        Named("converted among the top 10 %", percent(test.lift_at_10 * test.base_rate)),
        Named("converted among all leads", percent(test.base_rate)),
        Named("of all conversions are in the top 20 %", percent(fifth)),
    )
    return tuple(tile for tile in tiles if tile.value != MISSING)


def _warnings(facts: TrainingFacts) -> tuple[Warned, ...]:
    gates = [
        Warned(
            f"Gate not passed: {gate_words(gate).name}",
            _gate_detail(gate),
            is_stop=True,
        )
        for gate in facts.gates
        if not gate.passed
    ]
    said = (Warned(sentence(text)) for text in facts.warnings)
    return (*gates, *_miscalibrated(facts.test), *said, *_audit_warnings(facts.findings))


def _gate_detail(gate: Gate) -> str:
    words = gate_words(gate)
    return " ".join(
        filter(None, (f"Found {words.found}, needed {words.needed}.", sentence(gate.mend)))
    )


def _miscalibrated(test: TestMetrics) -> tuple[Warned, ...]:
    if not test.calibration_error > _LARGE_CALIBRATION_ERROR:
        return ()
    points = round(100 * test.calibration_error)
    return (
        Warned(
            f"On the test, probabilities were {points} points off on average",
            "Trust the order of the leads more than the percents. The model in use was calibrated "
            "again on the test's leads, the latest there are.",
        ),
    )


def _audit_warnings(findings: Sequence[Finding]) -> tuple[Warned, ...]:
    """Return one warning per kind of finding, however many columns it concerns."""
    by_kind: dict[str, list[Finding]] = {}
    for found in findings:
        by_kind.setdefault(found.finding, []).append(found)
    return tuple(_audit_warning(kind, found) for kind, found in by_kind.items())


def _audit_warning(kind: str, findings: Sequence[Finding]) -> Warned:
    names = [short(found.column) for found in findings]
    rest = len(names) - _NAMED_COLUMNS
    shown = [*names[:_NAMED_COLUMNS], f"{rest} more"] if rest > 0 else names
    mends = dict.fromkeys(sentence(found.mend) for found in findings if found.mend)
    return Warned(
        f"{capital(short(kind, 200))}: {listed(shown)}",
        " ".join(mends),
        items=tuple(f"{short(found.column)}: {sentence(found.evidence)}" for found in findings),
    )


def predicted_facts(facts: TrainingFacts) -> tuple[Named, ...]:
    """Return what is predicted, of whom, from when, and on what it was tested."""
    target, test = facts.target, facts.test
    within = f" within {duration(target.horizon_days)}" if target.horizon_days else ""
    rows = [
        *(Named(name, sentence(value)) for name, value in facts.occasion),
        Named("The question", f"Which leads will {become(target.stage)}{within}?"),
        Named("When leads are looked at", sentence(target.points)),
    ]
    if target.first_as_of is not None:
        span = f"{day(target.first_as_of)} to {day(target.last_as_of)}"
        rows.append(Named("Period", span))
    tested = (
        f"{_looks(test.rows, facts.target)}, of which {count(test.conversions)} "
        f"{became(target.stage, test.conversions)}"
    )
    since = f", from {day(target.test_from)} on" if target.test_from is not None else ""
    rows.append(Named("Tested on the latest", f"{tested}{since}"))
    return tuple(rows)


def _looks(rows: int, target: Target) -> str:
    if target.is_repeated:
        return counted(rows, "look at a lead", "looks at leads")
    return counted(rows, "lead", "leads")


def _features(features: pd.DataFrame) -> Table | None:
    if features.empty or not (features["importance"] > 0).any():
        return None
    return feature_table(features[features["importance"] > 0])


def _grade_matrix(grades: pd.DataFrame, stage: str) -> Table | None:
    if grades.empty or not is_graded(list(grades["group"])):
        return None
    return rate_matrix(grades, f"Share of leads that {became(stage)}, by grade")
