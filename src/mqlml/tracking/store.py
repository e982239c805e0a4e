"""Everything the rest of mqlml asks of MLflow."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mqlml.tracking import aliases, campaigns, registry, runs
from mqlml.tracking.connection import Connection
from mqlml.tracking.faults import told
from mqlml.tracking.model_files import installed_version
from mqlml.tracking.records import (
    ChampionChange,
    LoggedModel,
    ModelRef,
    Number,
    RunRecord,
    RunRow,
    TrainingRecord,
)
from mqlml.tracking.registry import BundleCheck
from mqlml.tracking.scrubbing import scrub_database


def check_bundle(folder: Path) -> object:
    """Return the loaded bundle of `folder`; BundleError if it cannot be used."""
    from mqlml.modeling.bundle import load_bundle

    return load_bundle(folder)


class MlflowStore:
    """Runs and models of one project; `check` loads a bundle's folder, or raises BundleError.

    Every method raises DataError if the store is locked, full or not writable,
    and BundleError if it cannot be reached.
    """

    def __init__(self, connection: Connection, *, check: BundleCheck = check_bundle) -> None:
        self._connection = connection
        self._check = check

    @property
    def uri(self) -> str:
        """Return the address of the store, as MLflow takes it."""
        return self._connection.uri

    @property
    def is_there(self) -> bool:
        """Return whether there is anything to read; a server is taken to be there."""
        return self._connection.is_there

    def log_training(self, record: TrainingRecord, *, publish: bool = True) -> LoggedModel:
        """Return the finished run of a training, and the version it was registered as.

        With `publish` false the run and its model are kept, but no version is
        registered. The champion is never changed here.
        """
        run = runs.with_tags(record.run, _identity(record))
        with self._client() as client, self._running(client, run) as run_id:
            experiment = self._experiment(client, run.name)
            model = registry.begin_model(client, experiment, run_id)
            figures = {**run.metrics, **runs.flat_contestants(record.contestants)}
            runs.log_figures(client, run_id, run, metrics=figures, model_id=model.model_id)
            runs.log_dataset(client, run_id, record.dataset)
            registry.upload_model(client, model, record, check=self._check)
            if not publish:
                return LoggedModel(run_id, run.name, "")
            return registry.register(client, model, record)

    def log_run(self, record: RunRecord) -> str:
        """Return the id of a finished run that holds `record`."""
        with self._client() as client, self._running(client, record) as run_id:
            runs.log_figures(client, run_id, record, metrics=record.metrics)
            if record.timeline:
                self.log_timeline(record.name, record.timeline, as_of=record.as_of)
            return run_id

    def log_timeline(self, name: str, figures: Mapping[str, Number], *, as_of: int) -> None:
        """Add figures as of a moment to the time line of model `name`."""
        with self._client() as client:
            experiment = self._experiment(client, name)
            campaigns.log_timeline(client, experiment, name, at=as_of, figures=figures)

    def recorded(self, name: str, key: str) -> LoggedModel | None:
        """Return the run, and its version if it has one, that was kept back under `key`."""
        with self._client() as client:
            found = runs.find_tagged(client, name, runs.KEPT_BACK, key)
        return None if found is None else LoggedModel(found[0], name, found[1])

    def runs(self, name: str) -> tuple[RunRow, ...]:
        """Return the finished runs of model `name`, oldest as_of first."""
        if not self.is_there:
            return ()
        with self._client() as client:
            return runs.list_runs(client, name)

    def unfinished(self, name: str) -> tuple[str, ...]:
        """Return the ids of runs that are at work, or were killed."""
        if not self.is_there:
            return ()
        with self._client() as client:
            return runs.unfinished_runs(client, name)

    def champion(self, name: str) -> ModelRef | None:
        """Return the version that scores today, or None before the first promotion."""
        if not self.is_there:
            return None
        with self._client() as client:
            return registry.find_champion(client, name)

    def version(self, name: str, version: str) -> ModelRef:
        """Return one version of a model; BundleError if there is none or it is unfinished."""
        with self._client() as client:
            return registry.find_version(client, name, version)

    def mark_for_retraining(self, name: str, *, known_from: int) -> tuple[str, ...]:
        """Return the versions trained at or after `known_from`, marked: rows they saw are gone."""
        if not self.is_there:
            return ()
        with self._client() as client:
            return registry.mark_for_retraining(client, name, known_from=known_from)

    def is_marked(self, ref: ModelRef) -> bool:
        """Return whether a version was trained with rows of people who were erased since."""
        with self._client() as client:
            return registry.is_marked(client, ref)

    def scrub(self, scrubbed: Callable[[str], str]) -> int:
        """Return how many values of the workspace's own database were changed by `scrubbed`."""
        database = self._connection.database
        if database is None or not database.exists():
            return 0
        with told(self.uri):
            return scrub_database(database, scrubbed)

    @property
    def is_elsewhere(self) -> bool:
        """Return whether runs and models lie outside the workspace."""
        return self._connection.database is None

    def promote(self, name: str, version: str, *, as_of: int, reason: str) -> ModelRef:
        """Return the version that is now champion; it was loaded once more before."""
        before = self.champion(name)
        written = None if before is None else self.change_of(before)
        change = ChampionChange(
            number=1 + (0 if written is None else written.number),
            kind="promote",
            as_of=as_of,
            version=version,
            previous="" if before is None or before.version == version else before.version,
            reason=reason,
        )
        return self.appoint(name, change)

    def appoint(self, name: str, change: ChampionChange) -> ModelRef:
        """Return the version that is now champion by `change`; it was loaded once more before."""
        with self._client() as client:
            ref = registry.find_version(client, name, change.version)
            registry.try_bundle(client, ref, check=self._check)
            aliases.make_champion(client, ref, change)
            if change.kind != "rollback":
                client.set_tag(ref.run_id, *runs.decision_tag("promoted"))
                client.set_tag(ref.run_id, "to_version", change.version)
            if change.kind == "promote" and change.by:
                client.set_tag(ref.run_id, "decided_by", change.by)
        return ref

    def note_change(self, ref: ModelRef, change: ChampionChange) -> None:
        """Write on a version that is champion already why it is, and settle the other aliases."""
        with self._client() as client:
            aliases.write_change(client, ref, change)
            aliases.settle(client, ref, change)

    def change_of(self, ref: ModelRef) -> ChampionChange | None:
        """Return what is written on a version of how it became champion; None if nothing is."""
        with self._client() as client:
            return aliases.read_change(client, ref)

    def settle(self, ref: ModelRef, change: ChampionChange) -> None:
        """Bring the aliases `previous` and `challenger` in line with the champion's change."""
        with self._client() as client:
            aliases.settle(client, ref, change)

    def challenger(self, name: str) -> ModelRef | None:
        """Return the version that waits with the alias `challenger`; None if none can be used."""
        return self._aliased(name, aliases.CHALLENGER)

    def previous(self, name: str) -> ModelRef | None:
        """Return the version that was champion before; None if none can be used."""
        return self._aliased(name, aliases.PREVIOUS)

    def propose(self, name: str, version: str) -> ModelRef:
        """Return the version that now waits with the alias `challenger`."""
        with self._client() as client:
            ref = registry.find_version(client, name, version)
            client.set_registered_model_alias(name, aliases.CHALLENGER, version)
        return ref

    def withdraw(self, ref: ModelRef, decision: str) -> None:
        """Take the alias `challenger` from a version, and write on its run what was decided."""
        with self._client() as client:
            client.delete_registered_model_alias(ref.name, aliases.CHALLENGER)
            client.set_tag(ref.run_id, *runs.decision_tag(decision))

    def _aliased(self, name: str, alias: str) -> ModelRef | None:
        if not self.is_there:
            return None
        with self._client() as client:
            found = registry.find_alias(client, name, alias)
            if found is None or not registry.is_ready(client, found):
                return None
            return registry.find_version(client, name, str(found.version))

    def try_bundle(self, ref: ModelRef) -> None:
        """Load the version's bundle from the store; BundleError if that fails."""
        with self._client() as client:
            registry.try_bundle(client, ref, check=self._check)

    def download_bundle(self, ref: ModelRef, into: Path) -> Path:
        """Return the folder `into`, holding the version's bundle; whole or not at all.

        A bundle that is there already is replaced; BundleError if `into` holds
        anything else.
        """
        with self._client() as client:
            return registry.fetch_bundle(client, ref, into, check=self._check)

    @contextmanager
    def _client(self) -> Iterator[Any]:
        with told(self.uri):
            yield self._connection.client()

    @contextmanager
    def _running(self, client: Any, record: RunRecord) -> Iterator[str]:
        experiment, parent = self._experiment(client, record.name), None
        if record.campaign is not None:
            parent = campaigns.campaign_run(client, experiment, record.name, record.campaign)
        with runs.running(client, experiment, record, parent=parent) as run_id:
            yield run_id

    def _experiment(self, client: Any, name: str) -> str:
        return runs.experiment_id(client, name, location=self._connection.location(name))


def _identity(record: TrainingRecord) -> dict[str, object]:
    return {
        "data_digest": record.dataset.digest,
        "plan_fingerprint": record.plan_fingerprint,
        "criteria_version": record.criteria_version,
        "criteria_digest": record.criteria_digest,
        "seed": record.seed,
        "version": installed_version(),
    }
