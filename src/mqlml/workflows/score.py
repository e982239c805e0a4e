"""`mqlml score`: open leads get probability, grade, outcome and reasons, written whole.

Asked for a past moment and a model version, it gives again what that version gave
then: by the criteria, threshold and settings of then, which the ledger keeps, from
what was known then, compared with the scores known then.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pandas as pd

from mqlml.dataset.points import open_points
from mqlml.errors import BundleError, DataError, Fault, UsageError
from mqlml.reports.facts import Named
from mqlml.reports.scoring import ScoringFacts, scoring_page
from mqlml.scoring.fallback import fallback_warning, rung_of
from mqlml.scoring.hints import Hint
from mqlml.scoring.rows import rule_rows
from mqlml.scoring.settings import ReasonsFrom
from mqlml.storage.postgres import upsert_scores
from mqlml.storage.score_runs import (
    ScoreRun,
    is_latest_run,
    keep_run,
    latest_number,
    previous_files,
    restore_scores,
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
from mqlml.storage.seen import SeenData, seen_data
from mqlml.tables.contracts import Tables
from mqlml.wiring import secret
from mqlml.workflows.agreement import agreed_project
from mqlml.workflows.champion import Loaded, load_champion
from mqlml.workflows.consent import refusing_leads
from mqlml.workflows.features import USUAL_MEANS, Means
from mqlml.workflows.given import Compared, ScoreResult, comparison, list_words
from mqlml.workflows.ingest import as_known_at, current_tables
from mqlml.workflows.learning import (
    NOBODY,
    known_assurance,
    list_floor_of,
    recent_dataset,
    threshold_of,
)
from mqlml.workflows.near import near_hints
from mqlml.workflows.project import Project, shown_instant
from mqlml.workflows.rules import persona_remarks, refuse_pointless_criteria
from mqlml.workflows.score_day import Day, DayScores, scores_of_day
from mqlml.workflows.shadow import shadow as shadow_scores
from mqlml.workflows.terms import Terms, terms_from_json, terms_of
from mqlml.workflows.train import keep_page

Say = Callable[[str], None]

_TREND_COLUMNS = ("lead_id", "as_of", "score", "outcome", "grade", "probability")
_PART_LENGTH = 8


@dataclass(frozen=True)
class _Asked:
    """The lead ids of a file, or all leads; `part` names the ids."""

    path: Path | None = None
    ids: frozenset[str] = frozenset()

    @property
    def part(self) -> str:
        text = "\n".join(sorted(self.ids))
        return f"leads-{sha256(text.encode()).hexdigest()[:_PART_LENGTH]}" if self.path else ""


@dataclass(frozen=True)
class _Request:
    """Which leads are scored when, and the latest run of this version at that moment.

    `again` is that run where it is asked for again; `after` the latest run that may be seen.
    """

    moment: int
    asked: _Asked
    then: ScoreRun | None
    again: ScoreRun | None
    after: int


@dataclass(frozen=True)
class _Told:
    """What readers of the scores must know: a fallback's rung, what changed of the personas."""

    fallback: str
    personas: tuple[str, ...]
    hints: Mapping[str, tuple[Hint, ...]]

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(filter(None, (fallback_warning(self.fallback), *self.personas)))


@dataclass(frozen=True)
class _Scored:
    """A run as it came out, not yet kept, with what the page shows beside it."""

    run: ScoreRun
    scores: pd.DataFrame
    data: bytes
    previous: pd.DataFrame | None
    terms: Terms
    request: _Request
    told: _Told


@dataclass(frozen=True)
class ScoreWishes:
    """How leads are scored, beside as of when.

    `leads_file` names the leads (default: all open ones), `version` the model (default: the
    champion). Reasons are given from the band `reasons_from` on (default: the config's). With
    `shadow` the challenger that waits scores too, apart and of no consequence.
    """

    file_format: ScoreFormat = "parquet"
    leads_file: Path | None = None
    version: str | None = None
    reasons_from: ReasonsFrom | None = None
    allow_unsigned: bool = False
    shadow: bool = False


USUALLY = ScoreWishes()


def score(
    project: Project,
    *,
    as_of: int | None,
    say: Say,
    wishes: ScoreWishes = USUALLY,
    means: Means = USUAL_MEANS,
) -> ScoreResult:
    """Score the leads that are open at `as_of` (default: the data's end).

    One lead scored alone gets what it gets within the batch, and leaves the batch's files as
    they are. With both `as_of` and a version, a run that was kept then is repeated by its own
    terms, reasons included. Raises BundleError without a champion, ConfigError when a rule
    does not fit the model's columns, and for criteria that are not valid yet or not
    agreed on, see `agreed_project`.
    """
    tables = current_tables(project, say=say, as_of=as_of)
    moment = tables.data_end if as_of is None else as_of
    tables = as_known_at(tables, moment)
    loaded = load_champion(project, wishes.version)
    runs = score_runs(project.workspace.ledger, project.settings.name)
    is_past = as_of is not None and wishes.version is not None
    asked = _read_ids(wishes.leads_file)
    request = _request(runs, moment, loaded.version, asked, is_past=is_past)
    terms = _terms(project, tables, loaded, request, wishes)
    _check_target(terms, loaded)
    say("scoring")
    earlier = previous_files(project.workspace.scores, runs, before=moment, after=request.after)
    previous = last_scores(earlier, columns=_TREND_COLUMNS)
    points = _points(tables, terms, request)
    refused = points["lead_id"].isin(refusing_leads(tables, project.settings.sources.consent))
    day = Day(tables, points[~refused].reset_index(drop=True), previous, earlier)
    found = _asked_for(scores_of_day(project, day, loaded, terms, means, moment), request)
    scored = _scored(project, day, loaded, found, request)
    kept = _keep(project, scored, wishes.file_format)
    kept = replace(kept, not_profiled=int(refused.sum()))
    if not wishes.shadow or loaded.is_remembered or asked.path is not None:
        return kept
    beside = shadow_scores(project, day, terms, found.scores, means=means, moment=moment)
    return replace(kept, shadowed=beside)


def _terms(
    project: Project, tables: Tables, loaded: Loaded, request: _Request, wishes: ScoreWishes
) -> Terms:
    """Return the terms of the run that is repeated, or those of the config now."""
    if request.again:
        return terms_from_json(request.again.terms)
    allowed = wishes.allow_unsigned
    agreed = agreed_project(project, tables, request.moment, allow_unsigned=allowed)
    return terms_now(agreed, tables, loaded).explaining(wishes.reasons_from)


def _scored(
    project: Project, day: Day, loaded: Loaded, found: DayScores, request: _Request
) -> _Scored:
    data = parquet_bytes(found.scores)
    facts = _RunFacts(found, scores_digest(data), seen_data(day.tables, request.moment))
    run = _run(facts, loaded, request, is_order_time=day.tables.is_order_time)
    told = _Told(
        rung_of(loaded.bundle),
        persona_remarks(loaded.bundle, found.terms),
        near_hints(day, found, loaded, project.workspace.root),
    )
    return _Scored(run, found.scores, data, day.previous, found.terms, request, told)


def _request(
    runs: tuple[ScoreRun, ...], moment: int, version: str, asked: _Asked, *, is_past: bool
) -> _Request:
    same = [r for r in runs if (r.as_of, r.version, r.part) == (moment, version, asked.part)]
    then = same[-1] if same else None
    again = then if is_past else None
    return _Request(moment, asked, then, again, again.after if again else latest_number(runs))


def terms_now(project: Project, tables: Tables, loaded: Loaded) -> Terms:
    """Return the config's terms with their threshold: the model's own, or measured anew."""
    settings, facts = project.settings, loaded.bundle.facts
    terms = terms_of(settings, float(facts["mql_probability"]), facts.get("list_floor"))
    if terms.digest == facts["criteria_digest"]:
        return terms
    recent = recent_dataset(settings, tables, loaded.bundle.plan)
    # Training refused rules that decide nothing; these were edited since.
    refuse_pointless_criteria(settings.criteria, rule_rows(tables, recent.points, recent.matrix))
    measured, floor = (
        find(settings.criteria, tables, recent, loaded.bundle.model, known_assurance(facts))
        for find in (threshold_of, list_floor_of)
    )
    return terms_of(settings, float(measured or 0.0), floor)


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


def _points(tables: Tables, terms: Terms, request: _Request) -> pd.DataFrame:
    """Return the points of all open leads, or of those that were asked for.

    A ranked list needs all of them, to tell where those that were asked for stand.
    """
    points = open_points(tables, terms.target, terms.points, as_of=request.moment)
    asked = request.asked
    if asked.path is None:
        return points
    missing = asked.ids - set(points["lead_id"])
    if missing:
        found = f"{len(missing)} of {len(asked.ids)} ids"
        mend = "name leads that exist and are open at --as-of"
        raise UsageError(Fault("leads that cannot be scored", str(asked.path), found, mend))
    if terms.listed is not None:
        return points
    return points[points["lead_id"].isin(sorted(asked.ids))].reset_index(drop=True)


def _asked_for(found: DayScores, request: _Request) -> DayScores:
    asked = request.asked
    if asked.path is None:
        return found
    rows = found.scores[found.scores["lead_id"].isin(sorted(asked.ids))]
    return replace(found, scores=rows.reset_index(drop=True))


@dataclass(frozen=True)
class _RunFacts:
    """What came out, and what was seen for it."""

    found: DayScores
    scores_digest: str
    seen: SeenData


def _run(facts: _RunFacts, loaded: Loaded, request: _Request, *, is_order_time: bool) -> ScoreRun:
    terms = facts.found.terms
    return ScoreRun(
        number=0,
        after=request.after,
        name=loaded.ref.name,
        as_of=request.moment,
        version=loaded.version,
        criteria_version=str(terms.criteria.version),
        criteria_digest=terms.digest,
        mql_probability=terms.mql_probability,
        terms=terms.to_json(),
        data=facts.seen.to_json(),
        rows=len(facts.found.scores),
        scores=facts.scores_digest,
        part=request.asked.part,
        is_order_time=is_order_time,
        listed=facts.found.listed,
    )


def _keep(project: Project, scored: _Scored, file_format: ScoreFormat) -> ScoreResult:
    """Write scores, ledger entry and page, then the database if one is configured.

    Scores that were given before stay where they are: nothing of a later run changes.
    """
    workspace, settings = project.workspace, project.settings.scoring
    name = settings.postgres_url_env
    url = secret(project.secrets, name, "scoring.postgres_url_env") if name else None
    page = _page(scored)
    with workspace.lock("score"):
        compared = comparison(scored.run, scored.scores, scored.request.then, workspace.scores)
        run = _kept(project, scored, compared)
        is_latest = bool(run.part) or is_latest_run(workspace.ledger, run)
        path = exported(run.file(workspace.scores), scored.scores, file_format)
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
        is_again=scored.request.again is not None,
        fallback=scored.told.fallback,
        persona_changes=scored.told.personas,
    )


def _kept(project: Project, scored: _Scored, compared: Compared | None) -> ScoreRun:
    """Return the run as the ledger keeps it; its entry comes last, so what has one is whole."""
    again, run, workspace = scored.request.again, scored.run, project.workspace
    if again is not None and compared is not None and compared.is_same_throughout:
        restore_scores(workspace.ledger, workspace.scores, again, scored.data)
        return again
    ScoreFile(workspace.scores, run.name, run.as_of, run.part).write(scored.data)
    return keep_run(workspace.ledger, run)


def _page(scored: _Scored) -> str:
    run, previous = scored.run, scored.previous
    facts = ScoringFacts(
        name=run.name,
        as_of=None if run.is_order_time else run.as_of,
        scores=scored.scores,
        model_version=run.version,
        criteria_version=run.criteria_version,
        previous=previous,
        previous_as_of=_latest(previous),
        mql_probability=run.mql_probability if run.mql_probability < NOBODY else None,
        personas=scored.terms.personas,
        warnings=scored.told.warnings,
        hints={lead: [one.sentence for one in some] for lead, some in scored.told.hints.items()},
        details=[Named("Ranked list", list_words(run.listed))] if run.listed else (),
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
