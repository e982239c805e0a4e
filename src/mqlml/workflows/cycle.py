"""`mqlml cycle`: ingest, monitor, retrain if there is a reason, promote if better, score.

What a night needs in one command. Every step leaves an entry in the ledger, so that a cycle
which was killed goes on where it stopped. A step that fails is told and recorded, and keeps
no lead from being scored by the champion there is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from mqlml.config import settings_digest
from mqlml.errors import MqlmlError
from mqlml.monitoring.evidence import Change
from mqlml.storage.ledger import Entry, read_entries, write_entry
from mqlml.workflows.alerting import send_alerts
from mqlml.workflows.ingest import current_tables
from mqlml.workflows.monitor import MonitorResult, monitor
from mqlml.workflows.project import Project, shown_instant
from mqlml.workflows.retrain import RetrainResult, retrain
from mqlml.workflows.score import ScoreWishes, score
from mqlml.workflows.tidy import tidy

Say = Callable[[str], None]

KIND = "cycle"
_KEY_LENGTH = 16


@dataclass(frozen=True)
class Step:
    """What became of one step: in words, whether it was done by an earlier run, or failed."""

    name: str
    outcome: str
    is_earlier: bool = False
    error: MqlmlError | None = None


@dataclass(frozen=True)
class CycleResult:
    """Every step of a cycle in order, and whether something needs a person."""

    steps: tuple[Step, ...]
    as_of: str
    alarm: bool
    waits: bool

    @property
    def error(self) -> MqlmlError | None:
        """Return the first failure, or None."""
        return next((step.error for step in self.steps if step.error is not None), None)

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        return {
            "as_of": self.as_of,
            "alarm": self.alarm,
            "waits_for_approval": self.waits,
            "steps": [
                {
                    "step": step.name,
                    "outcome": step.outcome,
                    "earlier": step.is_earlier,
                    "failed": step.error is not None,
                }
                for step in self.steps
            ],
        }

    def lines(self) -> Iterator[str]:
        """Yield the answer for people, a line per step."""
        for step in self.steps:
            before = " (done before)" if step.is_earlier else ""
            yield f"{step.name:<8} {step.outcome}{before}"


@dataclass(frozen=True)
class CycleWishes:
    """How a cycle is to run: as of when (None: the data's end), by which seed, and so on."""

    as_of: int | None = None
    seed: int = 0
    require_approval: bool = False
    shadow: bool = True
    allow_unsigned: bool = False


def cycle(project: Project, wishes: CycleWishes, *, say: Say) -> CycleResult:
    """Run every step that was not run yet for these data, settings and moment.

    Raises DataError or ConfigError if the tables cannot be read; what fails later is told in
    the result.
    """
    say("reading the sources")
    tables = current_tables(project, say=say, as_of=wishes.as_of)
    moment = tables.data_end if wishes.as_of is None else wishes.as_of
    night = _Night(project, replace(wishes, as_of=moment), moment, tables.digest, say)
    steps = [
        night.step("ingest", lambda: f"data end {shown_instant(tables.data_end)}"),
        night.step("monitor", night.monitor),
        night.step("retrain", night.retrain),
        night.step("score", night.score),
        night.step("tidy", night.tidy),
    ]
    if steps[1].is_earlier:
        # The look was done before, but what it had to tell may have met a server that was down.
        for line in send_alerts(project).lines():
            project.workspace.say(line)
    return CycleResult(tuple(steps), shown_instant(moment), night.alarm, night.waits)


class _Night:
    """One cycle at work: what its steps share, and which of them an earlier run has done."""

    def __init__(
        self, project: Project, wishes: CycleWishes, moment: int, data: str, say: Say
    ) -> None:
        self.project, self.wishes, self.moment, self.say = project, wishes, moment, say
        text = f"{moment} {data} {settings_digest(project.settings)} {wishes}"
        self.key = sha256(text.encode()).hexdigest()[:_KEY_LENGTH]
        entries = read_entries(project.workspace.ledger, kind=KIND)
        self.done = {str(e.payload["step"]): e for e in entries if e.payload["key"] == self.key}
        self.changes: tuple[Change, ...] | None = None
        self.alarm = self.waits = False

    def step(self, name: str, run: Callable[[], str]) -> Step:
        """Return what became of a step; one that an earlier run finished is not run again."""
        earlier = self.done.get(name)
        if earlier is not None and not earlier.payload["failed"]:
            self.alarm |= bool(earlier.payload["alarm"])
            self.waits |= bool(earlier.payload["waits"])
            return Step(name, str(earlier.payload["outcome"]), is_earlier=True)
        try:
            step = Step(name, run())
        except MqlmlError as error:
            step = Step(name, f"failed: {error.faults[0].what}", error=error)
        self._tell(step)
        return step

    def _tell(self, step: Step) -> None:
        payload = {
            "key": self.key,
            "step": step.name,
            "outcome": step.outcome,
            "failed": step.error is not None,
            "alarm": self.alarm,
            "waits": self.waits,
        }
        with self.project.workspace.lock(KIND):
            write_entry(self.project.workspace.ledger, Entry(KIND, self.moment, payload))

    def monitor(self) -> str:
        """Look for changes."""
        found: MonitorResult = monitor(self.project, as_of=self.moment, say=self.say)
        self.changes, self.alarm = found.found.changes, found.alarm
        words = next(iter(found.lines()))
        for line in found.alerting.lines():
            self.project.workspace.say(line)
        return f"{words} {found.comeback}".strip()

    def retrain(self) -> str:
        """Learn again if there is a reason, and promote what is better."""
        done: RetrainResult = retrain(
            self.project,
            as_of=self.moment,
            seed=self.wishes.seed,
            reason="auto",
            say=self.say,
            require_approval=self.wishes.require_approval,
            changes=self.changes,
        )
        self.waits = done.decision.asks
        if not done.is_retrained:
            return done.decision.why
        return f"{done.request.reason}: {done.decision.why}; champion: version {done.champion}"

    def score(self) -> str:
        """Score open leads by the champion there is now."""
        scored = score(
            self.project,
            as_of=self.moment,
            say=self.say,
            wishes=ScoreWishes(
                allow_unsigned=self.wishes.allow_unsigned, shadow=self.wishes.shadow
            ),
        )
        return next(iter(scored.lines()))

    def tidy(self) -> str:
        """Sweep out what nobody needs any more."""
        return next(iter(tidy(self.project, as_of=self.moment).lines()))
