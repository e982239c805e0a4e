"""The tournament: contestants judged on forward folds, one winner, one look at the test."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pandas as pd

from mqlml.dataset.splits import Split
from mqlml.errors import ConfigError, Fault, nearest
from mqlml.features.plan import Plan
from mqlml.modeling.calibration import Floats, fit_calibration, probability_of
from mqlml.modeling.contestants.base_rate import BaseRate
from mqlml.modeling.contestants.boosting import Boosting, FittedBoosting
from mqlml.modeling.contestants.contestant import (
    NO_HALF_LIFE,
    Contestant,
    Fitted,
    TrainingRows,
)
from mqlml.modeling.contestants.guided import Guided
from mqlml.modeling.contestants.logistic import Logistic
from mqlml.modeling.contestants.narrowed import Narrowed, on_trial, verdict_columns
from mqlml.modeling.contestants.points_rules import PointsRules
from mqlml.modeling.contestants.segments import Segments
from mqlml.modeling.importance_ranks import rank_ranges
from mqlml.modeling.matrix import MatrixShape, shape_of
from mqlml.modeling.metrics import TestMetrics, log_loss, measure, roc_auc_gain
from mqlml.modeling.model import CalibratedModel
from mqlml.modeling.relearning import Relearnt, relearn
from mqlml.modeling.rungs import Rung, segmenting_of, segments_of, standing_of
from mqlml.modeling.search import Choice, Material, Rows, difference_error
from mqlml.modeling.settings import ModelSettings
from mqlml.modeling.widening import Effort, search_wide

# The complexity of points rules; the base rate has less.
_LEARNS_NOTHING = 1
_FEWEST_SEGMENTS = 2
# As shares of the development rows: within that many newer rows a row's weight halves.
_HALF_LIFE_SHARES = (0.5,)


class TrainingSet(Protocol):
    """The part of a `Dataset` that is used: points with labels, matrix in their order, plan."""

    @property
    def points(self) -> pd.DataFrame:
        """Return the columns lead_id, as_of and label (NaN where unknown)."""
        ...

    @property
    def matrix(self) -> pd.DataFrame:
        """Return the feature matrix, one row per point."""
        ...

    @property
    def plan(self) -> Plan:
        """Return the plan that made the matrix."""
        ...


@dataclass(frozen=True)
class ContestantResult:
    """Forward figures of a contestant; `standard_error` is of its distance to the best."""

    name: str
    log_loss: float
    roc_auc: float
    pr_auc: float
    fold_log_loss: tuple[float, ...]
    standard_error: float
    settings: dict[str, float | str]


@dataclass(frozen=True)
class AxisCost:
    """ROC-AUC on the test lost by keeping the axes apart, with its 95 % interval."""

    roc_auc: float
    low: float
    high: float


@dataclass(frozen=True)
class TournamentResult:
    """Everything that gates, bundle and report need of a tournament.

    Test figures are of models learnt on the development part; `test_model` is
    the winner among them. `model` is the winner learnt again on all labelled rows.
    `constant_log_loss` is the test log loss of saying the development base rate,
    `relearnt` the winner learnt again from resampled leads, `ranks` how surely each
    column has its rank among the winner's by these (`rank_ranges`),
    `axis_cost` what keeping fit and engagement apart costs it, None if nothing;
    `candidates` how many settings beyond the usual ones were tried of each learner,
    `segments` what each segment is scored by, if the settings name a column of segments.
    """

    contestants: tuple[ContestantResult, ...]
    winner: str
    test: TestMetrics
    constant_log_loss: float
    test_by_contestant: dict[str, TestMetrics]
    test_rows: Rows
    test_labels: Floats
    test_probabilities: Floats
    probabilities_by_contestant: dict[str, Floats]
    test_model: CalibratedModel
    model: CalibratedModel
    ranks: pd.DataFrame
    relearnt: Relearnt
    axis_cost: AxisCost | None = None
    candidates: int = 0
    segments: tuple[Rung, ...] = ()


def run_tournament(
    dataset: TrainingSet,
    split: Split,
    settings: ModelSettings,
    *,
    seed: int,
    jobs: int = 1,
    effort: Effort | None = None,
) -> TournamentResult:
    """Return the winner and all figures; equal arguments give an equal model, bit for bit.

    Without `effort` the settings say how widely is searched. An effort that ends by a clock
    is the exception to equality: `candidates` of the result tells how to have the same again.

    The winner has the lowest mean log loss over forward folds, unless a simpler
    contestant is within one standard error of it. The test rows are evaluated
    once, after that.
    """
    # Before the limit, which binds only the libraries that are loaded by then.
    import sklearn.linear_model  # noqa: F401
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # One thread for linear algebra: the order of additions, hence the last digit,
    # must not depend on the machine.
    with threadpool_limits(limits=1, user_api="blas"):
        material = material_of(dataset, settings, seed)
        segments = _segments(material, split, settings)
        entrants = contestants_of(
            settings, len(split.development), segments, trial=columns_on_trial(dataset, material)
        )
        choices, tried = search_wide(
            entrants, material, split, jobs=jobs, effort=effort or Effort(settings.candidates)
        )
        results = _results(choices)
        winner = _winner(choices, results)
        learnt = _learnt_by_all(choices, material, split, jobs)
        segments = standing_of(segments, winner.contestant.name)
        standing = _Standing(results, winner, tried, segments)
        return _evaluated(material, split, learnt, standing, jobs=jobs)


def material_of(dataset: TrainingSet, settings: ModelSettings, seed: int) -> Material:
    """Return the dataset's rows with what models need to know of them."""
    plan_shape = shape_of(dataset.plan)
    _refuse_undirected(settings.monotone, plan_shape)
    return Material(
        matrix=dataset.matrix,
        labels=dataset.points["label"].to_numpy(np.float64),
        as_of=dataset.points["as_of"].to_numpy(np.int64),
        leads=pd.factorize(dataset.points["lead_id"])[0].astype(np.int64),
        plan_shape=plan_shape,
        shape=plan_shape.without(settings.drop),
        seed=seed,
        accepted=_second_target(dataset.points, settings),
    )


def _second_target(points: pd.DataFrame, settings: ModelSettings) -> Floats | None:
    is_asked = settings.acceptance and "accepted" in points
    return points["accepted"].to_numpy(np.float64) if is_asked else None


def columns_on_trial(dataset: TrainingSet, material: Material) -> tuple[str, ...]:
    """Return the columns made of verdicts, if models may see them and others."""
    columns = tuple(c for c in verdict_columns(dataset.plan) if c in material.shape.columns)
    return columns if len(columns) < len(material.shape.columns) else ()


def _refuse_undirected(monotone: Mapping[str, int], shape: MatrixShape) -> None:
    """Raise one ConfigError naming monotone columns that do not exist or hold text."""
    where = "model.monotone"
    faults = [
        Fault("no such column", where, f"{name!r}; {nearest(name, shape.columns)}", "correct it")
        for name in monotone
        if name not in shape.columns
    ]
    faults += [
        Fault("a category has no direction", where, repr(name), "remove it")
        for name in monotone
        if shape.is_category(name)
    ]
    if faults:
        raise ConfigError(*faults)


def _segments(material: Material, split: Split, settings: ModelSettings) -> tuple[Rung, ...]:
    if settings.segments is None:
        return ()
    return segments_of(material, split.development, settings.segments)


def contestants_of(
    settings: ModelSettings,
    development_rows: int,
    segments: Sequence[Rung] = (),
    *,
    trial: tuple[str, ...] = (),
) -> tuple[Contestant, ...]:
    """Return the contestants that the settings name; the base rate always takes part.

    Models by segment take part if two segments are large enough. Learners take part with
    and without the columns of `trial` (see `narrowed`).
    """
    half_lives = (
        NO_HALF_LIFE,
        *(float(round(share * development_rows)) for share in _HALF_LIFE_SHARES),
    )
    entrants: list[Contestant] = [BaseRate()]
    if "points_rules" in settings.contestants and settings.points_rules:
        entrants.append(PointsRules(settings.points_rules))
    if "logistic" in settings.contestants:
        entrants.append(Logistic(half_lives))
    if settings.acceptance:
        entrants.append(Guided())
    large = tuple(segment.segment for segment in segments if segment.is_large)
    if settings.segments is not None and len(large) >= _FEWEST_SEGMENTS:
        least = settings.segments.min_conversions
        entrants.append(Segments(segmenting_of(settings.segments), large, least))
    if "lightgbm" in settings.contestants:
        directed = {name: sign for name, sign in settings.monotone.items() if sign}
        entrants.append(Boosting(half_lives, tuple(sorted(directed.items()))))
    return tuple(on_trial(entrants, trial))


def _results(choices: Sequence[Choice]) -> tuple[ContestantResult, ...]:
    best = min(choices, key=lambda choice: choice.log_loss)
    return tuple(
        ContestantResult(
            name=choice.contestant.name,
            log_loss=choice.log_loss,
            roc_auc=choice.roc_auc,
            pr_auc=choice.pr_auc,
            fold_log_loss=choice.fold_log_loss,
            standard_error=difference_error(choice.losses, best.losses, best.leads),
            settings={**dict(choice.setting), "calibration": choice.kind},
        )
        for choice in choices
    )


def _winner(choices: Sequence[Choice], results: tuple[ContestantResult, ...]) -> Choice:
    """Return the simplest learner within one standard error of the best.

    What learns nothing, the base rate and the old points, is no rival in
    simplicity: it wins only if nothing beats it.
    """
    lowest = min(result.log_loss for result in results)
    good = [
        choice
        for choice, result in zip(choices, results, strict=True)
        if result.log_loss - lowest
        <= (result.standard_error if choice.contestant.complexity > _LEARNS_NOTHING else 0)
    ]
    return min(good, key=lambda choice: choice.contestant.complexity)


@dataclass(frozen=True)
class _Standing:
    """How the contestants stand after the folds."""

    results: tuple[ContestantResult, ...]
    winner: Choice
    candidates: int
    segments: tuple[Rung, ...]


def _evaluated(
    material: Material,
    split: Split,
    learnt: Mapping[str, CalibratedModel],
    standing: _Standing,
    *,
    jobs: int,
) -> TournamentResult:
    """Look at the test, for every contestant, and learn the winner again on everything."""
    winner = standing.winner
    test = np.sort(split.test)
    said = {n: model.log_odds(material.matrix.iloc[test]) for n, model in learnt.items()}
    labels, leads = material.labels[test], material.leads[test]
    probabilities = {name: probability_of(log_odds) for name, log_odds in said.items()}
    measured = {
        name: measure(labels, probability, leads=leads, seed=material.seed)
        for name, probability in probabilities.items()
    }
    name = winner.contestant.name
    base_rate = float(material.labels[split.development].mean())
    relearnt = relearn(winner.contestant, winner.setting, material, jobs=jobs)
    return TournamentResult(
        contestants=standing.results,
        winner=name,
        test=measured[name],
        constant_log_loss=log_loss(labels, np.full(len(labels), base_rate)),
        test_by_contestant=measured,
        test_rows=test,
        test_labels=labels,
        test_probabilities=probabilities[name],
        probabilities_by_contestant=probabilities,
        test_model=learnt[name],
        model=_for_use(winner, material, learnt[name], test),
        ranks=rank_ranges(relearnt, material),
        relearnt=relearnt,
        axis_cost=_axis_cost(winner, material, split, learnt[name].fitted, said[name]),
        candidates=standing.candidates,
        segments=standing.segments,
    )


def _axis_cost(
    winner: Choice, material: Material, split: Split, learnt: Fitted, said: Floats
) -> AxisCost | None:
    """Return what the test loses by the axes' being apart; a linear model loses nothing.

    `learnt` is the winner learnt on the development part, `said` its log-odds of the test.
    """
    contestant: Contestant = winner.contestant
    rows = material.training(split.development)
    if isinstance(contestant, Narrowed):
        rows, contestant = contestant.seen(rows), contestant.inner
    if not isinstance(contestant, Boosting) or len(set(rows.shape.axes)) < 2:
        return None
    if not isinstance(learnt, FittedBoosting):
        return None
    test = np.sort(split.test)
    fitted = replace(contestant, is_free=True).fit_again(rows, winner.setting, learnt)
    cost = roc_auc_gain(
        material.labels[test],
        fitted.log_odds(material.matrix.iloc[test]),
        said,
        leads=material.leads[test],
        seed=material.seed,
    )
    return AxisCost(*cost)


def _learnt_by_all(
    choices: Sequence[Choice], material: Material, split: Split, jobs: int
) -> dict[str, CalibratedModel]:
    """Return every contestant, by name, learnt on the development part."""
    rows = material.training(split.development)  # once for all: of a large table they are large

    def learn(choice: Choice) -> CalibratedModel:
        block, forward = choice.latest_rows, choice.latest
        return _learnt(choice, material, rows, block=block, forward=forward)

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        models = pool.map(learn, choices)
        return {c.contestant.name: m for c, m in zip(choices, models, strict=True)}


def _for_use(
    winner: Choice, material: Material, tested: CalibratedModel, test: Rows
) -> CalibratedModel:
    """Return the winner learnt on all labelled rows, calibrated by the test block.

    The test's figures are known by now; as the latest mature block it is what
    the next weeks resemble most.
    """
    everything = np.flatnonzero(~np.isnan(material.labels))
    forward = tested.fitted.log_odds(material.matrix.iloc[test])
    rows = material.training(everything)
    return _learnt(winner, material, rows, block=test, forward=forward)


def _learnt(
    choice: Choice, material: Material, rows: TrainingRows, *, block: Rows, forward: Floats
) -> CalibratedModel:
    """Return the chosen setting learnt from `rows`, calibrated on `block`, their latest part.

    `forward` are the log-odds of the block from a model that had not seen it.
    """
    fitted = choice.contestant.fit(rows, choice.setting)
    own = fitted.log_odds(material.matrix.iloc[block])
    calibration = fit_calibration(own, forward, material.labels[block], choice.kind)
    return CalibratedModel(fitted, calibration, material.plan_shape)
