"""Hints for the leads that the page of a scoring shows: the hottest, and those nearly MQLs.

The same hints that `why` gives of one lead, for few at once. With a ranked list they are
about the list as it was cut, everybody else as they are.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from mqlml.criteria.decide import Outcome
from mqlml.criteria.ranking import Cut
from mqlml.criteria.settings import RankedList
from mqlml.engines.settings import EngineSettings
from mqlml.reports.scoring import hottest
from mqlml.scoring.hints import Case, Hint
from mqlml.scoring.rows import rule_rows
from mqlml.scoring.score import Policy
from mqlml.storage.lead_events import tables_of_leads
from mqlml.wiring import make_engine
from mqlml.workflows.champion import Loaded
from mqlml.workflows.hints import Asked, Scene, hints_for
from mqlml.workflows.score_day import Day, DayScores

MOST_HOT, MOST_NEAR = 15, 8
_RANKED = "ranked "
# Nobody reaches it, so nobody is told that this would make an MQL.
_OUT_OF_REACH = 2.0


def near_hints(
    day: Day, found: DayScores, loaded: Loaded, scratch: Path
) -> Mapping[str, tuple[Hint, ...]]:
    """Return hints by lead, of the hottest fifteen and the eight warm leads nearest to an MQL.

    Nothing where times are no days. `scratch` is a folder in which their events may lie for
    as long as it takes.
    """
    asked = _shown(found.scores)
    if day.tables.is_order_time or asked.empty or not loaded.bundle.plan.features:
        return {}
    points = day.points[day.points["lead_id"].isin(asked["lead_id"])].reset_index(drop=True)
    with tempfile.TemporaryDirectory(prefix=".hints.", suffix=".new", dir=scratch) as folder:
        own = tables_of_leads(day.tables, points["lead_id"], Path(folder) / "own")
        matrix = make_engine(EngineSettings()).compute(own, points, loaded.bundle.plan)
        rows = rule_rows(own, points, matrix)
        higher, lower = _policies(found, loaded.version)
        is_mql = points["lead_id"].isin(asked.loc[asked["outcome"] == Outcome.MQL, "lead_id"])
        leads = [
            Asked(point, Case(row, ruled), lower if one else higher)
            for one, point, row, ruled in zip(
                is_mql, *map(_row_by_row, (points, matrix, rows)), strict=True
            )
        ]
        scene = Scene(own, day.tables.events, Path(folder) / "changed")
        hints = hints_for(loaded.bundle, leads, scene)
    told = {
        str(lead): tuple(hint for hint in some if _is_told(hint, is_mql=bool(one)))
        for lead, some, one in zip(points["lead_id"], hints, is_mql, strict=True)
    }
    return {lead: hints for lead, hints in told.items() if hints}


def _row_by_row(frame: pd.DataFrame) -> list[pd.DataFrame]:
    return [frame.iloc[[place]].reset_index(drop=True) for place in range(len(frame))]


def _is_told(hint: Hint, *, is_mql: bool) -> bool:
    """Return whether a hint says how near an MQL is to being none, or a warm lead to being one."""
    return hint.count < 0 if is_mql else hint.outcome == Outcome.MQL


def _shown(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the leads that get hints; whoever was handed over earlier stays without any."""
    is_fresh = ~scores["because"].str.startswith("handed over")
    hot = hottest(scores).head(MOST_HOT)
    mqls = hot[(hot["outcome"] == Outcome.MQL) & is_fresh.reindex(hot.index)]
    warm = scores[(scores["outcome"] == Outcome.WARM) & is_fresh & _is_inside(scores)]
    near = warm.sort_values(["probability", "lead_id"], ascending=[False, True], kind="stable")
    return pd.concat([mqls, near.head(MOST_NEAR)])


def _is_inside(scores: pd.DataFrame) -> "pd.Series[bool]":
    """Return who is held back by the probability alone, and by no rule."""
    because = scores["because"].str
    return because.startswith("probability ") | because.startswith(_RANKED)


def _policies(found: DayScores, version: str) -> tuple[Policy, Policy]:
    """Return by which policy more events are judged, and by which fewer."""
    policy, rule = found.terms.policy(version), found.terms.criteria.thresholds.ranked
    if found.cut is None or rule is None:
        return policy, policy
    up, down = list_limits(found.scores, found.cut, rule)
    return replace(policy, mql_probability=up), replace(policy, mql_probability=down)


def list_limits(scores: pd.DataFrame, cut: Cut, rule: RankedList) -> tuple[float, float]:
    """Return above which probability a lead would have had a place, and below which none.

    Another lead's place is taken by whoever is more probable than the last on the list; and
    who is on it leaves it only by falling below the first that found no place.
    """
    is_ranked = scores["because"].str.startswith(_RANKED)
    is_taken = is_ranked & (scores["outcome"] == Outcome.MQL)
    left = scores.loc[is_ranked & ~is_taken, "probability"].max()
    is_full = cut.used + cut.raised + cut.taken >= rule.most
    last = scores.loc[is_taken, "probability"].min() if is_full else cut.probability
    up = _OUT_OF_REACH if np.isnan(last) else float(np.nextafter(last, 1))
    down = cut.probability if np.isnan(left) else float(left)
    return up, down
