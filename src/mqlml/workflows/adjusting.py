"""A challenger made from the champion: recalibrated, corrected, or under new criteria alone."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.criteria.file import criteria_digest
from mqlml.dataset.build import Dataset
from mqlml.dataset.labels import days_to_micros
from mqlml.errors import DataError
from mqlml.modeling.adjustment import (
    Encoded,
    Evidence,
    corrected_model,
    encoded,
    recalibrated_model,
)
from mqlml.modeling.bundle import Bundle
from mqlml.modeling.calibration import Floats
from mqlml.modeling.model import CalibratedModel, Model
from mqlml.modeling.residual import FittedResidual
from mqlml.modeling.young_labels import YoungOutcomes
from mqlml.monitoring.adjustments import Adjustment, adjustments, chosen_adjustment
from mqlml.monitoring.delay import delay_from_days
from mqlml.monitoring.promotion import FEWEST_CONVERSIONS, Compared, Decision, judge
from mqlml.tables.contracts import Tables
from mqlml.workflows.challenge import Occasion, persona_rows, recent_rows, sides_of
from mqlml.workflows.champion import Loaded
from mqlml.workflows.history import Past
from mqlml.workflows.learning import known_assurance, list_floor_of, threshold_of
from mqlml.workflows.routing import as_they_were_routed

# Younger points say next to nothing.
_LEAST_KNOWN = 0.02
_MOST_ROWS = 40_000


@dataclass(frozen=True)
class Adjusted:
    """The challenger, what was decided, and the losses of all that were tried, by name."""

    bundle: Bundle
    decision: Decision
    losses: dict[str, float]
    columns: tuple[str, ...] = ()


def young_outcomes(
    past: Past, loaded: Loaded, tables: Tables, horizon_days: float
) -> YoungOutcomes:
    """Return what is known of each past point at the tables' end, by the champion's delays."""
    horizon = days_to_micros(horizon_days)
    as_of = past.points["as_of"].to_numpy(np.int64)
    converted_at = past.points["converted_at"].to_numpy(np.int64)
    came = np.asarray(timeline.is_in_horizon(converted_at, as_of, horizon), dtype=np.float64)
    delay = delay_from_days(loaded.bundle.facts["delays_days"], horizon)
    age = np.clip(tables.data_end - as_of, 0, horizon).astype(np.float64)
    mature = np.asarray(timeline.is_mature(as_of, horizon, 0, tables.data_end))
    return YoungOutcomes(came, np.where(mature, 1.0, delay.share_by(age)))


def rows_since(past: Past, outcomes: YoungOutcomes, since: int) -> np.ndarray[Any, Any]:
    """Return the points from `since` on of which something is known."""
    as_of = past.points["as_of"].to_numpy(np.int64)
    is_known = (outcomes.known_share >= _LEAST_KNOWN) | (outcomes.came == 1)
    return np.flatnonzero(np.asarray(timeline.is_from(as_of, since)) & is_known)


def conversions_since(past: Past, outcomes: YoungOutcomes, since: int | None) -> int:
    """Return how many conversions are known among points since a moment; 0 without one."""
    if since is None:
        return 0
    return int(outcomes.came[rows_since(past, outcomes, since)].sum())


def adjust(occasion: Occasion, tables: Tables, past: Past) -> Adjusted:
    """Return the champion adjusted to what has come since the change, and the decision.

    What is judged was said of leads that neither fit had seen, by outcomes as far as they are
    known. A follow-up learns once more from all leads since the change, not from the new ones
    alone. Raises DataError if no outcome is known.
    """
    settings, champion = occasion.project.settings, occasion.champion
    outcomes = young_outcomes(past, champion, tables, settings.target.horizon_days or 0.0)
    start = _start(occasion)
    since = max(occasion.treatment.since or start.learnt_until, start.learnt_until)
    rows = _some(rows_since(past, outcomes, since), occasion.seed)
    known = outcomes.rows(rows)
    judged = _unseen(past, rows, champion.bundle)
    came = known.came[judged].sum()
    if came < FEWEST_CONVERSIONS:
        found = f"{came:.0f} conversions since the change, {FEWEST_CONVERSIONS} needed"
        decision = Decision(False, f"kept the champion: {found}")
        return Adjusted(champion.bundle, decision, {})
    evidence, design = _evidence(occasion, tables, past, rows, known)
    tried = adjustments(evidence, seed=occasion.seed)
    chosen = chosen_adjustment(tried, evidence, occasion.treatment.approach)
    made = _made(start.model, chosen, design)
    bundle = _bundle(occasion, tables, past, made)
    said: dict[str, Floats] = {one.name: one.said for one in tried}
    said["champion"] = past.scores["probability"].to_numpy(np.float64)[rows]
    told = known.rows(judged)
    losses = {name: float(told.losses(p[judged]).mean()) for name, p in said.items()}
    sides = _Judged(rows[judged], told, chosen.said[judged], bundle)
    compared = _compared(occasion, tables, past, sides)
    is_follow_up = occasion.request.is_follow_up
    decision = judge(compared, settings.monitoring, is_follow_up=is_follow_up)
    return Adjusted(bundle, decision, losses, made.columns)


@dataclass(frozen=True)
class _Start:
    """The model that is adjusted, and the moment from which it learnt from no point."""

    model: CalibratedModel
    learnt_until: int


def _start(occasion: Occasion) -> _Start:
    """Return the champion; for a follow-up the model that the champion is a correction of."""
    bundle = occasion.champion.bundle
    model, learnt_until = _calibrated(bundle.model), int(bundle.facts["last_labelled_as_of"]) + 1
    if not occasion.request.is_follow_up:
        return _Start(model, learnt_until)
    inner = model.fitted.base if isinstance(model.fitted, FittedResidual) else model
    since = int(bundle.facts["adjusted"].get("learnt_until", occasion.treatment.since))
    return _Start(_calibrated(inner), since)


def _unseen(past: Past, rows: np.ndarray[Any, Any], champion: Bundle) -> np.ndarray[Any, Any]:
    """Return the places of those rows that the champion did not learn from."""
    learnt_until = int(champion.facts["last_labelled_as_of"]) + 1
    as_of = past.points["as_of"].to_numpy(np.int64)[rows]
    return np.flatnonzero(np.asarray(timeline.is_from(as_of, learnt_until)))


@dataclass(frozen=True)
class _Made:
    """The adjustment that was chosen, as a model, and the columns that it corrects."""

    adjustment: Adjustment
    model: CalibratedModel
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Judged:
    rows: np.ndarray[Any, Any]
    known: YoungOutcomes
    said: Floats
    bundle: Bundle


def _some(rows: np.ndarray[Any, Any], seed: int) -> np.ndarray[Any, Any]:
    if len(rows) <= _MOST_ROWS:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, _MOST_ROWS, replace=False))


def _evidence(
    occasion: Occasion,
    tables: Tables,
    past: Past,
    rows: np.ndarray[Any, Any],
    known: YoungOutcomes,
) -> tuple[Evidence, Encoded]:
    """Return what came since the change as evidence, and its columns as a bundle names them.

    What leads did is held against what was expected of them as they were routed.
    """
    model = _start(occasion).model
    matrix = past.matrix.iloc[rows].reset_index(drop=True)
    points = past.points.iloc[rows].reset_index(drop=True)
    bundle = replace(occasion.champion.bundle, model=model)
    expecting, told = as_they_were_routed(bundle, tables, points, matrix)
    design = encoded(matrix, model, model.shape.columns)
    change = occasion.request.change
    named = _named(design, () if change is None else change.columns)
    leads = pd.factorize(points["lead_id"].to_numpy())[0].astype(np.int64)
    return Evidence(expecting.log_odds(told), design.design, known, leads, named), design


def _made(model: CalibratedModel, chosen: Adjustment, design: Encoded) -> _Made:
    learnt = chosen.learnt
    if chosen.name == "recalibrated":
        return _Made(chosen, recalibrated_model(model, learnt))
    return _Made(chosen, corrected_model(model, learnt, design), design.correction(learnt).columns)


def _calibrated(model: object) -> CalibratedModel:
    if not isinstance(model, CalibratedModel):
        raise TypeError(f"cannot adjust a {type(model).__name__}")
    return model


def _named(design: Encoded, columns: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(i for i, source in enumerate(design.encoder.sources) if source in columns)


def _bundle(occasion: Occasion, tables: Tables, past: Past, chosen: _Made) -> Bundle:
    settings, old = occasion.project.settings, occasion.champion.bundle
    last = int(past.points["as_of"].max())
    facts = {
        "winner": chosen.model.name,
        **_limits(occasion, tables, past, chosen.model),
        "criteria_digest": criteria_digest(settings.criteria),
        "data_digest": tables.digest,
        "data_end": tables.data_end,
        "last_labelled_as_of": last,
        "adjusted": {
            "how": chosen.adjustment.name,
            "from_version": occasion.champion.version,
            "since": occasion.treatment.since,
            "learnt_until": _start(occasion).learnt_until,
            "columns": list(chosen.columns),
        },
    }
    return replace(
        old,
        model=chosen.model,
        criteria=settings.criteria.model_dump(mode="json"),
        personas=[persona.model_dump(mode="json") for persona in settings.personas],
        facts={**_without_limits(old.facts), **facts},
        # How sure a score is was measured for the champion as it was.
        spread=None,
    )


def _without_limits(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name != "list_floor"}


def _limits(occasion: Occasion, tables: Tables, past: Past, model: Model) -> dict[str, float]:
    """Return where MQL begins for the model, and the least probability of a list if one is cut."""
    criteria, old = occasion.project.settings.criteria, occasion.champion.bundle
    dataset = Dataset(past.points, past.matrix, old.plan)
    assurance = known_assurance(old.facts)
    try:
        threshold = threshold_of(criteria, tables, dataset, model, assurance)
        floor = list_floor_of(criteria, tables, dataset, model, assurance)
    except DataError:
        kept = ("mql_probability", "list_floor")
        return {name: float(old.facts[name]) for name in kept if name in old.facts}
    return {"mql_probability": threshold} | ({} if floor is None else {"list_floor": floor})


def _compared(occasion: Occasion, tables: Tables, past: Past, judged: _Judged) -> Compared:
    rows, settings = judged.rows, occasion.project.settings
    points = past.points.iloc[rows].reset_index(drop=True)
    matrix = past.matrix.iloc[rows].reset_index(drop=True)
    recent = past.matrix.iloc[recent_rows(past.points)].reset_index(drop=True)
    return Compared(
        leads=points["lead_id"].to_numpy(),
        outcomes=judged.known,
        champion=past.scores["probability"].to_numpy(np.float64)[rows],
        challenger=judged.said,
        personas=persona_rows(settings, tables, points, matrix),
        sides=sides_of(occasion.champion.bundle, judged.bundle, old=recent, new=recent),
        is_change_expected=True,
    )


def under_new_criteria(occasion: Occasion, tables: Tables, past: Past) -> Adjusted:
    """Return the champion itself, with the criteria of now and a threshold measured for them."""
    settings, old = occasion.project.settings, occasion.champion.bundle
    facts = {
        **_limits(occasion, tables, past, old.model),
        "criteria_digest": criteria_digest(settings.criteria),
        "adjusted": {"how": "new criteria", "from_version": occasion.champion.version},
    }
    bundle = replace(
        old,
        criteria=settings.criteria.model_dump(mode="json"),
        personas=[persona.model_dump(mode="json") for persona in settings.personas],
        facts={**_without_limits(old.facts), **facts},
    )
    why = (
        f"promoted the champion under criteria version {settings.criteria.version}: its "
        "probabilities are the same, its threshold is measured for them"
    )
    return Adjusted(bundle, Decision(True, why), {})
