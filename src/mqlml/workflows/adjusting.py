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
    correct,
    corrected_model,
    encoded,
    out_of_fold,
    recalibrate,
    recalibrated_model,
)
from mqlml.modeling.bundle import Bundle
from mqlml.modeling.calibration import Floats, probability_of
from mqlml.modeling.model import CalibratedModel, Model
from mqlml.modeling.young_labels import YoungOutcomes
from mqlml.monitoring.delay import delay_from_days
from mqlml.monitoring.promotion import FEWEST_CONVERSIONS, Compared, Decision, judge, paired
from mqlml.tables.contracts import Tables
from mqlml.workflows.challenge import Occasion, persona_rows, recent_rows, sides_of
from mqlml.workflows.champion import Loaded
from mqlml.workflows.history import Past
from mqlml.workflows.learning import known_assurance, list_floor_of, threshold_of

# Younger points say next to nothing.
_LEAST_KNOWN = 0.02
_MOST_ROWS = 40_000
# By how many standard errors a correction must beat recalibration alone.
_WORTH_IT = {"correction": 0.5, "recalibration": 2.0}


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

    What is judged was said of leads that the fit had not seen, by outcomes as far as they are
    known. Raises DataError if no outcome is known.
    """
    settings, champion = occasion.project.settings, occasion.champion
    outcomes = young_outcomes(past, champion, tables, settings.target.horizon_days or 0.0)
    learnt_until = int(champion.bundle.facts["last_labelled_as_of"]) + 1
    since = max(occasion.treatment.since or learnt_until, learnt_until)
    rows = _some(rows_since(past, outcomes, since), occasion.seed)
    known = outcomes.rows(rows)
    if known.came.sum() < FEWEST_CONVERSIONS:
        found = f"{known.came.sum():.0f} conversions since the change, {FEWEST_CONVERSIONS} needed"
        decision = Decision(False, f"kept the champion: {found}")
        return Adjusted(champion.bundle, decision, {})
    candidates = _candidates(occasion, past, rows, known)
    chosen = _chosen(occasion, candidates, known, past.points["lead_id"].to_numpy()[rows])
    bundle = _bundle(occasion, tables, past, chosen)
    compared = _compared(occasion, tables, past, _Judged(rows, known, chosen, bundle))
    losses = {c.name: float(known.losses(c.said).mean()) for c in candidates}
    before = known.losses(past.scores["probability"].to_numpy(np.float64)[rows])
    decision = judge(compared, settings.monitoring)
    return Adjusted(bundle, decision, {"champion": float(before.mean()), **losses}, chosen.columns)


@dataclass(frozen=True)
class _Candidate:
    """A way to adjust: its probabilities of unseen leads, and the model from all."""

    name: str
    said: Floats
    model: CalibratedModel
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Judged:
    rows: np.ndarray[Any, Any]
    known: YoungOutcomes
    chosen: _Candidate
    bundle: Bundle


def _some(rows: np.ndarray[Any, Any], seed: int) -> np.ndarray[Any, Any]:
    if len(rows) <= _MOST_ROWS:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, _MOST_ROWS, replace=False))


def _candidates(
    occasion: Occasion, past: Past, rows: np.ndarray[Any, Any], known: YoungOutcomes
) -> list[_Candidate]:
    model = _calibrated(occasion.champion.bundle.model)
    probability = past.scores["probability"].to_numpy(np.float64)[rows]
    matrix = past.matrix.iloc[rows].reset_index(drop=True)
    design = encoded(matrix, model, model.shape.columns)
    change = occasion.request.change
    named = _named(design, () if change is None else change.columns)
    leads = pd.factorize(past.points["lead_id"].to_numpy()[rows])[0].astype(np.int64)
    offset = np.log(probability) - np.log1p(-probability)
    evidence = Evidence(offset, design.design, known, leads, named)
    seed = occasion.seed
    shifted, moved = recalibrate(evidence), correct(evidence, seed)
    corrected = corrected_model(model, moved, design)
    return [
        _Candidate(
            "recalibrated",
            probability_of(out_of_fold(evidence, recalibrate, seed=seed)),
            recalibrated_model(model, shifted),
        ),
        _Candidate(
            "corrected",
            probability_of(out_of_fold(evidence, correct, seed=seed)),
            corrected,
            design.correction(moved).columns,
        ),
    ]


def _calibrated(model: Model) -> CalibratedModel:
    if not isinstance(model, CalibratedModel):
        raise TypeError(f"cannot adjust a {type(model).__name__}")
    return model


def _named(design: Encoded, columns: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(i for i, source in enumerate(design.encoder.sources) if source in columns)


def _chosen(
    occasion: Occasion, candidates: list[_Candidate], known: YoungOutcomes, leads: Any
) -> _Candidate:
    """Return the correction where it beats recalibration, else the simpler of the two."""
    simple, involved = candidates
    gain, error = paired(known.losses(simple.said) - known.losses(involved.said), leads)
    needed = _WORTH_IT.get(occasion.treatment.approach, 0.0)
    return involved if error > 0 and gain / error >= needed else simple


def _bundle(occasion: Occasion, tables: Tables, past: Past, chosen: _Candidate) -> Bundle:
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
            "how": chosen.name,
            "from_version": occasion.champion.version,
            "since": occasion.treatment.since,
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
        challenger=judged.chosen.said,
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
