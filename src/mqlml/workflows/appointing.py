"""A person's word on the champion: `mqlml promote`, `mqlml decline`, `mqlml rollback`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mqlml.errors import BundleError, Fault, UsageError
from mqlml.storage.ledger import Entry, write_entry
from mqlml.storage.snapshot import read_tables
from mqlml.wiring import open_store
from mqlml.workflows.campaigns import campaign_of_version
from mqlml.workflows.catching_up import catch_up
from mqlml.workflows.kept_back import Recording
from mqlml.workflows.project import Project, shown_instant
from mqlml.workflows.promotions import appoint, champion_changes

if TYPE_CHECKING:
    from mqlml.tracking.records import Campaign, ChampionChange, ModelRef
    from mqlml.tracking.store import MlflowStore


@dataclass(frozen=True)
class Word:
    """What a person says: who, why, and as of when (microseconds; None: the data's end)."""

    by: str
    reason: str
    as_of: int | None = None


@dataclass(frozen=True)
class Appointed:
    """Who is champion now, who was before, and in which run it is recorded."""

    champion: str
    before: str
    sentence: str
    run_id: str
    as_of: str

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        return {
            "champion": {"version": self.champion},
            "before": {"version": self.before or None},
            "decision": self.sentence,
            "run_id": self.run_id,
            "as_of": self.as_of,
        }

    def lines(self) -> Iterator[str]:
        """Yield the answer for people."""
        yield self.sentence
        yield f"champion: version {self.champion}"


def promote(project: Project, word: Word, *, version: str | None) -> Appointed:
    """Make a version champion by a person's word; by default the challenger that waits.

    Raises BundleError if nobody waits, or the version cannot be loaded.
    """
    store = open_store(project.settings, project.workspace, project.secrets)
    moment = _moment(project, word)
    with project.workspace.lock("promote"):
        catch_up(project, store, as_of=moment)
        chosen = version or _waiting(project, store).version
        before = store.champion(project.settings.name)
        if before is not None and before.version == chosen:
            mend = "see `mqlml runs` for the versions there are"
            raise UsageError(Fault("is champion already", f"version {chosen}", mend=mend))
        change = _change("promote", word, moment, chosen, "" if before is None else before.version)
        return _appointed(project, store, change, before)


def decline(project: Project, word: Word) -> Appointed:
    """Send the challenger that waits away; the champion stays. Raises BundleError without one."""
    store = open_store(project.settings, project.workspace, project.secrets)
    moment = _moment(project, word)
    with project.workspace.lock("decline"):
        catch_up(project, store, as_of=moment)
        waiting, champion = _waiting(project, store), store.champion(project.settings.name)
        said = f"version {waiting.version} was declined by {word.by}: {word.reason}"
        store.withdraw(waiting, said)
        stays = "" if champion is None else champion.version
        run_id = _recorded(project, store, _Said("decline", moment, said, stays, word.by))
        payload = {"run_id": run_id, "version": waiting.version, "by": word.by, "decision": said}
        write_entry(project.workspace.ledger, Entry("decline", moment, payload))
    return Appointed(stays, stays, said, run_id, shown_instant(moment))


def rollback(project: Project, word: Word) -> Appointed:
    """Make the previous champion champion again. Raises BundleError if there is none."""
    store = open_store(project.settings, project.workspace, project.secrets)
    moment = _moment(project, word)
    with project.workspace.lock("rollback"):
        catch_up(project, store, as_of=moment)
        now = store.champion(project.settings.name)
        if now is None:
            mend = "run 'mqlml train' first"
            raise BundleError(Fault("no champion yet", project.settings.name, mend=mend))
        target = previous_version(store, now)
        if not target:
            mend = "name a version yourself: 'mqlml promote --model N'"
            found = f"version {now.version} is the first champion"
            raise BundleError(Fault("nothing to go back to", f"model {now.name}", found, mend))
        change = _change("rollback", word, moment, target, _before(project, target))
        return _appointed(project, store, change, now)


def previous_version(store: "MlflowStore", champion: "ModelRef") -> str:
    """Return the version that was champion before, by the champion's own account; "" if none."""
    written = store.change_of(champion)
    return "" if written is None else written.previous


def _before(project: Project, version: str) -> str:
    """Return who was champion before `version` became it, so that one can go back further."""
    changes = [c for c in champion_changes(project) if c.version == version]
    return changes[-1].previous if changes else ""


def _waiting(project: Project, store: "MlflowStore") -> "ModelRef":
    waiting = store.challenger(project.settings.name)
    if waiting is None:
        mend = "run 'mqlml retrain' for one, or name a version with --model"
        raise BundleError(Fault("no challenger waits", f"model {project.settings.name}", mend=mend))
    return waiting


def _moment(project: Project, word: Word) -> int:
    return read_tables(project.workspace.root).data_end if word.as_of is None else word.as_of


def _change(kind: str, word: Word, moment: int, version: str, previous: str) -> "ChampionChange":
    from mqlml.tracking.records import ChampionChange

    return ChampionChange(0, kind, moment, version, previous, "manual", word.reason, word.by)


def _appointed(
    project: Project, store: "MlflowStore", change: "ChampionChange", before: "ModelRef | None"
) -> Appointed:
    appoint(project, store, change)
    was = "" if before is None else before.version
    instead = f" instead of version {was}" if was else ""
    said = f"version {change.version} is champion{instead}, by {change.by}: {change.why}"
    came = was if change.kind == "rollback" else change.version
    campaign = campaign_of_version(project, came)
    told = _Said(change.kind, change.as_of, said, change.version, change.by, was, campaign)
    run_id = _recorded(project, store, told)
    return Appointed(change.version, was, said, run_id, shown_instant(change.as_of))


@dataclass(frozen=True)
class _Said:
    """A person's word as MLflow keeps it: what, as of when, by whom, about which version."""

    kind: str
    as_of: int
    decision: str
    version: str
    by: str
    before: str = ""
    campaign: "Campaign | None" = None


def _recorded(project: Project, store: "MlflowStore", said: _Said) -> str:
    from mqlml.tracking.records import RunRecord

    versions = {"from_version": said.before, "to_version": said.version} if said.before else {}
    record = RunRecord(
        name=project.settings.name,
        kind=said.kind,
        as_of=said.as_of,
        reason="manual",
        decision=said.decision,
        model_version=said.version,
        tags={"decided_by": said.by, **versions},
        campaign=said.campaign,
    )
    return Recording(project, store).log_run(record)
