"""What changed from the champion to a new model, and the card that says so."""

from collections.abc import Iterator, Sequence

from mqlml.config import Settings
from mqlml.criteria.compare import criteria_changes
from mqlml.criteria.settings import Criteria
from mqlml.errors import BundleError, DataError
from mqlml.features.plan import Plan
from mqlml.modeling.bundle import Bundle
from mqlml.reports.facts import contestant_words
from mqlml.reports.words import listed
from mqlml.workflows.champion import Loaded, load_champion
from mqlml.workflows.learning import Learnt
from mqlml.workflows.project import Project, shown_instant

_NAMED = 6


def known_champion(project: Project) -> Loaded | None:
    """Return the champion, None if there is none yet or it cannot be read."""
    try:
        return load_champion(project)
    except (BundleError, DataError):
        return None


def changes_since(champion: Loaded | None, learnt: Learnt, settings: Settings) -> tuple[str, ...]:
    """Return in sentences what is otherwise than in the champion; nothing without one."""
    if champion is None:
        return ()
    return tuple(_changes(champion, learnt, settings))


def _changes(champion: Loaded, learnt: Learnt, settings: Settings) -> Iterator[str]:
    before, facts = champion.bundle, champion.bundle.facts
    until = shown_instant(int(facts["data_end"]))
    yield f"Compared with version {champion.version}, trained on data up to {until}."
    old, new = (contestant_words(name) for name in (facts["winner"], learnt.result.winner))
    yield f"{new} won again." if old == new else f"{new} won instead of {old}."
    labelled = int(learnt.dataset.points["label"].notna().sum())
    yield f"It learnt from {labelled:,} points with a known outcome, before from {facts['rows']:,}."
    yield from _figures(before, learnt)
    yield from _plan_changes(before.plan, learnt.dataset.plan)
    if facts["target"] != settings.target.model_dump(mode="json"):
        yield "What is predicted changed: figures of before and now do not compare."
    changed = criteria_changes(Criteria.model_validate(before.criteria), settings.criteria)
    yield f"Criteria: {'; '.join(changed)}." if changed else "The criteria are the same."
    earlier = float(facts["mql_probability"])
    yield f"MQL begins at {learnt.mql_probability:.1%}, before at {earlier:.1%}."


def _figures(before: Bundle, learnt: Learnt) -> Iterator[str]:
    then, now = before.facts["test"], learnt.result.test
    yield (
        f"On its own test, of later leads: log loss {now.log_loss:.4f} at a base rate of "
        f"{now.base_rate:.1%} and ROC-AUC {now.roc_auc:.3f}; the version before on its own: "
        f"{then['log_loss']:.4f} at {then['base_rate']:.1%} and {then['roc_auc']:.3f}."
    )


def _plan_changes(before: Plan, now: Plan) -> Iterator[str]:
    came = [name for name in now.columns if name not in before.columns]
    went = [name for name in before.columns if name not in now.columns]
    if came:
        yield f"New columns: {_named(came)}."
    if went:
        yield f"Columns no longer there: {_named(went)}."
    if not came and not went:
        same = before.fingerprint == now.fingerprint
        yield "The columns are the same." if same else "The columns are the same, made otherwise."


def _named(names: Sequence[str]) -> str:
    rest = len(names) - _NAMED
    return listed([*names[:_NAMED], f"{rest} more"] if rest > 0 else names)
