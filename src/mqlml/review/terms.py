"""What reps write of leads they reject, beyond what the score explains: opt-in.

A term is shown only if it stands in the notes on five leads or more by three reps or more,
so that no note can be read off the page.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.review.findings import FALSE_SHARE, null_design
from mqlml.review.logistic import Floats, fit_null, score_tests
from mqlml.review.unseen import TellingColumns, telling_columns
from mqlml.review.verdicts import Judged
from mqlml.review.words import terms_of, words_of_ids

TERM_COLUMNS = (
    "term",
    "leads",
    "reps",
    "rejected",
    "accepted",
    "effect",
    "low",
    "high",
    "roc_auc",
    "class",
)
FEWEST_LEADS, FEWEST_REPS = 5, 3
# So many notes on accepted leads, and on rejected ones, before the two are compared.
_FEWEST_NOTES = 20
_MOST_NOTES = 20_000
_MOST_TERMS, _SHOWN = 400, 20
_COVERED = 0.8
_Z = 1.959963984540054
UNCOMPARED = "not compared: hardly a note on accepted leads"

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Term:
    """A term, and which of the notes hold it."""

    text: str
    holds: Flags
    leads: int
    reps: int


def rejected_terms(judged: Judged) -> pd.DataFrame:
    """Return the terms (TERM_COLUMNS) that rejections hold more often at equal score and rep.

    `judged.rows` has the column `note`. Compared are verdicts with a note; `effect` is the
    log-odds of acceptance with the term, with its 95 % interval, and the share of false
    ones is held below a tenth (Benjamini–Hochberg). `rejected` and `accepted` count verdicts.
    `roc_auc` says how well the model's columns tell such notes from all other verdicts with a
    note, and `class` what follows, as for reasons (`unseen_reasons`). With fewer than twenty
    notes on accepted leads nothing can be compared: then the most frequent terms of rejections
    are counted. The strongest twenty, strongest first; of the latest 20,000 notes.
    """
    rows = judged.rows
    noted = np.flatnonzero(rows["note"].fillna("").astype("str").str.strip() != "")[-_MOST_NOTES:]
    some = rows.iloc[noted].reset_index(drop=True)
    accepted = some["accepted"].to_numpy(np.float64)
    terms = _terms(some, _names(judged))
    if not terms:
        return pd.DataFrame(columns=list(TERM_COLUMNS))
    if min(accepted.sum(), len(accepted) - accepted.sum()) < _FEWEST_NOTES:
        return _counted(terms, accepted)
    columns = np.column_stack([term.holds for term in terms]).astype(np.float64)
    design, penalty = null_design(some)
    model = fit_null(design, accepted, penalty)
    effect, error = score_tests(model, columns - columns.mean(axis=0))
    kept = _without_covered(_found(effect, error), terms)[:_SHOWN]
    telling = telling_columns(judged.matrix.iloc[noted], some["lead_id"]) if kept else None
    return _frame([(terms[i], effect[i], error[i]) for i in kept], accepted, telling)


def _names(judged: Judged) -> frozenset[str]:
    return words_of_ids(judged.rows["who"].astype("str").unique())


def _terms(some: pd.DataFrame, names: frozenset[str]) -> list[_Term]:
    """Return the terms of enough leads and reps, the most frequent first."""
    places: dict[str, list[int]] = {}
    for place, note in enumerate(some["note"].astype("str")):
        for text in terms_of(note, names):
            places.setdefault(text, []).append(place)
    leads = pd.factorize(some["lead_id"])[0]
    # Verdicts without a rep's id are those of one unknown rep.
    reps = pd.factorize(some["who"].astype("str"))[0]
    found = []
    for text, where in places.items():
        if len(where) < FEWEST_LEADS:
            continue
        counts = len(set(leads[where])), len(set(reps[where]))
        if counts[0] >= FEWEST_LEADS and counts[1] >= FEWEST_REPS:
            holds = np.zeros(len(some), np.bool_)
            holds[where] = True
            found.append(_Term(text, holds, *counts))
    return sorted(found, key=lambda term: (-term.leads, term.text))[:_MOST_TERMS]


def _found(effect: Floats, error: Floats) -> list[int]:
    """Return which terms rejections hold more often, the strongest first."""
    from scipy.special import ndtr

    z = effect / error
    p = 2.0 * ndtr(-np.abs(z))
    order = np.argsort(p, kind="stable")
    good = np.flatnonzero(p[order] <= FALSE_SHARE * np.arange(1, len(p) + 1) / len(p))
    passed = order[: good[-1] + 1] if len(good) else order[:0]
    return [int(place) for place in passed if z[place] < 0]


def _without_covered(places: list[int], terms: list[_Term]) -> list[int]:
    """Return the terms without single words that nearly always stand in a pair that is shown."""
    pairs = [terms[i] for i in places if " " in terms[i].text]

    def is_covered(term: _Term) -> bool:
        return " " not in term.text and any(
            term.text in pair.text.split() and pair.holds.sum() >= _COVERED * term.holds.sum()
            for pair in pairs
        )

    return [i for i in places if not is_covered(terms[i])]


def _counted(terms: list[_Term], accepted: Floats) -> pd.DataFrame:
    rejected = accepted == 0
    often = [term for term in terms if (term.holds & rejected).sum() >= FEWEST_LEADS]
    kept = _without_covered(list(range(len(often))), often)[:_SHOWN]
    return _frame([(often[i], np.nan, np.nan) for i in kept], accepted, None)


def _frame(
    found: list[tuple[_Term, float, float]], accepted: Floats, telling: TellingColumns | None
) -> pd.DataFrame:
    rows = []
    told = [(np.nan, UNCOMPARED)] * len(found)
    if telling is not None:
        told = telling.told(np.column_stack([term.holds for term, _, _ in found]))
    for (term, effect, error), (area, known) in zip(found, told, strict=True):
        reach = _Z * error
        held = int((accepted[term.holds] == 1).sum())
        counts = (term.leads, term.reps, int(term.holds.sum()) - held, held)
        rows.append((term.text, *counts, effect, effect - reach, effect + reach, area, known))
    return pd.DataFrame(rows, columns=list(TERM_COLUMNS))
