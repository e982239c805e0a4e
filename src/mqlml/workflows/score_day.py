"""The scores of one moment, by whichever engine, and cut by a ranked list where there is one."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from mqlml.criteria.ranking import Cut, Listing, first_handed, period_start
from mqlml.errors import ConfigError, Fault
from mqlml.scoring.fallback import rung_of, with_rung
from mqlml.scoring.ranked import leads_to_explain, ranked_scores, with_reasons
from mqlml.scoring.rows import rule_attributes
from mqlml.scoring.score import last_score_of
from mqlml.scoring.streamed import ScoreSink
from mqlml.storage.handed import handed_before
from mqlml.tables.contracts import Tables
from mqlml.wiring import make_local_engine, make_spark_engine
from mqlml.workflows.champion import Loaded
from mqlml.workflows.features import Means
from mqlml.workflows.handed import handed_in_crm
from mqlml.workflows.project import Project, shown_instant
from mqlml.workflows.terms import Terms


@dataclass(frozen=True)
class Day:
    """What is scored: tables and points as of one moment, and the scores before it.

    `files` are the score files before it, oldest first.
    """

    tables: Tables
    points: pd.DataFrame
    previous: pd.DataFrame | None
    files: tuple[Path, ...]


@dataclass(frozen=True)
class DayScores:
    """Scores, the terms they came by, and how a ranked list was cut, if there is one."""

    scores: pd.DataFrame
    terms: Terms
    cut: Cut | None = None

    @property
    def listed(self) -> dict[str, Any] | None:
        """Return how the list was cut as the ledger keeps it."""
        if self.cut is None:
            return None
        return {**asdict(self.cut), "start": shown_instant(self.cut.start)}


def scores_of_day(
    project: Project, day: Day, loaded: Loaded, terms: Terms, means: Means, moment: int
) -> DayScores:
    """Return the scores of all points of the day.

    A ranked list needs everybody's probability before anybody's outcome. So it is cut
    when all are scored, and whoever has a place on it, but no reasons yet, is explained
    after that.

    Raises ConfigError for a ranked list where times are no days.
    """
    scores = _scores(project, day, loaded, terms, means)
    if terms.listed is None:
        return DayScores(scores, terms)
    scores, cut = ranked_scores(scores, _listing(day, terms, moment))
    scores = with_rung(scores, rung_of(loaded.bundle))
    wanted = leads_to_explain(scores, terms.scoring.reasons_from)
    if len(wanted):
        few = day.points[day.points["lead_id"].isin(wanted)].reset_index(drop=True)
        told = _scores(project, replace(day, points=few), loaded, terms.explaining("cold"), means)
        scores = with_reasons(scores, told)
    return DayScores(scores, replace(terms, mql_probability=cut.probability), cut)


def _listing(day: Day, terms: Terms, moment: int) -> Listing:
    listed, rule = terms.listed, terms.criteria.thresholds.ranked
    if listed is None or rule is None or day.tables.is_order_time:
        found = "times made from an order column, which know before and after but no days"
        mend = "map columns.created_at to a date, or give mql_probability instead"
        where = "criteria.thresholds.ranked"
        raise ConfigError(Fault("a ranked list needs days and weeks", where, found, mend))
    share = terms.criteria.thresholds.warm_share_of_mql
    start = period_start(moment, rule.per, listed.zone)
    handed = handed_before(day.files)
    if listed.heeds_handovers:
        handed = first_handed(handed, handed_in_crm(day.tables))
    return Listing(rule, listed.floor, share, start, listed.zone, handed)


def _scores(project: Project, day: Day, loaded: Loaded, terms: Terms, means: Means) -> pd.DataFrame:
    policy, settings = terms.scoring_policy(loaded.version), project.settings.engine
    if settings.kind == "spark":
        from mqlml.engines.spark_scores import Scorer, collect_scores

        spark, scorer = make_spark_engine(settings), Scorer(loaded.bundle, policy)
        return collect_scores(
            spark, day.tables, points=day.points, scorer=scorer, previous=day.previous
        )
    sink = ScoreSink(
        loaded.bundle,
        day.points,
        rule_attributes(day.tables, day.points),
        policy,
        project.workspace.root,
        last_score_of(day.points, day.previous),
    )
    engine = make_local_engine(memory=means.memory, threads=means.threads)
    engine.write(day.tables, day.points, loaded.bundle.plan, sink, progress=means.progress)
    return sink.scores()
