"""The least that a model must show before anybody relies on it."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mqlml.dataset.splits import Split
from mqlml.modeling.outlook import (
    BETTER_SIGNALS,
    COUNTED,
    WAIT_FOR_MONTHS,
    more_words,
    surer_words,
    weekly_rates,
)
from mqlml.modeling.settings import GateSettings
from mqlml.modeling.tournament import TournamentResult


@dataclass(frozen=True)
class Gate:
    """One condition of publishing: what was found and what is needed."""

    name: str
    passed: bool
    found: float
    needed: float
    mend: str = ""


def check_gates(
    points: pd.DataFrame,
    split: Split,
    result: TournamentResult,
    settings: GateSettings,
    *,
    is_dated: bool = True,
) -> tuple[Gate, ...]:
    """Return every gate; the model is published only if all have passed.

    Leads are counted, not points: a lead looked at twenty times is one piece of
    evidence. A figure that cannot be computed is NaN and does not pass. A gate that
    was not passed says in `mend` what would have to change; with `is_dated` (the
    points' times are real) also in how many weeks that will be at the latest rate.
    """
    gates = _measured(points, split, result, settings)
    if is_dated:
        gates += (_at_least("months", _conversion_months(points), settings.min_months),)
    rates = weekly_rates(points, split) if is_dated else {}
    figures = {gate.name: gate for gate in gates}
    auc, low = result.test.roc_auc, figures["roc_auc_low"]
    mends = {
        **{
            name: more_words(figures[name].found, figures[name].needed, rates.get(name))
            for name in COUNTED
        },
        "months": WAIT_FOR_MONTHS,
        "roc_auc_low": surer_words(auc, low.found, low.needed),
        "test_log_loss": BETTER_SIGNALS,
        "forward_log_loss": BETTER_SIGNALS,
    }
    return tuple(gate if gate.passed else replace(gate, mend=mends[gate.name]) for gate in gates)


def _measured(
    points: pd.DataFrame, split: Split, result: TournamentResult, settings: GateSettings
) -> tuple[Gate, ...]:
    labelled = points[points["label"].notna()]
    test = points.iloc[split.test]
    folds = {contestant.name: contestant.log_loss for contestant in result.contestants}
    return (
        _at_least("leads", labelled["lead_id"].nunique(), settings.min_leads),
        _at_least("conversions", _converted_leads(labelled), settings.min_conversions),
        _at_least("test_conversions", _converted_leads(test), settings.min_test_conversions),
        _above("roc_auc_low", result.test.roc_auc_low, settings.min_roc_auc_low),
        _below("test_log_loss", result.test.log_loss, constant_log_loss(result)),
        _at_most("forward_log_loss", folds[result.winner], folds["base_rate"]),
    )


def constant_log_loss(result: TournamentResult) -> float:
    """Return the test log loss of the better constant.

    One says the development base rate; the other what the base rate contestant
    says, which calibration may have moved to the latest block.
    """
    recent = result.test_by_contestant["base_rate"].log_loss
    return float(np.fmin(result.constant_log_loss, recent))


def _converted_leads(points: pd.DataFrame) -> int:
    return int(points.loc[points["label"] == 1, "lead_id"].nunique())


def _conversion_months(points: pd.DataFrame) -> int:
    """Return from how many calendar months the points come that converted."""
    converted = points.loc[points["label"] == 1, "as_of"].to_numpy(np.int64)
    return len(np.unique(converted.astype("M8[us]").astype("M8[M]")))


def _at_least(name: str, found: float, needed: float) -> Gate:
    return Gate(name, bool(found >= needed), float(found), float(needed))


def _above(name: str, found: float, needed: float) -> Gate:
    return Gate(name, bool(found > needed), found, needed)


def _below(name: str, found: float, needed: float) -> Gate:
    return Gate(name, bool(found < needed), found, needed)


def _at_most(name: str, found: float, needed: float) -> Gate:
    return Gate(name, bool(found <= needed), found, needed)
