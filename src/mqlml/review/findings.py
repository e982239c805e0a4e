"""What the model believes of each feature, beside what sales says of it at equal score.

Ranking importance against rejection rates flags something in every firm: what a
good score already contains is counted twice, and strict reps look like bad
leads. So each feature is asked about given the rep and the score, the strongest
is taken into the account before the next is asked, and the share of false
findings is held down by Benjamini–Hochberg.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.review.logistic import Floats, NullModel, fit_null, score_tests
from mqlml.review.verdicts import Judged

# Wanted is .10. With few verdicts the tests' normal laws are a little too sure of
# themselves: at .10, 13 % of tuned firms with 300 verdicts and no disagreement got a flag.
FALSE_SHARE = 0.08
FEWEST_OF_A_KIND = 50
_CONFIRMED_EFFECT = 0.15
# An effect below this, with confidence, is agreement.
AGREED_EFFECT = 0.30
_Z = 1.959963984540054
_MOST_FINDINGS = 20
_LEVELS = 5
_FEWEST_ROWS = 20
_REP_PENALTY = 1.0
COLUMNS = (
    "feature",
    "asked",
    "sentence",
    "direction",
    "share",
    "effect",
    "low",
    "high",
    "verdicts",
    "more_needed",
    "p_value",
    "tier",
    "class",
)


@dataclass(frozen=True)
class Asked:
    """One question: rows with the sign against rows without, or more against less.

    `kind` is "level" of a category, "flag" (a column of 0 and 1), "presence" (any
    against none) or "amount" (one standard deviation more).
    """

    column: str
    kind: str
    label: str
    signs: Floats
    rows: int


def conditional_findings(judged: Judged, importance: pd.DataFrame) -> pd.DataFrame:
    """Return one row per feature (COLUMNS), findings first, then by the model's share.

    `effect` is the log-odds of acceptance at equal score and rep; `asked` says of what:
    a "level" of a category, a "flag", its "presence" (any against none), or, if most
    leads have it, its "amount" (one standard deviation more).
    `class` is "model over-rates", "model under-rates", "agree" or "too few
    verdicts"; `tier` is "confirmed", "indicated" or "none". `direction` is what
    the model believes: "up", "down" or "mixed". A confirmed effect exceeds .15 with
    95 % confidence for all questions at once (Bonferroni). `more_needed` says after
    how many more verdicts, spread like these, the interval would be narrow enough
    to call it agreement: 0 where something is said already.

    Args:
        judged: verdicts with the features before them.
        importance: column, sentence, importance, direction, as `modeling` gives it.
    """
    from scipy.special import ndtr

    asked = [q for name in importance["column"] for q in _questions(judged.matrix[name])]
    accepted = judged.rows["accepted"].to_numpy(dtype=np.float64)
    if min(accepted.sum(), len(accepted) - accepted.sum()) < FEWEST_OF_A_KIND or not asked:
        return _unanswered(importance, len(accepted))
    columns = np.column_stack([q.signs for q in asked])
    chosen, effect, error = _ask(null_design(judged.rows), accepted, columns)
    answers = pd.DataFrame(
        {
            "column": [q.column for q in asked],
            "asked": [q.kind for q in asked],
            "feature": [f"{q.column}{q.label}" for q in asked],
            "verdicts": [q.rows for q in asked],
            "effect": effect,
            "error": error,
            "p_value": 2.0 * ndtr(-np.abs(effect) / error),
            "is_found": np.isin(np.arange(len(asked)), chosen),
        }
    )
    answers["z"] = (answers["effect"] / answers["error"]).abs()
    best = answers.sort_values(
        ["is_found", "z", "feature"], ascending=[False, False, True], kind="stable"
    )
    kept = best[best["is_found"] | ~best["column"].duplicated()]
    told = kept.merge(importance, on="column", how="left", validate="m:1")
    if "family" in told.columns:
        # Who asked for a demo once or never has done something; that is no mark of the lead.
        is_done = (told["asked"] == "flag") & (told["family"] != "demographic")
        told.loc[is_done, "asked"] = "presence"
    return _classified(told, importance, verdicts=len(accepted), questions=len(asked))


def effects_alone(judged: Judged, asked: Mapping[str, str]) -> pd.DataFrame:
    """Return effect, low, high (95 %) and more_needed of named questions, by feature.

    Each is asked at equal score and rep, beside no other: what was found before needs no
    correction for having looked at many, and no twin of it takes its effect away. What
    cannot be asked in this way, or with fewer than 50 verdicts of a kind, has no row.

    Args:
        judged: verdicts with the features before them.
        asked: by feature, such as "source = fair", how it is asked, such as "level".
    """
    put = {feature: _question(judged.matrix, feature, kind) for feature, kind in asked.items()}
    questions = {feature: question for feature, question in put.items() if question is not None}
    accepted = judged.rows["accepted"].to_numpy(dtype=np.float64)
    if min(accepted.sum(), len(accepted) - accepted.sum()) < FEWEST_OF_A_KIND or not questions:
        return pd.DataFrame(columns=["effect", "low", "high", "more_needed", "verdicts"])
    design, penalty = null_design(judged.rows)
    columns = np.column_stack([question.signs for question in questions.values()])
    effect, error = score_tests(fit_null(design, accepted, penalty), columns)
    values = {
        "effect": effect,
        "low": effect - _Z * error,
        "high": effect + _Z * error,
        "more_needed": _more_needed(error, len(accepted)),
        "verdicts": [question.rows for question in questions.values()],
    }
    told = pd.DataFrame(values, index=list(questions))
    return told[np.isfinite(error)]


def _question(matrix: pd.DataFrame, feature: str, kind: str) -> Asked | None:
    """Return one question as it was asked before; None where it cannot be asked so any more."""
    column, _, level = feature.partition(" = ")
    if column not in matrix:
        return None
    values = matrix[column]
    if kind != "level":
        is_number = pd.api.types.is_numeric_dtype(values.dtype)
        return next((q for q in _questions(values) if is_number and q.kind == kind), None)
    signs = (values == level).to_numpy(dtype=np.float64)
    rows = int(signs.sum())
    return Asked(column, kind, "", signs - signs.mean(), rows) if rows >= _FEWEST_ROWS else None


def is_small_effect(low: float, high: float) -> bool:
    """Return whether an effect, if there is one, is surely too small to matter."""
    return low > -AGREED_EFFECT and high < AGREED_EFFECT


def _questions(values: "pd.Series[float]") -> list[Asked]:
    """Return what can be asked of a column: levels, presence, or more against less."""
    name = str(values.name)
    if not pd.api.types.is_numeric_dtype(values.dtype):
        counts = values.value_counts()
        levels = sorted(counts[counts >= _FEWEST_ROWS].head(_LEVELS).index)
        made = [(f" = {level}", (values == level).to_numpy(dtype=np.float64)) for level in levels]
        return [Asked(name, "level", label, v - v.mean(), int(v.sum())) for label, v in made]
    numbers = values.to_numpy(dtype=np.float64)
    known = numbers[~np.isnan(numbers)]
    if len(known) < _FEWEST_ROWS or np.ptp(known) == 0:
        return []
    least = known.min()
    if (known == least).mean() >= 0.5:
        present = np.where(np.isnan(numbers), np.nan, numbers > least)
        rows = int(np.nansum(present))
        filled = np.nan_to_num(present - np.nanmean(present))
        kind = "flag" if set(np.unique(known)) <= {0.0, 1.0} else "presence"
        return [Asked(name, kind, "", filled, rows)] if rows >= _FEWEST_ROWS else []
    ranks = pd.Series(numbers).rank(pct=True).to_numpy(dtype=np.float64)
    scaled = (ranks - np.nanmean(ranks)) / np.nanstd(ranks)
    return [Asked(name, "amount", "", np.nan_to_num(scaled), len(known))]


def null_design(rows: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return rep dummies and a smooth curve of the score, and the penalty of each column."""
    chance = np.clip(rows["probability"].to_numpy(dtype=np.float64), 1e-6, 1 - 1e-6)
    score = np.log(chance / (1 - chance))
    knots = np.unique(np.quantile(score, (0.25, 0.5, 0.75)))
    bends = [np.maximum(score - knot, 0.0) for knot in knots]
    reps, names = pd.factorize(rows["who"], sort=True)
    dummies = np.eye(len(names))[reps]
    design = np.column_stack([np.ones(len(rows)), score - score.mean(), *bends, dummies])
    penalty = np.full(design.shape[1], 1e-3)
    penalty[-len(names) :] = _REP_PENALTY
    return design, penalty


def _ask(
    null: tuple[Floats, Floats], labels: Floats, columns: Floats
) -> tuple[list[int], Floats, Floats]:
    """Return the findings in order of strength, and every column's effect and error.

    A finding's effect is as it was when found; the others' are beside all findings.
    """
    design, penalty = null
    chosen: list[int] = []
    found: dict[int, tuple[float, float]] = {}
    while True:
        model: NullModel = fit_null(design, labels, penalty)
        effect, error = score_tests(model, columns)
        rest = np.setdiff1d(np.arange(columns.shape[1]), chosen)
        best = _strongest(effect, error, rest)
        if best is None or len(chosen) == _MOST_FINDINGS:
            break
        chosen.append(best)
        found[best] = (float(effect[best]), float(error[best]))
        design = np.column_stack([design, columns[:, best]])
        penalty = np.append(penalty, 1e-3)
    for place, (size, doubt) in found.items():
        effect[place], error[place] = size, doubt
    return chosen, effect, error


def _strongest(effect: Floats, error: Floats, rest: npt.NDArray[np.int64]) -> int | None:
    """Return the strongest of `rest` if Benjamini–Hochberg finds anything among them."""
    from scipy.special import ndtr

    if not len(rest):
        return None
    p = 2.0 * ndtr(-np.abs(effect[rest]) / error[rest])
    ordered = np.sort(p)
    limits = FALSE_SHARE * np.arange(1, len(p) + 1) / len(p)
    return int(rest[np.argmin(p)]) if (ordered <= limits).any() else None


def _classified(
    answers: pd.DataFrame, importance: pd.DataFrame, *, verdicts: int, questions: int
) -> pd.DataFrame:
    from scipy.special import ndtri

    effect, error = answers["effect"].to_numpy(float), answers["error"].to_numpy(float)
    low, high = effect - _Z * error, effect + _Z * error
    found = answers["is_found"].to_numpy(dtype=bool)
    is_small = (low > -AGREED_EFFECT) & (high < AGREED_EFFECT)
    # Of a hundred questions, five are "sure at 95 %" by chance: so all are asked for at once.
    sure_z = -float(ndtri(0.025 / questions))
    is_sure = np.abs(effect) - sure_z * error > _CONFIRMED_EFFECT
    quiet = np.where(is_small, "agree", "too few verdicts")
    judged = np.where(effect < 0, "model over-rates", "model under-rates")
    total = float(importance["importance"].sum()) or 1.0
    table = answers.assign(
        direction=_directions(answers["direction"]),
        share=answers["importance"] / total,
        low=low,
        high=high,
        more_needed=np.where(found | is_small, 0, _more_needed(error, verdicts)),
        tier=np.where(found & is_sure, "confirmed", np.where(found, "indicated", "none")),
        **{"class": np.where(found, judged, quiet)},
    )
    order = ["is_found", "z", "feature"]
    table.loc[~table["is_found"], "z"] = table["share"]
    table = table.sort_values(order, ascending=[False, False, True], kind="stable")
    return table[list(COLUMNS)].reset_index(drop=True)


def _more_needed(error: Floats, verdicts: int) -> npt.NDArray[np.int64]:
    """Return how many verdicts are missing until an effect of nearly nought counts as agreement.

    Errors shrink with the root of the number; questions that cannot be asked need as
    many again as there are.
    """
    ratio = np.where(np.isfinite(error), _Z * error / AGREED_EFFECT, np.sqrt(2.0))
    missing = np.ceil(verdicts * np.maximum(ratio**2 - 1.0, 0.0))
    return np.asarray(missing, dtype=np.int64)


def _unanswered(importance: pd.DataFrame, verdicts: int) -> pd.DataFrame:
    total = float(importance["importance"].sum()) or 1.0
    table = importance.assign(
        feature=importance["column"],
        asked="nothing",
        direction=_directions(importance["direction"]),
        share=importance["importance"] / total,
        effect=np.nan,
        low=np.nan,
        high=np.nan,
        verdicts=verdicts,
        more_needed=max(2 * FEWEST_OF_A_KIND - verdicts, FEWEST_OF_A_KIND),
        p_value=np.nan,
        tier="none",
        **{"class": "too few verdicts"},
    )
    return table[list(COLUMNS)].reset_index(drop=True)


def _directions(signs: "pd.Series[int]") -> Sequence[str]:
    return [{1: "up", -1: "down"}.get(int(sign), "mixed") for sign in signs]


def finding_sentences(findings: pd.DataFrame) -> tuple[str, ...]:
    """Return one sentence per indicated or confirmed finding."""
    told = findings[findings["tier"] != "none"]
    return tuple(
        f"{subject_of(row['feature'], row['sentence'])}: at equal score sales accepts "
        f"{'fewer' if row['effect'] < 0 else 'more'} of {_leads(row)} "
        f"(effect {signed(row['effect'])}, {signed(row['low'])} to {signed(row['high'])}); "
        f"{row['class']} them ({row['tier']})"
        for row in told.to_dict("records")
    )


def subject_of(feature: str, sentence: str) -> str:
    """Return what was asked about in the plan's words, a category with its level.

    >>> subject_of("source = trade_fair", "source of the lead")
    'source of the lead = trade fair'
    """
    _, sign, level = feature.partition(" = ")
    return f"{sentence}{sign}{level.replace('_', ' ')}"


def _leads(row: Mapping[Any, Any]) -> str:
    return {"level": "these leads", "amount": "the leads with more of it"}.get(
        str(row["asked"]), "the leads with it"
    )


def signed(value: float) -> str:
    """Return an effect with its sign.

    >>> signed(0.5)
    '+0.50'
    """
    return f"{value:+.2f}".replace("-", "−")
