"""What would have brought a lead into another band: a few events more or fewer, checked.

A hint is offered only for what a lead can do (events of a signal), never for who it is;
only if the changed lead, with all its features worked out anew, gets another outcome from the
same model and criteria; and only where every changed feature stays within what training saw
(from its 0.5 % to its 99.5 % quantile). It tells how the score works, not what makes people buy.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from mqlml.criteria.decide import Outcome, decide
from mqlml.features.plan import Plan
from mqlml.features.table_columns import ratio_of
from mqlml.modeling.bundle import Bundle
from mqlml.scoring.score import Policy
from mqlml.scoring.why import changed_cells

_BANDS = (Outcome.COLD, Outcome.WARM, Outcome.MQL)
_SAID = {"cold": "cold", "warm": "warm", "mql": "an MQL"}
_NUMBERS = {1: "one", 2: "two", 3: "three"}
_MOST_UP, _MOST_DOWN = 2, 1


@dataclass(frozen=True)
class Change:
    """So many events of a signal more (above nought) or fewer (below)."""

    signal: str
    count: int


@dataclass(frozen=True)
class Hint:
    """A change that leads to another outcome, with the probability it then has."""

    signal: str
    count: int
    outcome: str
    probability: float
    sentence: str

    def document(self) -> dict[str, Any]:
        """Return the hint for programs."""
        return asdict(self)


@dataclass(frozen=True)
class Case:
    """One lead as it is: its row of the matrix, and the row that rules look at."""

    matrix: pd.DataFrame
    rows: pd.DataFrame


def changed_matrix(plan: Plan, matrix: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Return the lead's row for each row of `events`, which are its changed event features."""
    found = pd.concat([matrix] * len(events), ignore_index=True)
    found = found.assign(**{str(name): events[name].to_numpy() for name in events.columns})
    ratios = {
        r.column: ratio_of(found[r.of].to_numpy(np.float64), found[r.to].to_numpy(np.float64))
        for r in plan.ratios
    }
    return found.assign(**ratios)


def hints_of(
    bundle: Bundle, policy: Policy, case: Case, changes: Sequence[Change], changed: pd.DataFrame
) -> tuple[Hint, ...]:
    """Return the smallest changes that lead to another band, at most two up and one down.

    Args:
        bundle: model, plan, and the facts that say what training saw.
        policy: criteria and where MQL begins.
        case: the lead as it is; hand raisers and disqualified leads get no hint.
        changes: what was changed, a row of `changed` each.
        changed: the plan's matrix, see `changed_matrix`.
    """
    supported = _supported(bundle.facts)
    if not changes or not supported:
        return ()
    whole = pd.concat([case.matrix, changed], ignore_index=True)
    probability = bundle.model.probability(whole)
    rules = _rule_rows(case, whole)
    outcome = decide(probability, rules, policy.criteria, policy.mql_probability)["outcome"]
    first = str(outcome.iloc[0])
    if first not in _BANDS:
        return ()
    steps = [i for i, change in enumerate(changes) if _is_step(first, outcome.iloc[i + 1], change)]
    if not steps:
        return ()
    is_inside = _is_inside(case.matrix, changed.iloc[steps].reset_index(drop=True), supported)
    found = [
        (changes[i], str(outcome.iloc[i + 1]), float(probability[i + 1]))
        for i, is_seen in zip(steps, is_inside, strict=True)
        if is_seen
    ]
    return tuple(_told(bundle.plan, found))


def _rule_rows(case: Case, whole: pd.DataFrame) -> pd.DataFrame:
    rows = pd.concat([case.rows] * len(whole), ignore_index=True)
    numbers = [
        str(name)
        for name, values in whole.items()
        if name in rows and pd.api.types.is_numeric_dtype(values.dtype)
    ]
    return rows.assign(**{name: whole[name].to_numpy() for name in numbers})


def _is_step(before: str, after: str, change: Change) -> bool:
    """Return whether more leads higher, or fewer lower: the other way round nobody believes."""
    if after not in _BANDS:
        return False
    step = _BANDS.index(Outcome(after)) - _BANDS.index(Outcome(before))
    return step * change.count > 0


def _supported(facts: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Return what range of each number training saw, none if an older mqlml wrote the facts."""
    columns = facts.get("reference", {}).get("columns", {})
    found = {name: column.get("supported") for name, column in columns.items()}
    return {name: (float(v[0]), float(v[1])) for name, v in found.items() if v is not None}


def _is_inside(
    matrix: pd.DataFrame, changed: pd.DataFrame, supported: Mapping[str, tuple[float, float]]
) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Return which rows of `changed` differ only in values that training saw."""
    before = pd.concat([matrix] * len(changed), ignore_index=True)
    inside = np.ones(len(changed), dtype=np.bool_)
    for name, differs in changed_cells(before, changed).items():
        low, high = supported.get(name, (np.inf, -np.inf))
        values = changed[name]
        is_seen = values.isna() | values.between(low, high)
        inside &= ~differs | is_seen.to_numpy(dtype=np.bool_)
    return inside


def _told(plan: Plan, found: Sequence[tuple[Change, str, float]]) -> Iterator[Hint]:
    """Yield the smallest change of each signal, the smallest first, then what moves most."""
    says = {signal.name: signal.says for signal in plan.signals}
    for sign, most in ((1, _MOST_UP), (-1, _MOST_DOWN)):
        ways = [way for way in found if way[0].count * sign > 0]
        ways.sort(key=lambda way: (abs(way[0].count), -sign * way[2], way[0].signal))
        best = {change.signal: (change, outcome, p) for change, outcome, p in reversed(ways)}
        kept = [way for way in ways if best[way[0].signal] == way][:most]
        for change, outcome, probability in kept:
            number = _NUMBERS[abs(change.count)]
            more = "more" if sign > 0 else "fewer"
            words = f"{says[change.signal]}: {number} {more} would be {_SAID[outcome]}"
            sentence = f"{words} ({100 * probability:.1f} %)"
            yield Hint(change.signal, change.count, outcome, probability, sentence)
