"""What stands in where the gates refuse the learnt model: points rules, or the base rate."""

from dataclasses import dataclass, replace
from typing import Any

from mqlml.dataset.splits import Split
from mqlml.modeling.contestants.points_rules import FittedPointsRules
from mqlml.modeling.rungs import standing_of
from mqlml.modeling.settings import Fallback, ModelSettings
from mqlml.modeling.tournament import TournamentResult, TrainingSet, run_tournament

NONE: Fallback = "none"
POINTS_RULES: Fallback = "points_rules"
BASE_RATE: Fallback = "base_rate"


@dataclass(frozen=True)
class StandIn:
    """A model that promises nothing, which rung of the ladder it is, and why no better one."""

    rung: Fallback
    why: tuple[str, ...]
    result: TournamentResult

    def to_json(self) -> dict[str, Any]:
        """Return rung and reasons as a bundle's facts keep them."""
        return {"rung": self.rung, "why": list(self.why)}


def stand_in_of(
    dataset: TrainingSet,
    split: Split,
    settings: ModelSettings,
    refused: TournamentResult,
    *,
    seed: int,
) -> StandIn | None:
    """Return the best rung that the settings allow below a refused model; None without one.

    Points rules serve if they beat the base rate on the forward folds and more points mean
    a higher chance; a sheet that ranks upside down is no better than none. All contestants'
    figures stay in the result, so that the page shows what was refused beside what serves.
    """
    lowest, why = settings.fallback, []
    if lowest == NONE:
        return None
    if settings.points_rules:
        found = _run(dataset, split, settings, POINTS_RULES, seed)
        fault = _points_fault(found)
        if not fault:
            return StandIn(POINTS_RULES, (), _beside(refused, found))
        why.append(fault)
    if lowest == POINTS_RULES:
        return None
    found = _run(dataset, split, settings, BASE_RATE, seed)
    return StandIn(BASE_RATE, tuple(why), _beside(refused, found))


def _run(
    dataset: TrainingSet, split: Split, settings: ModelSettings, rung: Fallback, seed: int
) -> TournamentResult:
    contestants = ("base_rate", "points_rules") if rung == POINTS_RULES else ("base_rate",)
    few = settings.model_copy(
        update={"contestants": contestants, "segments": None, "candidates": 0, "monotone": {}}
    )
    return run_tournament(dataset, split, few, seed=seed)


def _points_fault(found: TournamentResult) -> str:
    """Return why points rules cannot serve; empty if they can."""
    if found.winner != POINTS_RULES:
        return "points rules were no better than the base rate on later leads"
    fitted = found.model.fitted
    if not isinstance(fitted, FittedPointsRules):
        return "points rules had too few outcomes to be worth a chance"
    if fitted.slope * found.model.calibration.slope <= 0:
        return "leads with more points converted less often: the rules rank upside down"
    return ""


def _beside(refused: TournamentResult, found: TournamentResult) -> TournamentResult:
    """Return what serves, with the figures of every contestant there was."""
    known = {contestant.name for contestant in refused.contestants}
    extra = tuple(one for one in found.contestants if one.name not in known)
    return replace(
        found,
        contestants=(*refused.contestants, *extra),
        test_by_contestant={**found.test_by_contestant, **refused.test_by_contestant},
        probabilities_by_contestant={
            **found.probabilities_by_contestant,
            **refused.probabilities_by_contestant,
        },
        candidates=refused.candidates,
        segments=standing_of(refused.segments, found.winner),
    )
