"""`mqlml retrain`: a challenger for a named reason, promoted only if it is better."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mqlml import timeline
from mqlml.dataset.labels import days_to_micros
from mqlml.errors import DataError
from mqlml.modeling.young_labels import mature_outcomes
from mqlml.monitoring.evidence import Change
from mqlml.monitoring.promotion import Compared, Decision, judge
from mqlml.monitoring.retraining import (
    ON_REQUEST,
    Attempt,
    Reason,
    Request,
    Treatment,
    retrain_request,
    treatment_of,
)
from mqlml.scoring.fallback import rung_of, rung_words
from mqlml.storage.ledger import read_entries
from mqlml.tables.contracts import Tables
from mqlml.wiring import make_engine, open_store
from mqlml.workflows.adjusting import (
    adjust,
    conversions_since,
    under_new_criteria,
    young_outcomes,
)
from mqlml.workflows.agreement import project_at
from mqlml.workflows.catching_up import catch_up
from mqlml.workflows.challenge import Occasion, persona_rows, recent_rows, sides_of
from mqlml.workflows.champion import Loaded, fetch
from mqlml.workflows.fallback import is_fallback
from mqlml.workflows.history import Past, past_of
from mqlml.workflows.ingest import current_tables
from mqlml.workflows.learning import WHOLE, Learnt, Window, learn
from mqlml.workflows.monitor import ERASED, find_changes
from mqlml.workflows.project import Project, shown_instant
from mqlml.workflows.retrained import Kept, keep_adjusted, keep_learnt, keep_nothing
from mqlml.workflows.routing import as_they_were_routed
from mqlml.workflows.train import training_lines

if TYPE_CHECKING:
    from mqlml.tracking.store import MlflowStore

Say = Callable[[str], None]

# A tournament on leads since a change needs final outcomes (one horizon), a gap before the test
# and one before the folds, beside the test and the folds themselves.
_GAPS = 3
_FOLD_WEEKS = 8


@dataclass(frozen=True)
class RetrainResult:
    """Whether there was a reason, what was learnt, and what was decided."""

    request: Request
    decision: Decision
    run_id: str
    champion: str
    challenger: str
    as_of: str
    learnt: Learnt | None = None
    report: Path | None = None
    approach: str = ""

    @property
    def is_retrained(self) -> bool:
        """Return whether a challenger came out."""
        return bool(self.approach)

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        return {
            "retrained": self.is_retrained,
            "reason": self.request.reason,
            "why": self.request.why,
            "approach": self.approach or None,
            "promoted": self.decision.promote,
            "waits_for_approval": self.decision.asks,
            "decision": self.decision.why,
            "figures": dict(self.decision.figures),
            "champion": {"version": self.champion},
            "challenger": {"version": self.challenger or None},
            "run_id": self.run_id,
            "as_of": self.as_of,
            "report": str(self.report) if self.report else None,
        }

    def lines(self) -> Iterator[str]:
        """Yield the answer for people."""
        yield f"reason: {self.request.reason}: {self.request.why}"
        if self.learnt is not None:
            yield from training_lines(self.learnt)
        yield self.decision.why
        if self.decision.asks and self.challenger:
            yield f"version {self.challenger} waits: 'mqlml promote' or 'mqlml decline' ends that"
        yield f"champion: version {self.champion}"
        if self.report:
            yield f"report: {self.report}"


def retrain(
    project: Project,
    *,
    as_of: int | None,
    seed: int,
    reason: Reason,
    say: Say,
    require_approval: bool = False,
    changes: Sequence[Change] | None = None,
) -> RetrainResult:
    """Train a challenger if `reason` holds, and let it take over if it is better.

    "auto" looks for a reason by monitoring, unless it is given what monitoring found
    (`changes`). With `require_approval` (or the setting of that name) a better challenger
    waits for a person. Every answer is recorded, "nothing to do" included. Raises BundleError
    without a champion to compare with.
    """
    tables = current_tables(project, say=say, as_of=as_of)
    moment = tables.data_end if as_of is None else as_of
    project = project_at(project, tables, moment)
    store = open_store(project.settings, project.workspace, project.secrets)
    loaded = fetch(store, project)
    with project.workspace.lock("retrain"):
        catch_up(project, store, as_of=moment)
    look = _Look(project, tables, loaded, moment, say)
    request = _request(look, reason, changes)
    if not request.is_needed and reason in {"auto", "erasure"} and store.is_marked(loaded.ref):
        request = Request(True, "erasure", ERASED)
    request = _unless_nothing_is_new(request, look)
    if not request.is_needed:
        run_id = keep_nothing(project, store, loaded, request, moment)
        decision = Decision(False, request.why)
        return RetrainResult(request, decision, run_id, loaded.version, "", shown_instant(moment))
    occasion = Occasion(project, loaded, request, _treatment(look, request), moment, seed)
    needs_person = require_approval or project.settings.monitoring.require_approval
    if occasion.treatment.approach == "tournament":
        return _by_tournament(store, occasion, look, needs_person=needs_person)
    return _by_adjusting(store, occasion, look, needs_person=needs_person)


class _Look:
    """The champion's view of the past, worked out once, when it is first asked for."""

    def __init__(
        self, project: Project, tables: Tables, loaded: Loaded, moment: int, say: Say
    ) -> None:
        self.project, self.tables, self.loaded = project, tables, loaded
        self.moment, self.say = moment, say
        self._past: Past | None = None

    @property
    def past(self) -> Past:
        """Return every point up to the tables' end as the champion scores it."""
        if self._past is None:
            self._past = past_of(self.project.settings, self.tables, self.loaded)
        return self._past


def _request(look: _Look, reason: Reason, changes: Sequence[Change] | None) -> Request:
    project = look.project
    if changes is None and reason not in ON_REQUEST:
        look.say("looking for a reason")
        changes = find_changes(project, look.tables, look.loaded, look.past).changes
    return retrain_request(
        reason,
        changes or (),
        trained_at=int(look.loaded.bundle.facts["data_end"]),
        as_of=look.moment,
        settings=project.settings.monitoring,
        attempts=_attempts(project, look.loaded, look.moment),
    )


def _attempts(project: Project, loaded: Loaded, moment: int) -> list[Attempt]:
    """Return the retrainings up to the moment from which a challenger came."""
    entries = read_entries(project.workspace.ledger, kind="retrain")
    since = loaded.bundle.facts.get("adjusted", {}).get("since")
    return [
        Attempt(
            str(e.payload["reason"]),
            e.as_of,
            str(e.payload["decision"]),
            since if _is_its_correction(e.payload, loaded) else None,
        )
        for e in entries
        if e.payload.get("approach") and timeline.is_known(e.as_of, moment)
    ]


def _is_its_correction(payload: Mapping[str, Any], loaded: Loaded) -> bool:
    """Return whether the champion came of this retraining, as a correction."""
    return payload["approach"] == "correction" and payload.get("version") == loaded.version


def _unless_nothing_is_new(request: Request, look: _Look) -> Request:
    """Return the request, not needed if the calendar asks and no outcome is newer."""
    if request.reason != "schedule" or not request.is_needed:
        return request
    points = look.past.points
    known = points.loc[points["label"].notna(), "as_of"]
    last = int(look.loaded.bundle.facts["last_labelled_as_of"])
    if len(known) and timeline.is_from(int(known.max()), last + 1):
        return request
    why = "nothing to do: no outcome has become final since the champion learnt"
    return replace(request, is_needed=False, why=why)


def _treatment(look: _Look, request: Request) -> Treatment:
    settings, facts = look.project.settings, look.loaded.bundle.facts
    horizon = settings.target.horizon_days
    change, came, is_long = request.change, 0, True
    if change is not None and change.since is not None and horizon:
        weeks = settings.monitoring.judged_weeks + _FOLD_WEEKS
        needed = weeks * timeline.MICROS_PER_WEEK + _GAPS * days_to_micros(horizon)
        is_long = look.moment - change.since >= needed
        outcomes = young_outcomes(look.past, look.loaded, look.tables, horizon)
        came = conversions_since(look.past, outcomes, change.since)
    found = treatment_of(
        request,
        is_same_target=facts["target"] == settings.target.model_dump(mode="json"),
        conversions_since=came,
        has_horizon=bool(horizon and facts.get("delays_days")),
        is_long=is_long,
    )
    if is_fallback(look.loaded.bundle) and found.approach != "new criteria":
        why = "a fallback is not mended: a learnt model is looked for in its place"
        return Treatment("tournament", why, found.since)
    return found


def _by_adjusting(
    store: "MlflowStore", occasion: Occasion, look: _Look, *, needs_person: bool
) -> RetrainResult:
    look.say(f"adjusting the champion: {occasion.treatment.approach}")
    make = under_new_criteria if occasion.treatment.approach == "new criteria" else adjust
    adjusted = make(occasion, look.tables, look.past)
    if adjusted.bundle is occasion.champion.bundle:
        request = replace(occasion.request, is_needed=False, why=adjusted.decision.why)
        run_id = keep_nothing(occasion.project, store, occasion.champion, request, occasion.moment)
        return _result(occasion, Kept(run_id, "", adjusted.decision))
    if needs_person:
        adjusted = replace(adjusted, decision=_asking(adjusted.decision))
    kept = keep_adjusted(store, occasion, adjusted, look.past, look.tables)
    return _result(occasion, kept)


def _by_tournament(
    store: "MlflowStore", occasion: Occasion, look: _Look, *, needs_person: bool
) -> RetrainResult:
    learnt = _learn(occasion, look)
    decision = _decide(occasion, learnt)
    decision = _asking(decision) if needs_person else decision
    kept = keep_learnt(store, occasion, learnt, decision, look.past)
    return replace(_result(occasion, kept), learnt=learnt)


def _learn(occasion: Occasion, look: _Look) -> Learnt:
    """Learn by the treatment's window; by all rows if that one is too short to split."""
    settings = occasion.project.settings
    # A model of long ago ties with one of today on old leads: judge them on the latest.
    weeks = settings.monitoring.judged_weeks
    whole = replace(WHOLE, test_weeks=weeks)
    if occasion.treatment.since is None:
        return learn(settings, look.tables, seed=occasion.seed, say=look.say, window=whole)
    try:
        window = Window(occasion.treatment.since, weeks)
        return learn(settings, look.tables, seed=occasion.seed, say=look.say, window=window)
    except DataError:
        look.say("too little since the change to split by time: learning from all rows")
        return learn(settings, look.tables, seed=occasion.seed, say=look.say, window=whole)


def _asking(decision: Decision) -> Decision:
    """Return a promotion as a question to a person; anything else as it is."""
    if not decision.promote:
        return decision
    why = decision.why.replace("promoted the", "waits for a person's yes: would promote the", 1)
    return replace(decision, promote=False, asks=True, why=why)


def _decide(occasion: Occasion, learnt: Learnt) -> Decision:
    """Compare on test points that neither the challenger's test model nor the champion learnt."""
    settings, loaded = occasion.project.settings, occasion.champion
    if not learnt.published:
        failed = ", ".join(gate.name for gate in learnt.gates if not gate.passed)
        return Decision(False, f"kept the champion: the challenger did not pass {failed}")
    if loaded.bundle.facts["target"] != settings.target.model_dump(mode="json"):
        why = (
            "promoted the challenger: the target changed, so the champion answers another question"
        )
        return Decision(True, why)
    if is_fallback(loaded.bundle):
        served = rung_words(rung_of(loaded.bundle))
        why = "promoted the challenger: it passed every gate, the champion is a fallback"
        return Decision(True, f"{why} ({served})")
    return judge(_compared(occasion, learnt), settings.monitoring)


def _compared(occasion: Occasion, learnt: Learnt) -> Compared:
    settings, champion = occasion.project.settings, occasion.champion.bundle
    points = learnt.dataset.points
    test = np.sort(learnt.split.test)
    as_of = points["as_of"].to_numpy(np.int64)[test]
    learnt_until = int(champion.facts["last_labelled_as_of"]) + 1
    news = np.flatnonzero(timeline.is_from(as_of, learnt_until))
    recent = recent_rows(points)
    asked = points.iloc[np.concatenate([test[news], recent])].reset_index(drop=True)
    # By the champion's own plan: a column of the same name may mean something else by now.
    old = make_engine(settings.engine).compute(learnt.tables, asked, champion.plan)
    judged, lately = old.iloc[: len(news)], old.iloc[len(news) :].reset_index(drop=True)
    new = learnt.dataset.matrix.iloc[recent].reset_index(drop=True)
    whose = asked.iloc[: len(news)].reset_index(drop=True)
    matrix = learnt.dataset.matrix.iloc[test[news]].reset_index(drop=True)
    change = occasion.request.change
    judged = judged.reset_index(drop=True)
    model, told = as_they_were_routed(champion, learnt.tables, whose, judged)
    return Compared(
        leads=whose["lead_id"].to_numpy(),
        outcomes=mature_outcomes(learnt.result.test_labels[news]),
        champion=model.probability(told),
        challenger=learnt.result.test_probabilities[news],
        personas=persona_rows(settings, learnt.tables, whose, matrix),
        sides=sides_of(champion, learnt.bundle, old=lately, new=new),
        is_change_expected=change is not None and change.kind == "concept",
    )


def _result(occasion: Occasion, kept: Kept) -> RetrainResult:
    return RetrainResult(
        request=occasion.request,
        decision=kept.decision,
        run_id=kept.run_id,
        champion=kept.version if kept.is_promoted else occasion.champion.version,
        challenger=kept.version,
        as_of=shown_instant(occasion.moment),
        report=kept.report,
        approach=occasion.treatment.approach if kept.report else "",
    )
