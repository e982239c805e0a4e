"""A training's values → the facts of its page."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.config import Settings
from mqlml.criteria.decide import decide
from mqlml.criteria.file import criteria_digest
from mqlml.features.attributes import usual_name
from mqlml.modeling.dependence import partial_dependence
from mqlml.modeling.grades import cut_grades
from mqlml.modeling.importance import importance
from mqlml.modeling.metrics import calibration_curve, figures_by_group, gains
from mqlml.modeling.reliability import expected_and_observed
from mqlml.modeling.tournament import AxisCost, TournamentResult
from mqlml.reports.facts import Named, outcome_words
from mqlml.reports.sensitive import SensitiveFacts
from mqlml.reports.summaries import rate_frame
from mqlml.reports.training_facts import Target, TrainingFacts
from mqlml.scoring.personas import personas_of
from mqlml.scoring.rows import rule_rows
from mqlml.scoring.score import Policy, score_points
from mqlml.tables.ingested import FileCount
from mqlml.workflows.learning import Learnt
from mqlml.workflows.project import shown_instant
from mqlml.workflows.sensitive import fares

_EXAMPLES = 6
_SHOWN_OF_AXIS = 3
_GROUPS = 8
_LARGE_AXIS_COST = 0.005
# What companies call the column that says where a lead came from.
_SOURCES = frozenset(
    {"source", "lead_source", "original_source", "origin", "lead_origin", "campaign"}
)


def training_facts(
    settings: Settings,
    learnt: Learnt,
    *,
    as_of: int,
    version: str,
    seed: int,
    sources: Sequence[FileCount] = (),
) -> TrainingFacts:
    """Return everything the training page shows."""
    result, points = learnt.result, learnt.dataset.points
    test = points.iloc[learnt.split.test].reset_index(drop=True)
    matrix = learnt.dataset.matrix.iloc[learnt.split.test].reset_index(drop=True)
    rows = rule_rows(learnt.tables, test, matrix)
    labels = test["label"].to_numpy(np.float64)
    outcome = decide(result.test_probabilities, rows, settings.criteria, learnt.mql_probability)
    is_dated = not learnt.tables.is_order_time
    features = _features(learnt, seed)
    return TrainingFacts(
        name=settings.name,
        as_of=as_of if is_dated else None,
        target=_target(settings, learnt),
        winner=result.winner,
        contestants=result.test_by_contestant,
        fold_log_loss={c.name: c.log_loss for c in result.contestants},
        calibration=calibration_curve(result.test_labels, result.test_probabilities),
        gains=_gains(result),
        bands=rate_frame(outcome["outcome"].to_numpy(), labels),
        grades=rate_frame(_test_grades(learnt, matrix), labels),
        features=features,
        dependence=_dependence(learnt, features, seed),
        published=learnt.published,
        fallback=learnt.fallback,
        model_version=version,
        gates=learnt.gates,
        findings=learnt.findings,
        personas=_personas(settings, learnt, rows),
        warnings=_axis_warnings(result.axis_cost),
        reliability=_reliability(settings, learnt, rows, outcome["outcome"]),
        examples=_examples(settings, learnt, version=version),
        sources=sources,
        details=_details(settings, learnt, seed),
        sensitive=_sensitive(learnt, test, outcome["outcome"]),
    )


def _gains(result: TournamentResult) -> dict[str, pd.DataFrame]:
    """Return the gains of every contestant that tells leads apart, the winner's first."""
    others = (name for name in result.test_by_contestant if name != result.winner)
    return {
        name: gains(result.test_labels, result.probabilities_by_contestant[name])
        for name in (result.winner, *others)
        if name != "base_rate"
    }


def _sensitive(
    learnt: Learnt, test: pd.DataFrame, outcome: "pd.Series[str]"
) -> SensitiveFacts | None:
    if not learnt.sensitive:
        return None
    said, plan = learnt.result.test_probabilities, learnt.dataset.plan
    found = fares(learnt.tables, learnt.sensitive, test, said, outcome)
    return SensitiveFacts(learnt.sensitive, found, {i.column: i.sentence for i in plan.infos})


def _features(learnt: Learnt, seed: int) -> pd.DataFrame:
    result, dataset = learnt.result, learnt.dataset
    strong = importance(result.model, dataset.matrix, dataset.plan, seed=seed)
    return strong.merge(result.ranks, on="column", how="left", validate="1:1")


def _dependence(learnt: Learnt, features: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return how the probability moves with the strongest columns of each axis."""
    strong = features[features["importance"] > 0].groupby("axis", sort=True).head(_SHOWN_OF_AXIS)
    columns, plan = list(strong["column"]), learnt.dataset.plan
    found = partial_dependence(learnt.result.model, learnt.dataset.matrix, plan, columns, seed=seed)
    about = pd.DataFrame([vars(plan.describe(name)) for name in columns])
    return found.merge(about, on="column", how="left", validate="m:1") if len(found) else found


def _target(settings: Settings, learnt: Learnt) -> Target:
    as_of = learnt.dataset.points["as_of"]
    is_dated = not learnt.tables.is_order_time
    return Target(
        stage=settings.target.stage,
        points=_points_words(settings),
        is_repeated=settings.points.rule == "weekly",
        horizon_days=settings.target.horizon_days,
        first_as_of=int(as_of.min()) if is_dated else None,
        last_as_of=int(as_of.max()) if is_dated else None,
        test_from=learnt.split.test_from if is_dated else None,
    )


def _points_words(settings: Settings) -> str:
    rule = settings.points
    after = f"{rule.after_days:g} days after creation" if rule.after_days else "at creation"
    if rule.rule == "once":
        return f"each lead once, {after}"
    until = f", until day {rule.until_days:g}" if rule.until_days else ""
    return f"each open lead every week from {after.removeprefix('at ')}{until}"


def _test_grades(learnt: Learnt, matrix: pd.DataFrame) -> "pd.Series[str]":
    """Return the test rows' grades, cut on development rows as the test model knew them."""
    model, development = learnt.result.test_model, learnt.split.development
    parts = model.parts(learnt.dataset.matrix.iloc[development])
    labels = learnt.dataset.points["label"].to_numpy(np.float64)[development]
    return cut_grades(parts, labels).grades(model.parts(matrix))


def _personas(settings: Settings, learnt: Learnt, rows: pd.DataFrame) -> pd.DataFrame:
    if not settings.personas:
        return pd.DataFrame()
    personas = personas_of(rows, settings.personas)
    result = learnt.result
    rates = rate_frame(personas.to_numpy(), result.test_labels).rename(columns={"group": "persona"})
    figures = figures_by_group(result.test_labels, result.test_probabilities, personas)
    auc = figures.set_index("group")["roc_auc"]
    return rates.assign(roc_auc=auc.reindex(rates["persona"]).to_numpy())


def _reliability(
    settings: Settings, learnt: Learnt, rows: pd.DataFrame, outcome: "pd.Series[str]"
) -> pd.DataFrame:
    """Return promised and observed conversions by band, persona, source and month."""
    test = learnt.dataset.points.iloc[learnt.split.test]
    groups: dict[str, npt.ArrayLike] = {"band": outcome.map(outcome_words).to_numpy()}
    if settings.personas:
        groups["persona"] = personas_of(rows, settings.personas).to_numpy()
    for name in map(str, rows.columns):
        plain = usual_name(name)
        if plain in _SOURCES:
            groups[plain.replace("_", " ")] = _largest(rows[name])
    if not learnt.tables.is_order_time:
        groups["month"] = [shown_instant(int(moment))[:7] for moment in test["as_of"]]
    result, leads = learnt.result, test["lead_id"].to_numpy()
    said = result.test_probabilities
    found = [
        expected_and_observed(result.test_labels, said, names, leads).assign(kind=kind)
        for kind, names in groups.items()
    ]
    return pd.concat(found, ignore_index=True)


def _largest(values: "pd.Series[Any]") -> npt.ArrayLike:
    """Return the values, all but the most frequent under one name."""
    texts = values.astype("str").fillna("(missing)")
    most = texts.value_counts().sort_index(kind="stable").nlargest(_GROUPS, keep="first").index
    return texts.where(texts.isin(most), "(others)").to_numpy()


def _examples(settings: Settings, learnt: Learnt, *, version: str) -> pd.DataFrame:
    """Return the hottest, the middle and the coldest test points, as scores with reasons."""
    order = np.argsort(-learnt.result.test_probabilities, kind="stable")
    half = _EXAMPLES // 3
    middle = len(order) // 10
    chosen = [*order[:half], *order[middle : middle + half], *order[-half:]]
    rows = learnt.split.test[np.array(sorted(set(map(int, chosen))))]
    points = learnt.dataset.points.iloc[rows].drop_duplicates("lead_id")
    matrix = learnt.dataset.matrix.loc[points.index].reset_index(drop=True)
    points = points.reset_index(drop=True)
    return score_points(
        learnt.bundle,
        points,
        matrix,
        rows=rule_rows(learnt.tables, points, matrix),
        policy=Policy(
            settings.criteria, learnt.mql_probability, version, settings.personas, settings.scoring
        ),
    )


def _axis_words(cost: AxisCost | None) -> list[Named]:
    if cost is None:
        return []
    shown = f"{cost.roc_auc:+.4f} ROC-AUC ({cost.low:+.4f} to {cost.high:+.4f})"
    return [Named("Lost on the test by keeping fit and engagement apart", shown)]


def _axis_warnings(cost: AxisCost | None) -> tuple[str, ...]:
    if cost is None or not cost.roc_auc > _LARGE_AXIS_COST:
        return ()
    said = (
        f"Keeping fit and engagement apart costs {cost.roc_auc:.3f} of ROC-AUC on the test: "
        "the same behaviour means another thing for other people"
    )
    return (said,)


def _search_words(result: TournamentResult) -> list[Named]:
    """Return how widely was searched and what segments are scored by, if either was asked for."""
    tried = str(result.candidates)
    wide = [Named("Candidates beyond the usual search", tried)] if result.candidates else []
    segments = [Named(f"Segment {one.segment}", one.words()) for one in result.segments[:_GROUPS]]
    return wide + segments


def _details(settings: Settings, learnt: Learnt, seed: int) -> list[Named]:
    points, split = learnt.dataset.points, learnt.split
    labelled = points["label"].notna()
    return [
        Named("Points with a known outcome", f"{int(labelled.sum()):,}"),
        Named("Points whose outcome is still open", f"{int((~labelled).sum()):,}"),
        Named("Rows to choose the model on", f"{len(split.development):,}"),
        Named("Forward folds", str(len(split.folds))),
        Named("Features", str(len(learnt.dataset.plan.columns))),
        *_axis_words(learnt.result.axis_cost),
        *_search_words(learnt.result),
        Named("MQL from probability", f"{learnt.mql_probability:.4f}"),
        Named("Data", learnt.tables.digest),
        Named("Plan", learnt.dataset.plan.fingerprint),
        Named(
            "Criteria", f"version {settings.criteria.version}, {criteria_digest(settings.criteria)}"
        ),
        Named("Seed", str(seed)),
    ]
