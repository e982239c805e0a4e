"""The folder that everything of one project lives in, and where each thing lies in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mqlml.errors import DataError, Fault
from mqlml.storage.atomic import sweep
from mqlml.storage.locks import WAIT_S, Say, hold, keep_silent
from mqlml.storage.scores import superseded_scores

# A workspace holds people's data: whatever repository it lies in, it stays out of it.
_GITIGNORE = "*\n"


@dataclass(frozen=True)
class Workspace:
    """Paths inside one workspace; nothing is created before `create` is called.

    `say` is told, once per lock, that it is waited for and who holds it. `command` is what
    was typed; who finds the workspace in use is told it.
    """

    root: Path
    say: Say = field(default=keep_silent, compare=False, repr=False)
    command: str = field(default="", compare=False)

    @property
    def tables(self) -> Path:
        """Return the folder of the current snapshot of the tables."""
        return self.root / "tables"

    @property
    def quarantine(self) -> Path:
        """Return the folder of rows that broke a contract."""
        return self.root / "quarantine"

    @property
    def scores(self) -> Path:
        """Return the folder of score files."""
        return self.root / "scores"

    @property
    def reports(self) -> Path:
        """Return the folder of HTML pages."""
        return self.root / "reports"

    @property
    def ledger(self) -> Path:
        """Return the folder of ledger entries."""
        return self.root / "ledger"

    @property
    def bundles(self) -> Path:
        """Return the folder of unpacked bundles."""
        return self.root / "bundles"

    @property
    def database(self) -> Path:
        """Return MLflow's SQLite file."""
        return self.root / "mlflow.db"

    @property
    def artifacts(self) -> Path:
        """Return MLflow's artefact folder."""
        return self.root / "mlartifacts"

    @property
    def verdicts(self) -> Path:
        """Return the SQLite file of the page on which sales judges leads."""
        return self.root / "review.db"

    @property
    def lock_file(self) -> Path:
        """Return the file that says who is at work."""
        return self.root / "lock"

    @property
    def folders(self) -> tuple[Path, ...]:
        """Return the folders that `create` makes; `tables` comes with the first snapshot."""
        return (
            self.quarantine,
            self.scores,
            superseded_scores(self.scores),
            self.reports,
            self.ledger,
            self.bundles,
        )

    def create(self) -> "Workspace":
        """Return this workspace with its folders made; folders that exist are left alone.

        Raises:
            DataError: The folder cannot be made or written to.
        """
        try:
            for folder in (self.root, *self.folders):
                folder.mkdir(parents=True, exist_ok=True)
            ignore = self.root / ".gitignore"
            if not ignore.exists():
                ignore.write_text(_GITIGNORE, encoding="utf-8")
        except OSError as error:
            raise DataError(
                Fault(
                    "the workspace cannot be made",
                    where=str(self.root),
                    found=error.strerror or str(error),
                    mend="choose a folder that you may write to with --workspace",
                )
            ) from error
        return self

    @contextmanager
    def lock(self, purpose: str, *, wait_s: float = WAIT_S) -> Iterator[None]:
        """Be the only job in this workspace inside the block; `purpose` tells others which.

        What killed jobs left behind is swept away first.

        Raises:
            DataError: Another job is still at work after `wait_s`; it says which.
        """
        self.create()
        holding = hold(self.lock_file, purpose, command=self.command, wait_s=wait_s, say=self.say)
        with holding:
            for folder in (self.root, *self.folders):
                sweep(folder)
            yield
