"""`mqlml score`: open leads get probability, grade, outcome and reasons, written whole."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from mqlml.criteria.file import criteria_digest
from mqlml.criteria.settings import Criteria
from mqlml.dataset.points import open_points
from mqlml.errors import BundleError, DataError, Fault, UsageError
from mqlml.reports.facts import outcome_counts
from mqlml.reports.scoring import ScoringFacts, scoring_page
from mqlml.scoring.rows import rule_rows
from mqlml.scoring.score import Policy, score_points
from mqlml.storage.ledger import Entry, write_entry
from mqlml.storage.postgres import upsert_scores
from mqlml.storage.scores import ScoreFormat, last_scores, write_scores
from mqlml.tables.contracts import Tables
from mqlml.wiring import make_engine, make_spark_engine, secret
from mqlml.workflows.champion import Loaded, load_champion
from mqlml.workflows.ingest import current_tables
from mqlml.workflows.learning import recent_dataset, threshold_of
from mqlml.workflows.project import Project, shown_instant
from mqlml.workflows.train import keep_page

Say = Callable[[str], None]

_TREND_COLUMNS = ("lead_id", "as_of", "score", "outcome", "grade", "probability")


@dataclass(frozen=True)
class ScoreResult:
    """Where the scores lie, and what they say."""

    scores: pd.DataFrame
    path: Path
    report: Path
    name: str
    version: str
    criteria: Criteria
    as_of: str
    mql_probability: float

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        counts = self.scores["outcome"].value_counts()
        return {
            "rows": len(self.scores),
            "path": str(self.path),
            "outcomes": {str(name): int(n) for name, n in sorted(counts.items())},
            "model": {"name": self.name, "version": self.version},
            "criteria": {
                "version": self.criteria.version,
                "digest": criteria_digest(self.criteria),
            },
            "mql_probability": self.mql_probability,
            "as_of": self.as_of,
            "report": str(self.report),
        }

    def lines(self) -> Iterator[str]:
        """Yield the answer for people."""
        counts = {str(n): int(c) for n, c in self.scores["outcome"].value_counts().items()}
        parts = ", ".join(outcome_counts(counts))
        yield f"{len(self.scores):,} leads scored as of {self.as_of}: {parts or 'none open'}"
        yield f"scores: {self.path}"
        yield f"report: {self.report}"


def score(
    project: Project,
    *,
    as_of: int | None,
    say: Say,
    file_format: ScoreFormat = "parquet",
    leads_file: Path | None = None,
    version: str | None = None,
) -> ScoreResult:
    """Score the leads that are open at `as_of` (default: the data's end).

    One lead scored alone gets what it gets within the batch, and leaves the
    batch's files as they are. Raises BundleError
    without a champion, ConfigError when a rule does not fit the model's columns.
    """
    tables = current_tables(project, say=say, as_of=as_of)
    moment = tables.data_end if as_of is None else as_of
    loaded = load_champion(project, version)
    _check_target(project, loaded)
    say("scoring")
    points = open_points(tables, project.settings.target, project.settings.points, as_of=moment)
    part = ""
    if leads_file is not None:
        points = _only(points, leads_file)
        part = _part_name(points)
    policy = _policy(project, tables, loaded)
    before = last_scores(project.workspace.scores, before=moment, columns=_TREND_COLUMNS)
    scores = _scores(project, tables, loaded=loaded, points=points, policy=policy, before=before)
    facts = ScoringFacts(
        name=project.settings.name,
        as_of=None if tables.is_order_time else moment,
        scores=scores,
        model_version=loaded.version,
        criteria_version=str(policy.criteria.version),
        previous=before,
        previous_as_of=_latest(before),
        mql_probability=policy.mql_probability,
    )
    page = scoring_page(facts)
    written = _Written(scores, page, file_format, part)
    return _keep(project, written, policy, moment, loaded)


def _latest(before: pd.DataFrame | None) -> int | None:
    if before is None or before.empty:
        return None
    return int(before["as_of"].dt.as_unit("us").astype("int64").max())


def _scores(
    project: Project,
    tables: Tables,
    *,
    loaded: Loaded,
    points: pd.DataFrame,
    policy: Policy,
    before: pd.DataFrame | None,
) -> pd.DataFrame:
    settings = project.settings.engine
    if settings.kind == "spark":
        from mqlml.engines.spark_scores import Scorer, collect_scores

        engine, scorer = make_spark_engine(settings), Scorer(loaded.bundle, policy)
        return collect_scores(engine, tables, points=points, scorer=scorer, previous=before)
    matrix = make_engine(settings).compute(tables, points, loaded.bundle.plan)
    rows = rule_rows(tables, points, matrix)
    return score_points(loaded.bundle, points, matrix, rows=rows, policy=policy, previous=before)


def _policy(project: Project, tables: Tables, loaded: Loaded) -> Policy:
    """Return today's criteria with their threshold: the model's own, or measured anew."""
    settings, facts = project.settings, loaded.bundle.facts
    threshold = float(facts["mql_probability"])
    if criteria_digest(settings.criteria) != facts["criteria_digest"]:
        recent = recent_dataset(settings, tables, loaded.bundle.plan)
        threshold = threshold_of(settings.criteria, tables, recent, loaded.bundle.model)
    return Policy(settings.criteria, threshold, loaded.version, settings.personas, settings.scoring)


def _check_target(project: Project, loaded: Loaded) -> None:
    wanted = project.settings.target.model_dump(mode="json")
    if loaded.bundle.facts["target"] != wanted:
        found = f"the model predicts {loaded.bundle.facts['target']}, the config says {wanted}"
        mend = "train again with this config, or score with the config of the model"
        raise BundleError(Fault("the model predicts something else", "target", found, mend))


def _only(points: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return the points of the leads named in a file, one id a line."""
    if not path.is_file():
        raise DataError(Fault("no such file", str(path), mend="write one lead id per line"))
    wanted = {line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()} - {""}
    missing = wanted - set(points["lead_id"])
    if missing:
        found = f"{len(missing)} of {len(wanted)} ids"
        mend = "name leads that exist and are open at --as-of"
        raise UsageError(Fault("leads that cannot be scored", str(path), found, mend))
    return points[points["lead_id"].isin(sorted(wanted))].reset_index(drop=True)


def _part_name(points: pd.DataFrame) -> str:
    """Return the word by which files of these leads' scores stand beside those of all leads."""
    ids = "\n".join(sorted(points["lead_id"]))
    return f"leads-{sha256(ids.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class _Written:
    """What a run writes; `part` is empty, or names a run over some leads only."""

    scores: pd.DataFrame
    page: str
    file_format: ScoreFormat
    part: str


def _keep(
    project: Project, written: _Written, policy: Policy, moment: int, loaded: Loaded
) -> ScoreResult:
    """Write scores, page and ledger entry, then the database if one is configured."""
    scores = written.scores
    name = project.settings.scoring.postgres_url_env
    url = secret(project.secrets, name, "scoring.postgres_url_env") if name else None
    shown = shown_instant(moment)
    with project.workspace.lock("score"):
        path = write_scores(
            project.workspace.scores,
            scores,
            as_of=moment,
            name=project.settings.name,
            format=written.file_format,
            part=written.part,
        )
        stamp = shown.replace(":", "").replace("-", "")
        ending = f"-{written.part}" if written.part else ""
        report = keep_page(project, f"scores-{stamp}{ending}.html", written.page)
        payload = {
            "rows": len(scores),
            "path": path.name,
            "version": loaded.version,
            "criteria_digest": criteria_digest(policy.criteria),
            "mql_probability": policy.mql_probability,
        }
        write_entry(project.workspace.ledger, Entry("score", moment, payload))
    if url is not None:
        upsert_scores(url, project.settings.scoring.postgres_table, scores)
    return ScoreResult(
        scores=scores,
        path=path,
        report=report,
        name=loaded.ref.name,
        version=loaded.version,
        criteria=policy.criteria,
        as_of=shown,
        mql_probability=policy.mql_probability,
    )
