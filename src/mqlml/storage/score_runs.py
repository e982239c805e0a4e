"""What was given when: every scoring run as the ledger has it, and where its scores lie.

Runs are numbered as they came. A run remembers the latest number it saw (`after`), so
that it can be repeated on exactly the scores that it compared itself with, whatever
was scored since.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mqlml.errors import DataError, Fault
from mqlml.storage.ledger import Entry, read_entries, write_entry
from mqlml.storage.scores import ScoreFile, scores_digest
from mqlml.storage.stamps import stamp
from mqlml.timeline import is_known, is_seen

KIND = "score"


@dataclass(frozen=True)
class ScoreRun:
    """One scoring run of model `name`.

    `data` tells the digest and the rows of what was seen, `terms` the criteria, the
    threshold and everything else that the settings then said; `scores` is the SHA-256
    of the score file. `part` is empty, or names the leads that were asked for. `listed`
    tells how a ranked list was cut.
    """

    number: int
    after: int
    name: str
    as_of: int
    version: str
    criteria_version: str
    criteria_digest: str
    mql_probability: float
    terms: Mapping[str, Any]
    data: Mapping[str, Any]
    rows: int
    scores: str
    part: str = ""
    is_order_time: bool = False
    listed: Mapping[str, Any] | None = None

    def is_again(self, other: "ScoreRun") -> bool:
        """Return whether both gave the same scores from the same data by the same terms."""
        return replace(self, number=0, after=0) == replace(other, number=0, after=0)

    def file(self, folder: Path) -> Path:
        """Return where the scores of this run lie below the folder of scores."""
        return ScoreFile(folder, self.name, self.as_of, self.part).kept(self.scores)

    @property
    def entry(self) -> Entry:
        """Return the run as the ledger keeps it."""
        values = asdict(self)
        if self.listed is None:
            del values["listed"]
        return Entry(KIND, int(values.pop("as_of")), values)


def score_runs(ledger: Path, name: str) -> tuple[ScoreRun, ...]:
    """Return the scoring runs of model `name` in the order in which they came.

    Raises DataError naming every entry of the ledger that cannot be read.
    """
    return tuple(run for run in all_runs(ledger) if run.name == name)


def all_runs(ledger: Path) -> tuple[ScoreRun, ...]:
    """Return the scoring runs of all models in the order in which they came."""
    runs = [_run(entry) for entry in read_entries(ledger, kind=KIND)]
    return tuple(sorted((r for r in runs if r is not None), key=lambda run: (run.number, run.name)))


def keep_run(ledger: Path, run: ScoreRun) -> ScoreRun:
    """Return the run as it now stands in the ledger: a repeated one is the one of then.

    Call it while holding the workspace's lock.
    """
    before = all_runs(ledger)
    of_moment = _of_moment(before, run)
    if of_moment and of_moment[-1].is_again(run):
        return of_moment[-1]
    numbered = replace(run, number=1 + latest_number(before))
    write_entry(ledger, numbered.entry)
    return numbered


def latest_number(runs: Sequence[ScoreRun]) -> int:
    """Return the number of the latest run, 0 before the first."""
    return max((run.number for run in runs), default=0)


def previous_files(
    folder: Path, runs: Sequence[ScoreRun], *, before: int, after: int
) -> tuple[Path, ...]:
    """Return the files that a run at `before` compares with, oldest first.

    Of the runs up to number `after`, those over all leads at an earlier moment; of
    several at one moment the latest.
    """
    latest = {
        run.as_of: run
        for run in runs
        if run.number <= after and not run.part and is_seen(run.as_of, before)
    }
    return tuple(latest[as_of].file(folder) for as_of in sorted(latest))


def restore_scores(ledger: Path, folder: Path, run: ScoreRun, data: bytes) -> None:
    """Put the scores of a kept run back in their place if they are missing or were altered.

    Call it while holding the workspace's lock; `data` are the scores as they were given.
    """
    if _digest_of(run.file(folder)) != run.scores:
        file = ScoreFile(folder, run.name, run.as_of, run.part)
        file.restore(data, is_latest=is_latest_run(ledger, run))


def is_latest_run(ledger: Path, run: ScoreRun) -> bool:
    """Return whether no later run of the same model scored the same leads at its moment."""
    return _of_moment(all_runs(ledger), run)[-1:] in ([], [run])


def _of_moment(runs: Sequence[ScoreRun], run: ScoreRun) -> list[ScoreRun]:
    return [r for r in runs if (r.name, r.as_of, r.part) == (run.name, run.as_of, run.part)]


def run_at(runs: Sequence[ScoreRun], as_of: int, *, is_exact: bool) -> ScoreRun | None:
    """Return the latest run over all leads at `as_of`; or, unless exact, the last before it."""
    known = [r for r in runs if not r.part and is_known(r.as_of, as_of)]
    if is_exact:
        known = [r for r in known if r.as_of == as_of]
    return max(known, key=lambda run: (run.as_of, run.number), default=None)


def run_faults(ledger: Path, folder: Path) -> list[Fault]:
    """Return what is wrong between the ledger and the score files: each is read and compared."""
    runs = all_runs(ledger)
    faults = [fault for run in runs if (fault := _run_fault(run, run.file(folder)))]
    broken, given = {fault.where for fault in faults}, {run.scores for run in runs}
    for path in sorted(folder.glob("*.parquet")):
        if str(path) not in broken and _digest_of(path) not in given:
            what, mend = "stands in no ledger entry", "run the killed 'mqlml score' again"
            faults.append(Fault(f"the score file {what}", str(path), mend=mend))
    return faults


def _run_fault(run: ScoreRun, path: Path) -> Fault | None:
    found = _digest_of(path)
    if found == run.scores:
        return None
    problem = "was altered, or only half replaced" if found else "is missing"
    words = f"mqlml score --as-of {stamp(run.as_of)} --model {run.version}"
    mend = f"run '{words}' again" + (" with the same --leads" if run.part else "")
    return Fault(f"the score file of run {run.number} {problem}", str(path), mend=mend)


def _digest_of(path: Path) -> str:
    try:
        return scores_digest(path.read_bytes())
    except OSError:
        return ""


def _run(entry: Entry) -> ScoreRun | None:
    if "number" not in entry.payload:
        return None  # kept by a version that did not number its runs
    try:
        return ScoreRun(**{**entry.payload, "as_of": entry.as_of})
    except TypeError as error:
        mend = "update mqlml: a newer version wrote this workspace's ledger"
        raise DataError(
            Fault("a scoring run cannot be understood", KIND, str(error), mend)
        ) from None
