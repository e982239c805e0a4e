"""Points and their features → scores: probability, grade, outcome, reasons, trend."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from mqlml.criteria.decide import Outcome, decide
from mqlml.criteria.file import criteria_digest
from mqlml.criteria.settings import Criteria
from mqlml.errors import BundleError, Fault
from mqlml.modeling.bundle import Bundle
from mqlml.modeling.grades import GradeCuts
from mqlml.scoring.fallback import rung_of, with_rung
from mqlml.scoring.figures import model_figures, reasons_where_wanted, score_bounds
from mqlml.scoring.personas import personas_of
from mqlml.scoring.settings import PersonaSettings, ScoreSettings

SCORE_COLUMNS = (
    "lead_id",
    "as_of",
    "probability",
    "score",
    "score_low",
    "score_high",
    "grade",
    "outcome",
    "because",
    "persona",
    "fit_part",
    "engagement_part",
    "base_part",
    "reasons_up",
    "reasons_down",
    "trend",
    "model_version",
    "criteria_version",
    "criteria_digest",
)
_TEXTS = (
    "grade",
    "outcome",
    "because",
    "persona",
    "reasons_up",
    "reasons_down",
    "model_version",
    "criteria_digest",
)


@dataclass(frozen=True)
class Policy:
    """What turns a probability into an outcome, and which versions a score bears.

    With `is_listed` the rules alone speak, as if MQL began at 0: a ranked list is cut
    when everybody has a probability (`ranked_scores`).
    """

    criteria: Criteria
    mql_probability: float
    model_version: str
    personas: tuple[PersonaSettings, ...] = ()
    settings: ScoreSettings = field(default_factory=ScoreSettings)
    is_listed: bool = False


def score_points(
    bundle: Bundle,
    points: pd.DataFrame,
    matrix: pd.DataFrame,
    *,
    rows: pd.DataFrame,
    policy: Policy,
    previous: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return one score per point, SCORE_COLUMNS, by falling probability, then lead_id.

    Every figure of a lead depends on that lead alone, so one lead scored by
    itself gets what it gets within a batch. Equal inputs give equal frames.

    Args:
        bundle: model, plan and facts; facts.grade_cuts are `GradeCuts` as JSON.
        points: lead_id and as_of (microseconds), one row per lead.
        matrix: the plan's features, one row per point in the same order.
        rows: what rules look at, see `rule_rows`, in the same order.
        policy: criteria, personas, where MQL begins, the model's version.
        previous: lead_id and score of each lead's last score; None if never scored.

    Raises:
        SchemaError: the matrix is not the plan's.
        BundleError: the bundle does not say where grades begin.
        ConfigError: a rule names an unknown column or cannot be evaluated.
    """
    parts = model_figures(bundle.model, matrix)
    probability = parts["probability"].to_numpy()
    begins = 0.0 if policy.is_listed else policy.mql_probability
    outcome = decide(probability, rows, policy.criteria, begins)
    bands = _known_bands(outcome["outcome"], policy)
    reasons = reasons_where_wanted(bundle, matrix, bands, policy.settings)
    score = np.round(100 * probability, 1)
    low, high = score_bounds(bundle, matrix, probability)
    lead_id = points["lead_id"].astype("str").reset_index(drop=True)
    scores = pd.DataFrame(
        {
            "lead_id": lead_id,
            "as_of": pd.to_datetime(points["as_of"].to_numpy(np.int64), unit="us", utc=True),
            "probability": probability,
            "score": score,
            "score_low": np.round(100 * low, 1),
            "score_high": np.round(100 * high, 1),
            "grade": _grade_cuts(bundle).grades(parts).to_numpy(),
            "outcome": outcome["outcome"].to_numpy(),
            "because": outcome["because"].to_numpy(),
            "persona": personas_of(rows, policy.personas).to_numpy(),
            "fit_part": parts["fit"].to_numpy(float),
            "engagement_part": parts["engagement"].to_numpy(float),
            "base_part": parts["base"].to_numpy(float),
            "reasons_up": reasons["reasons_up"].to_numpy(),
            "reasons_down": reasons["reasons_down"].to_numpy(),
            "trend": _trend(lead_id, score, previous),
            "model_version": policy.model_version,
            "criteria_version": policy.criteria.version,
            "criteria_digest": criteria_digest(policy.criteria),
        }
    )
    return in_order_of_score(with_rung(scores, rung_of(bundle)))


def _known_bands(outcome: "pd.Series[Any]", policy: Policy) -> "pd.Series[Any]":
    """Return each lead's band as far as it is known before a ranked list is cut."""
    if not policy.is_listed:
        return outcome
    return outcome.where(outcome == Outcome.HAND_RAISER, Outcome.COLD.value)


def in_order_of_score(scores: pd.DataFrame) -> pd.DataFrame:
    """Return scores of the columns' types, by falling probability, then lead_id."""
    scores = scores.astype({**dict.fromkeys(_TEXTS, "str"), "as_of": "datetime64[us, UTC]"})
    order = ["probability", "lead_id"]
    return scores.sort_values(order, ascending=[False, True], kind="stable", ignore_index=True)


def last_score_of(
    points: pd.DataFrame, previous: pd.DataFrame | None
) -> "np.ndarray[Any, Any] | None":
    """Return each point's last score, NaN for a new lead; None if nobody was ever scored."""
    if previous is None or previous.empty:
        return None
    last = previous.drop_duplicates("lead_id", keep="last").set_index("lead_id")["score"]
    return np.asarray(last.reindex(points["lead_id"]).to_numpy(dtype=np.float64))


def _grade_cuts(bundle: Bundle) -> GradeCuts:
    try:
        return GradeCuts.from_json(bundle.facts["grade_cuts"])
    except (KeyError, TypeError) as error:
        fault = Fault("the model does not say where grades begin", "facts.grade_cuts", repr(error))
        raise BundleError(fault) from error


def _trend(
    lead_id: "pd.Series[Any]", score: "np.ndarray[Any, Any]", previous: pd.DataFrame | None
) -> "np.ndarray[Any, Any]":
    """Return the change of the score since the last one, in points; NaN for a new lead."""
    before = last_score_of(pd.DataFrame({"lead_id": lead_id}), previous)
    return np.full(len(score), np.nan) if before is None else np.round(score - before, 1)
