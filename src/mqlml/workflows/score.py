"""`mqlml score`: open leads get probability, grade, outcome and reasons, written whole.

Asked for a past moment and a model version, it gives again what that version gave
then: by the criteria, threshold and settings of then, which the ledger keeps, from
what was known then, compared with the scores known then.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pandas as pd

from mqlml.dataset.points import open_points
from mqlml.errors import BundleError, DataError, Fault, UsageError
from mqlml.reports.scoring import ScoringFacts, scoring_page
from mqlml.scoring.rows import rule_rows
from mqlml.scoring.score import score_points
from mqlml.storage.postgres import upsert_scores
from mqlml.storage.score_runs import (
    ScoreRun,
    keep_run,
    latest_number,
    previous_files,
    run_at,
    score_runs,
)
from mqlml.storage.scores import (
    ScoreFile,
    ScoreFormat,
    exported,
    last_scores,
    parquet_bytes,
    scores_digest,
)
from mqlml.storage.seen import seen_data
from mqlml.tables.contracts import Tables
from mqlml.wiring import make_engine, secret
from mqlml.workflows.champion import Loaded, load_champion
from mqlml.workflows.given import ScoreResult, comparison
from mqlml.workflows.ingest import as_known_at, current_tables
from mqlml.workflows.learning import recent_dataset, threshold_of
from mqlml.workflows.project import Project, shown_instant
from mqlml.workflows.terms import Terms, terms_from_json, terms_of
from mqlml.workflows.train import keep_page

Say = Callable[[str], None]

_TREND_COLUMNS = ("lead_id", "as_of", "score", "outcome", "grade", "probability")
_PART_LENGTH = 12


@dataclass(frozen=True)
class _Asked:
    """The lead ids of a file, or all leads; `part` names the ids."""

    path: Path | None = None
    ids: frozenset[str] = frozenset()

    @property
    def part(self) -> str:
        text = "\n".join(sorted(self.ids))
        return sha256(text.encode()).hexdigest()[:_PART_LENGTH] if self.path else ""


@dataclass(frozen=True)
class _Scored:
    """A run as it came out, not yet kept, with what the page shows beside it."""

    run: ScoreRun
    scores: pd.DataFrame
    previous: pd.DataFrame | None
    terms: Terms
    then: ScoreRun | None
    is_again: bool


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

    One lead scored alone gets what it gets within the batch. With both `as_of` and
    `version`, a run that was kept then is repeated by its own terms. Raises BundleError
    without a champion, ConfigError when a rule does not fit the model's columns.
    """
    tables = current_tables(project, say=say, as_of=as_of)
    moment = tables.data_end if as_of is None else as_of
    tables = as_known_at(tables, moment)
    loaded = load_champion(project, version)
    runs = score_runs(project.workspace.ledger, project.settings.name)
    asked = _read_ids(leads_file)
    then = _then(runs, moment, loaded.version, asked.part)
    is_again = then is not None and as_of is not None and version is not None
    terms = _terms(project, tables, loaded, then if is_again else None)
    _check_target(terms, loaded)
    say("scoring")
    after = then.after if then is not None and is_again else latest_number(runs)
    earlier = previous_files(project.workspace.scores, runs, before=moment, after=after)
    previous = last_scores(earlier, columns=_TREND_COLUMNS)
    scores = _scores(tables, loaded, terms, _points(tables, terms, moment, asked), previous)
    run = _run(project, loaded, terms, scores, tables, moment, after, asked.part)
    scored = _Scored(run, scores, previous, terms, then, is_again)
    return _keep(project, scored, loaded, file_format)


def _then(
    runs: tuple[ScoreRun, ...], moment: int, version: str, part: str
) -> ScoreRun | None:
    """Return the latest run of this version over these leads at exactly this moment."""
    same = [r for r in runs if (r.as_of, r.version, r.part) == (moment, version, part)]
    return same[-1] if same else None


def _terms(project: Project, tables: Tables, loaded: Loaded, then: ScoreRun | None) -> Terms:
    """Return the terms of then, or today's with their threshold: the model's, or measured anew."""
    if then is not None:
        return terms_from_json(then.terms)
    settings, facts = project.settings, loaded.bundle.facts
    terms = terms_of(settings, float(facts["mql_probability"]))
    if terms.digest == facts["criteria_digest"]:
        return terms
    recent = recent_dataset(settings, tables, loaded.bundle.plan)
    measured = threshold_of(settings.criteria, tables, recent, loaded.bundle.model)
    return terms_of(settings, measured)


def _check_target(terms: Terms, loaded: Loaded) -> None:
    wanted = terms.target.model_dump(mode="json")
    if loaded.bundle.facts["target"] != wanted:
        found = f"the model predicts {loaded.bundle.facts['target']}, the config says {wanted}"
        mend = "train again with this config, or score with the config of the model"
        raise BundleError(Fault("the model predicts something else", "target", found, mend))


def _read_ids(path: Path | None) -> _Asked:
    if path is None:
        return _Asked()
    if not path.is_file():
        raise DataError(Fault("no such file", str(path), mend="write one lead id per line"))
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return _Asked(path, frozenset(line.strip() for line in lines) - {""})


def _points(tables: Tables, terms: Terms, moment: int, asked: _Asked) -> pd.DataFrame:
    """Return the points of all open leads, or of those that were asked for."""
    points = open_points(tables, terms.target, terms.points, as_of=moment)
    if asked.path is None:
        return points
    missing = asked.ids - set(points["lead_id"])
    if missing:
        found = f"{len(missing)} of {len(asked.ids)} ids"
        mend = "name leads that exist and are open at --as-of"
        raise UsageError(Fault("leads that cannot be scored", str(asked.path), found, mend))
    return points[points["lead_id"].isin(sorted(asked.ids))].reset_index(drop=True)


def _scores(
    tables: Tables,
    loaded: Loaded,
    terms: Terms,
    points: pd.DataFrame,
    previous: pd.DataFrame | None,
) -> pd.DataFrame:
    matrix = make_engine().compute(tables, points, loaded.bundle.plan)
    rows = rule_rows(tables, points, matrix)
    policy = terms.policy(loaded.version)
    return score_points(loaded.bundle, points, matrix, rows=rows, policy=policy, previous=previous)


def _run(
    project: Project,
    loaded: Loaded,
    terms: Terms,
    scores: pd.DataFrame,
    tables: Tables,
    moment: int,
    after: int,
    part: str,
) -> ScoreRun:
    file = ScoreFile(project.workspace.scores, project.settings.name, moment, part)
    return ScoreRun(
        number=0,
        after=after,
        name=project.settings.name,
        as_of=moment,
        version=loaded.version,
        criteria_version=str(terms.criteria.version),
        criteria_digest=terms.digest,
        mql_probability=terms.mql_probability,
        terms=terms.to_json(),
        data=seen_data(tables, moment).to_json(),
        rows=len(scores),
        path=file.path.name,
        scores=scores_digest(parquet_bytes(scores)),
        part=part,
    )


def _keep(
    project: Project, scored: _Scored, loaded: Loaded, file_format: ScoreFormat
) -> ScoreResult:
    """Write scores, ledger entry and page, then the database if one is configured.

    Scores that were given before stay where they are: nothing of a later run changes.
    """
    workspace, settings = project.workspace, project.settings.scoring
    name = settings.postgres_url_env
    url = secret(project.secrets, name, "scoring.postgres_url_env") if name else None
    compared = comparison(scored.run, scored.scores, scored.then, workspace.scores)
    page = _page(project, scored, is_order_time=bool(loaded.bundle.facts["is_order_time"]))
    with workspace.lock("score"):
        is_kept = compared is not None and compared.is_same and compared.is_same_data
        run = scored.then if is_kept and scored.is_again else _written(project, scored)
        latest = run_at(
            score_runs(workspace.ledger, run.name), run.as_of, is_exact=True
        )
        is_latest = bool(run.part) or latest == run
        record = run.file(workspace.scores)
        path = exported(record, scored.scores, file_format)
        report = keep_page(project, _page_name(run, is_latest=is_latest), page)
    if url is not None and is_latest:
        upsert_scores(url, settings.postgres_table, scored.scores)
    return ScoreResult(
        scores=scored.scores,
        path=path,
        report=report,
        run=run,
        criteria=scored.terms.criteria,
        compared=compared,
        is_again=scored.is_again,
    )


def _written(project: Project, scored: _Scored) -> ScoreRun:
    """Return the run as kept; its entry comes last, so what has one is whole."""
    run = scored.run
    file = ScoreFile(project.workspace.scores, run.name, run.as_of, run.part)
    file.write(parquet_bytes(scored.scores))
    return keep_run(project.workspace.ledger, run)


def _page(project: Project, scored: _Scored, *, is_order_time: bool) -> str:
    previous = scored.previous
    facts = ScoringFacts(
        name=project.settings.name,
        as_of=None if is_order_time else scored.run.as_of,
        scores=scored.scores,
        model_version=scored.run.version,
        criteria_version=scored.run.criteria_version,
        previous=previous,
        previous_as_of=_latest(previous),
        mql_probability=scored.run.mql_probability,
    )
    return scoring_page(facts)


def _latest(before: pd.DataFrame | None) -> int | None:
    if before is None or before.empty:
        return None
    return int(before["as_of"].dt.as_unit("us").astype("int64").max())


def _page_name(run: ScoreRun, *, is_latest: bool) -> str:
    stamp = shown_instant(run.as_of).replace(":", "").replace("-", "")
    more = f"-{run.part}" if run.part else "" if is_latest else f"-run{run.number}"
    return f"scores-{stamp}{more}.html"
