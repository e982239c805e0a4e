"""What MLflow could not take when it was to be told, kept in the workspace until it can.

A folder per record, `WORKSPACE/spool/STAMP-KIND-KEY`, appears whole or not at all. The work of a
training or a look is never lost because a server is down or a database is locked.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

from mqlml.errors import MqlmlError, is_away
from mqlml.storage.atomic import replace_folder
from mqlml.storage.stamps import stamp
from mqlml.tracking.records import Campaign, DatasetFacts, LoggedModel, RunRecord, TrainingRecord
from mqlml.workflows.project import Project

if TYPE_CHECKING:
    from mqlml.tracking.store import MlflowStore

FOLDER = "spool"
_RECORD, _ARTIFACTS, _BUNDLE, _EXAMPLE = "record.json", "artifacts", "bundle", "example.parquet"
_KEY_LENGTH = 32


@dataclass(frozen=True)
class Then:
    """What a training's version is to become once MLflow has it.

    `promote`: champion, if `compared` is champion still; otherwise it waits as challenger. `why`
    and `reason` go with a promotion, `payload` into the ledger's entry.
    """

    kind: str
    promote: bool
    compared: str
    reason: str
    why: str
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class KeptBack:
    """One record that waits: where it lies, under which key, and what it holds.

    `logged` is set where MLflow has the training already, and only what is to follow waits.
    """

    folder: Path
    key: str
    run: RunRecord
    training: TrainingRecord | None = None
    publish: bool = False
    then: Then | None = None
    logged: LoggedModel | None = None


class Recorder(Protocol):
    """Takes the record of a training."""

    def log_training(self, record: TrainingRecord, *, publish: bool = True) -> LoggedModel:
        """Return the run and the version ("" if none)."""
        ...


@dataclass(frozen=True)
class Recording:
    """Tells MLflow, or keeps a record back while MLflow is away; the answer then is its key.

    Hold the workspace's lock. Errors other than MLflow's absence are raised as they are.
    """

    project: Project
    store: "MlflowStore"
    then: Then | None = None

    def log_run(self, record: RunRecord) -> str:
        """Return the run's id, or the key under which it waits."""
        try:
            return self.store.log_run(record)
        except MqlmlError as error:
            return self._keep(error, KeptBack(Path(), "", record))

    def log_training(self, record: TrainingRecord, *, publish: bool = True) -> LoggedModel:
        """Return run and version; while MLflow is away the key, and no version."""
        try:
            return self.store.log_training(record, publish=publish)
        except MqlmlError as error:
            kept = KeptBack(Path(), "", record.run, record, publish, self.then)
            return LoggedModel(self._keep(error, kept), record.run.name, "")

    def keep_promotion(self, error: MqlmlError, logged: LoggedModel, *, as_of: int) -> None:
        """Keep back what was to become of a version that MLflow has; `error` if not away."""
        run = RunRecord(logged.name, "promotion", as_of)
        self._keep(error, KeptBack(Path(), "", run, then=self.then, logged=logged))

    def _keep(self, error: MqlmlError, record: KeptBack) -> str:
        if not is_away(error):
            raise error
        key = write_kept_back(self.project, record)
        say = self.project.workspace.say
        say(f"note: {error.faults[0].what}: what was done is kept and told by the next command")
        return key


def unless_away(error: MqlmlError) -> None:
    """Raise the error, unless it only says that MLflow is away."""
    if not is_away(error):
        raise error


def write_kept_back(project: Project, record: KeptBack) -> str:
    """Return the key under which the record now waits; the same record has the same key."""
    run, training = record.run, record.training
    contents = {
        name: content if isinstance(content, bytes) else content.read_bytes()
        for name, content in run.artifacts.items()
    }
    text = json.dumps(_document(record), sort_keys=True, default=str, ensure_ascii=False)
    digest = sha256(text.encode())
    for name in sorted(contents):
        digest.update(name.encode() + contents[name])
    key = digest.hexdigest()[:_KEY_LENGTH]
    name = f"{stamp(run.as_of)}-{run.kind}-{key[:12]}"
    with replace_folder(project.workspace.root / FOLDER / name) as fresh:
        for inner, content in contents.items():
            path = fresh / _ARTIFACTS / inner
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if training is not None:
            shutil.copytree(training.bundle, fresh / _BUNDLE)
            if training.example is not None:
                training.example.to_parquet(fresh / _EXAMPLE)
        (fresh / _RECORD).write_text(json.dumps({"key": key}) + "\n" + text, encoding="utf-8")
    return key


def _document(record: KeptBack) -> dict[str, Any]:
    run = asdict(replace(record.run, artifacts={}))
    document: dict[str, Any] = {"run": run, "publish": record.publish}
    if record.then is not None:
        document["then"] = asdict(record.then)
    if record.logged is not None:
        document["logged"] = asdict(record.logged)
    if record.training is not None:
        plain = replace(record.training, run=replace(record.run, artifacts={}), example=None)
        training = asdict(plain)
        del training["run"], training["bundle"], training["example"]
        document["training"] = training
    return document


def waiting_folders(project: Project) -> list[Path]:
    """Return where whole records wait, oldest first."""
    folder = project.workspace.root / FOLDER
    return sorted(path.parent for path in folder.glob(f"*/{_RECORD}"))


def read_kept_back(folder: Path) -> KeptBack:
    """Return the record that waits in a folder."""
    head, _, text = (folder / _RECORD).read_text(encoding="utf-8").partition("\n")
    document = json.loads(text)
    artifacts = dict(_files(folder / _ARTIFACTS))
    told = document["run"]
    campaign = Campaign(**told["campaign"]) if told["campaign"] else None
    run = RunRecord(**{**told, "artifacts": artifacts, "campaign": campaign})
    then = Then(**document["then"]) if "then" in document else None
    logged = LoggedModel(**document["logged"]) if "logged" in document else None
    training = None
    if "training" in document:
        facts = {**document["training"], "dataset": DatasetFacts(**document["training"]["dataset"])}
        path = folder / _EXAMPLE
        example = pd.read_parquet(path) if path.exists() else None
        training = TrainingRecord(run=run, bundle=folder / _BUNDLE, example=example, **facts)
    return KeptBack(
        folder, json.loads(head)["key"], run, training, document["publish"], then, logged
    )


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def forget_kept_back(folder: Path) -> None:
    """Remove a record that was told; killed halfway, what is left is no record any more."""
    (folder / _RECORD).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
