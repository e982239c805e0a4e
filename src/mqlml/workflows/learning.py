"""Tables → a judged model in a bundle: the part that training and retraining share."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.config import Settings
from mqlml.criteria.decide import decide
from mqlml.criteria.file import criteria_digest
from mqlml.criteria.settings import Criteria
from mqlml.criteria.threshold import (
    WEEKS_LOOKED_AT,
    floor_criteria,
    mql_threshold,
    refuse_few_conversions,
    threshold_history,
)
from mqlml.dataset.acceptance import with_acceptance
from mqlml.dataset.audit import Finding, audit, refuse
from mqlml.dataset.build import Dataset
from mqlml.dataset.evidence.origin import origin_of
from mqlml.dataset.points import training_points
from mqlml.dataset.settings import SplitSettings
from mqlml.dataset.splits import Split, make_split
from mqlml.errors import DataError, Fault
from mqlml.features.plan import Plan
from mqlml.modeling.assurance import Assurance, assurance_from_json, measure_assurance
from mqlml.modeling.bundle import Bundle
from mqlml.modeling.contestants.base_rate import NAME as BASE_RATE
from mqlml.modeling.gates import Gate, check_gates
from mqlml.modeling.grades import cut_grades
from mqlml.modeling.intervals import Scored, Spread, measure_spread
from mqlml.modeling.model import Model
from mqlml.modeling.proxies import SensitiveFinding
from mqlml.modeling.reference import reference_distributions
from mqlml.modeling.routing import routed_result
from mqlml.modeling.settings import ModelSettings
from mqlml.modeling.tournament import TournamentResult, run_tournament
from mqlml.modeling.widening import Effort
from mqlml.scoring.rows import rule_rows
from mqlml.tables.contracts import Tables
from mqlml.wiring import make_engine
from mqlml.workflows.features import USUAL_MEANS, Means, plan_of
from mqlml.workflows.project import shown_instant
from mqlml.workflows.routing import route_facts, routed_dataset
from mqlml.workflows.rules import (
    refuse_contradictions,
    refuse_faulty_rules,
    refuse_pointless_rules,
    sample_of_rows,
)
from mqlml.workflows.segments import with_personas
from mqlml.workflows.sensitive import sensitive_findings

Say = Callable[[str], None]
Show = Callable[[tuple[Finding, ...]], None]

# New MQLs of a week are told from leads that were above the threshold before.
_THRESHOLD_WEEKS = 2 * WEEKS_LOOKED_AT
_DELAY_STEPS = 51
# No probability reaches it.
NOBODY = 1.0
# Folds are searched side by side; how many at once changes no figure.
_JOBS = 2


@dataclass(frozen=True)
class Learnt:
    """Everything that came out of one training, before anything is stored."""

    tables: Tables
    dataset: Dataset
    split: Split
    findings: tuple[Finding, ...]
    result: TournamentResult
    gates: tuple[Gate, ...]
    bundle: Bundle
    mql_probability: float
    sensitive: tuple[SensitiveFinding, ...] = ()
    fallback: str = ""

    @property
    def passed(self) -> bool:
        """Return whether every gate was passed."""
        return all(gate.passed for gate in self.gates)

    @property
    def published(self) -> bool:
        """Return whether every gate was passed, or a fallback stands in (`fallback`, its rung)."""
        return self.passed or bool(self.fallback)


@dataclass(frozen=True)
class Window:
    """Which points count: those from `since` on; of them the latest `test_weeks` are the test.

    None for all points, and for the split's share of them. After a change only the latest
    cohorts whose outcome is known are news.
    """

    since: int | None = None
    test_weeks: float | None = None

    def points(self, points: pd.DataFrame) -> pd.DataFrame:
        """Return the points that count."""
        if self.since is None:
            return points
        is_in = timeline.is_from(points["as_of"].to_numpy(np.int64), self.since)
        return points.iloc[np.flatnonzero(is_in)].reset_index(drop=True)


WHOLE = Window()


def learn(
    settings: Settings,
    tables: Tables,
    *,
    seed: int,
    say: Say,
    window: Window = WHOLE,
    means: Means = USUAL_MEANS,
    show: Show = lambda _: None,
) -> Learnt:
    """Return the winner of the tournament, learnt from what `tables` held at their end.

    `show` gets what the audit found, before the run is stopped by it.

    Raises:
        LeakageError: a column knows the outcome.
        DataError: too few leads, outcomes or periods.
        ConfigError: settings that do not fit the tables.
    """
    refuse_contradictions(settings)
    say("making points and features")
    dataset, split = _dataset(settings, tables, window, means)
    points, matrix = dataset.points, dataset.matrix
    say("looking for leaks")
    origin = origin_of(tables)
    findings = audit(matrix, points, dataset.plan, settings.audit, split=split, origin=origin)
    show(findings)
    refuse(findings)
    say("comparing models on forward folds")
    model = with_personas(settings, tables, dataset).model
    if tables.is_order_time:
        model = without_months(model)
    effort = Effort(model.candidates, means.is_over, lambda n: say(f"tried {n} more"))
    played = routed_dataset(settings, tables, dataset)
    result = run_tournament(played, split, model, seed=seed, jobs=_JOBS, effort=effort)
    result = result if played is dataset else routed_result(result)
    is_dated = not tables.is_order_time
    gates = check_gates(points, split, result, settings.gates, is_dated=is_dated)
    say("measuring thresholds and grades")
    sensitive = sensitive_findings(settings, tables, dataset, seed=seed)
    more = {"seed": seed, "sensitive": [finding.to_json() for finding in sensitive]}
    more |= route_facts(settings, tables, dataset, result)
    bundle = bundle_of(settings, tables, dataset, result, more)
    threshold = float(bundle.facts["mql_probability"])
    return Learnt(tables, dataset, split, findings, result, gates, bundle, threshold, sensitive)


def bundle_of(
    settings: Settings,
    tables: Tables,
    dataset: Dataset,
    result: TournamentResult,
    more: Mapping[str, Any],
) -> Bundle:
    """Return the winner's bundle: its thresholds, grades and intervals, and `more` facts.

    Raises DataError for a precision floor that no threshold keeps.
    """
    assurance = assurance_of(dataset, result)
    threshold = threshold_of(settings.criteria, tables, dataset, result.model, assurance)
    floor = list_floor_of(settings.criteria, tables, dataset, result.model, assurance)
    facts = _facts(settings, tables, dataset, result, threshold) | dict(more)
    facts |= {} if floor is None else {"list_floor": floor}
    return Bundle(
        model=result.model,
        plan=dataset.plan,
        criteria=settings.criteria.model_dump(mode="json"),
        personas=[persona.model_dump(mode="json") for persona in settings.personas],
        facts=facts | {"assurance": assurance.to_json()},
        name=settings.name,
        spread=_spread(dataset, result, assurance),
    )


def without_months(model: ModelSettings) -> ModelSettings:
    """Return the settings of tables without dates: nothing can be asked of their months."""
    if model.segments is None:
        return model
    segments = model.segments.model_copy(update={"min_months": 0})
    return model.model_copy(update={"segments": segments})


def _dataset(
    settings: Settings, tables: Tables, window: Window, means: Means
) -> tuple[Dataset, Split]:
    """Return points and features, split by time; refuses what cannot be learnt from."""
    plan = plan_of(settings, tables)
    points = window.points(training_points(tables, settings.target, settings.points))
    share = _split_of(settings, tables, points, window.test_weeks)
    split = make_split(points, settings.target, share)
    _refuse_unpromised(settings.criteria, points, split)
    if settings.model.acceptance:
        points = with_acceptance(points, tables, settings.target)
    matrix = _matrix(settings, tables, points, plan, means)
    _refuse_nothing_to_see(matrix)
    refuse_faulty_rules(settings, tables, points, matrix)
    _refuse_pointless(settings, tables, points, matrix)
    return Dataset(points, matrix, plan), split


def _matrix(
    settings: Settings, tables: Tables, points: pd.DataFrame, plan: Plan, means: Means
) -> pd.DataFrame:
    engine = make_engine(settings.engine, memory=means.memory, threads=means.threads)
    return engine.compute(tables, points, plan, progress=means.progress)


def _refuse_nothing_to_see(matrix: pd.DataFrame) -> None:
    if matrix.columns.empty:
        found = "no event, and no column that is not mapped, ignored or outcome-side"
        mend = "keep at least one column that is known beforehand, or add a file of events"
        raise DataError(Fault("leads have nothing to learn from", "sources", found, mend))


def _refuse_pointless(
    settings: Settings, tables: Tables, points: pd.DataFrame, matrix: pd.DataFrame
) -> None:
    some = sample_of_rows(points)
    few, seen = (frame.iloc[some].reset_index(drop=True) for frame in (points, matrix))
    refuse_pointless_rules(settings, rule_rows(tables, few, seen))


def _refuse_unpromised(criteria: Criteria, points: pd.DataFrame, split: Split) -> None:
    """Refuse a precision floor that the test is too small for, before anything is learnt."""
    if criteria.thresholds.precision_floor is not None:
        test = points.iloc[split.test]
        refuse_few_conversions(int(test.loc[test["label"] == 1, "lead_id"].nunique()))


def _split_of(
    settings: Settings, tables: Tables, points: pd.DataFrame, test_weeks: float | None
) -> SplitSettings:
    labelled = points.loc[points["label"].notna(), "cohort"]
    if test_weeks is None or tables.is_order_time or labelled.empty:
        return settings.split
    start = int(labelled.max()) - round(test_weeks * timeline.MICROS_PER_WEEK)
    return settings.split.model_copy(update={"test_from": shown_instant(start)})


def assurance_of(dataset: Dataset, result: TournamentResult) -> Assurance:
    """Return how surely the winner's probabilities hold, by the test that it had not seen."""
    leads = pd.factorize(dataset.points["lead_id"].iloc[result.test_rows])[0].astype(np.int64)
    return measure_assurance(result.test_probabilities, result.test_labels, leads)


def _spread(dataset: Dataset, result: TournamentResult, assurance: Assurance) -> Spread | None:
    """Return what gives each score of the model its interval."""
    model = result.model
    rows = result.relearnt.rows
    matrix = dataset.matrix.iloc[rows].reset_index(drop=True)
    scored = Scored(matrix, model.probability(matrix), model.shape, model.calibration.slope)
    return measure_spread(result.relearnt, scored, assurance)


def threshold_of(
    criteria: Criteria,
    tables: Tables,
    dataset: Dataset,
    model: Model,
    assurance: Assurance | None,
) -> float:
    """Return where MQL begins: by the latest weeks' points where capacity or precision decide.

    The weeks need no labels, so the latest ones, whose outcome is open, count too. Where
    all leads have one probability none is an MQL by it: its rank would be a lottery.
    """
    if model.name == BASE_RATE:
        return NOBODY
    if not criteria.thresholds.is_measured:
        return mql_threshold(criteria, pd.DataFrame())
    as_of = dataset.points["as_of"].to_numpy(np.int64)
    start = int(as_of.max()) - _THRESHOLD_WEEKS * timeline.MICROS_PER_WEEK
    recent = np.flatnonzero(timeline.is_from(as_of, start))
    points = dataset.points.iloc[recent].reset_index(drop=True)
    matrix = dataset.matrix.iloc[recent].reset_index(drop=True)
    probability = model.probability(matrix)
    ruled = decide(probability, rule_rows(tables, points, matrix), criteria, 0.0)
    return mql_threshold(criteria, threshold_history(points, probability, ruled), assurance)


def list_floor_of(
    criteria: Criteria,
    tables: Tables,
    dataset: Dataset,
    model: Model,
    assurance: Assurance | None,
) -> float | None:
    """Return the least probability on the ranked list; None if the criteria have no list."""
    if criteria.thresholds.ranked is None:
        return None
    if model.name == BASE_RATE:
        return NOBODY
    rest = floor_criteria(criteria)
    return threshold_of(rest, tables, dataset, model, assurance) if rest else 0.0


def known_assurance(facts: Mapping[str, Any]) -> Assurance | None:
    """Return the assurance among a bundle's facts; None if an older mqlml wrote them."""
    return assurance_from_json(facts["assurance"]) if "assurance" in facts else None


def recent_dataset(settings: Settings, tables: Tables, plan: Plan) -> Dataset:
    """Return the points and features of the weeks that a capacity threshold is measured on."""
    points = training_points(tables, settings.target, settings.points)
    as_of = points["as_of"].to_numpy(np.int64)
    start = int(as_of.max()) - _THRESHOLD_WEEKS * timeline.MICROS_PER_WEEK
    recent = points.iloc[np.flatnonzero(timeline.is_from(as_of, start))].reset_index(drop=True)
    return Dataset(recent, make_engine(settings.engine).compute(tables, recent, plan), plan)


def _facts(
    settings: Settings,
    tables: Tables,
    dataset: Dataset,
    result: TournamentResult,
    threshold: float,
) -> dict[str, Any]:
    labelled = np.flatnonzero(dataset.points["label"].notna())
    points, matrix = dataset.points.iloc[labelled], dataset.matrix.iloc[labelled]
    labels = points["label"].to_numpy(np.float64)
    reference = reference_distributions(
        matrix, dataset.plan, points=points, probabilities=result.model.probability(matrix)
    )
    return {
        "winner": result.winner,
        "winner_settings": next(c.settings for c in result.contestants if c.name == result.winner),
        "test": asdict(result.test),
        "target": settings.target.model_dump(mode="json"),
        "points": settings.points.model_dump(mode="json"),
        "grade_cuts": cut_grades(result.model.parts(matrix), labels).to_json(),
        "mql_probability": threshold,
        "criteria_digest": criteria_digest(settings.criteria),
        "reference": reference,
        "delays_days": _delays_days(points),
        "base_rate": float(labels.mean()),
        "rows": len(points),
        "data_digest": tables.digest,
        "data_end": tables.data_end,
        "last_labelled_as_of": int(points["as_of"].max()),
        "is_order_time": tables.is_order_time,
    }


def _delays_days(points: pd.DataFrame) -> list[float]:
    """Return quantiles (0, 2 %, … 100 %) of days from a point to its conversion."""
    converted = points[(points["label"] == 1) & (points["converted_at"] != timeline.NEVER)]
    if converted.empty:
        return []
    delays = (converted["converted_at"] - converted["as_of"]) / timeline.MICROS_PER_DAY
    return [float(q) for q in np.quantile(delays, np.linspace(0, 1, _DELAY_STEPS))]
