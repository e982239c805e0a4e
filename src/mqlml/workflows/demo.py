"""`mqlml demo`: a simulated company walks the whole loop, each step a plain command."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from mqlml.config import load_settings
from mqlml.demo.company import DemoCompany, simulate
from mqlml.demo.export import Exports
from mqlml.demo.settings import DemoSettings
from mqlml.demo.story import as_of, make_story
from mqlml.errors import DataError, Fault, NotPublishedError
from mqlml.reports.facts import outcome_words
from mqlml.storage.atomic import replace_file
from mqlml.workflows.demo_configs import CONFIG_FILES, demo_config
from mqlml.workflows.given import ScoreResult
from mqlml.workflows.ingest import ingest
from mqlml.workflows.monitor import MonitorResult, monitor
from mqlml.workflows.project import Project, open_project
from mqlml.workflows.registry import list_runs
from mqlml.workflows.retrain import RetrainResult, retrain
from mqlml.workflows.review import ReviewResult, review
from mqlml.workflows.score import score
from mqlml.workflows.train import TrainResult, train

Say = Callable[[str], None]

_CHANGED = "demo_v2.yaml"
_SHOWN = 10
_REASONS_SHOWN = 2


@dataclass(frozen=True)
class DemoResult:
    """What the loop left behind."""

    trained: TrainResult
    before: MonitorResult
    after: MonitorResult
    retrained: RetrainResult
    scored: ScoreResult
    reviewed: ReviewResult
    workspace: Path
    config: Path
    runs: tuple[str, ...]
    program: str = "mqlml"

    @property
    def hottest(self) -> pd.DataFrame:
        """Return the ten leads that sales should call first."""
        rank = {"hand_raiser": 0, "mql": 0}
        order = self.scored.scores["outcome"].map(lambda name: rank.get(name, 1))
        ranked = self.scored.scores.assign(order=order)
        keys = ["order", "probability", "lead_id"]
        return ranked.sort_values(keys, ascending=[True, False, True]).head(_SHOWN)

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        columns = ["lead_id", "grade", "probability", "outcome", "reasons_up"]
        return {
            "first_model": self.trained.version,
            "alarm_before": self.before.alarm,
            "alarm": self.after.alarm,
            "changes": sorted({change.kind for change in self.after.found.changes}),
            "promoted": self.retrained.decision.promote,
            "champion": self.retrained.champion,
            "hottest": self.hottest[columns].to_dict("records"),
            "reports": [str(path) for path in self._reports()],
            "mlflow": str(self.workspace / "mlflow.db"),
            "ui": self._ui(),
        }

    def lines(self) -> Iterator[str]:
        """Yield the end of the demo: the hottest leads, the history, where everything lies."""
        yield ""
        yield "The ten hottest leads today, each with what speaks for it most:"
        yield f"  {'lead':<7}  {'grade':<5}  {'chance':>6}  {'outcome':<11}  reasons"
        for lead in self.hottest.to_dict("records"):
            reasons = "; ".join(str(lead["reasons_up"]).split("; ")[:_REASONS_SHOWN])
            yield (
                f"  {lead['lead_id']}  {lead['grade']:<5}  {lead['probability']:6.1%}  "
                f"{outcome_words(lead['outcome']):<11}  {reasons}"
            )
        yield "  grade: A fits best who usually buys, 1 did most; a hand raiser asked to be called,"
        yield "  so sales gets the lead whatever the grade"
        yield ""
        yield "What happened, as MLflow recorded it:"
        yield from (f"  {line}" for line in self.runs)
        yield ""
        yield "Reports:"
        yield from (f"  {path}" for path in self._reports())
        yield f"MLflow store: {self.workspace / 'mlflow.db'}"
        yield f"Open it with: {self._ui()}"

    def _reports(self) -> list[Path]:
        pages = [self.trained.report, self.after.report, self.retrained.report]
        return [p for p in (*pages, self.scored.report, self.reviewed.report) if p is not None]

    def _ui(self) -> str:
        return f"{self.program} ui --config {self.config} --workspace {self.workspace}"


@dataclass(frozen=True)
class _Stage:
    """The company, the folder it exports to, and how steps are shown."""

    company: DemoCompany
    exports: Exports
    folder: Path
    workspace: Path
    seed: int
    say: Say
    program: str

    def open(self, config: str) -> Project:
        """Return the project of one of the demo's configs."""
        return open_project(
            self.folder / config, data=self.folder / "exports", workspace=self.workspace
        )

    def show(self, command: str, config: str, day: date, *options: str) -> None:
        """Print the plain command that the next step is."""
        shared = f"--config {self.folder / config} --data {self.folder / 'exports'}"
        words = " ".join((command, shared, f"--workspace {self.workspace}", *options))
        when = f" --as-of {day.isoformat()}" if command not in {"ingest", "review"} else ""
        self.say(f"\n$ {self.program} {words}{when}")

    def tell(self, lines: Iterator[str], most: int = 8) -> None:
        """Print what a step answered, at most so many lines."""
        for line in list(lines)[:most]:
            self.say(f"  {line}")

    def quiet(self, text: str) -> None:
        """Take a step's progress; the demo prints answers only."""


def run_demo(
    workspace: Path,
    *,
    leads: int,
    seed: int,
    say: Say,
    program: str = "mqlml",
    config: Path | None = None,
) -> DemoResult:
    """Simulate the company of `leads` leads and walk the loop in `workspace`.

    `program` is how the user starts mqlml, for the commands that are shown.
    `config` stands in for the demo's own; its criteria lie beside the demo's copy.
    Raises ConfigError with the faults of `config`, DataError if the workspace
    holds something else than an earlier demo.
    """
    if config is not None:
        load_settings(config)
    folder = workspace / "demo"
    _refuse_other_work(workspace, folder)
    say(f"A B2B software firm, 18 months, {leads:,} leads, seed {seed}.")
    company = simulate(DemoSettings(n_leads=leads), seed=seed)
    write_demo_configs(folder, config)
    stage = _Stage(company, Exports(company), folder, workspace, seed, say, program)
    story = make_story(company.settings)
    trained = _first_model(stage, story.first_training)
    for day in story.scoring:
        _scored_week(stage, day)
    before = _monitored(stage, "demo.yaml", story.scoring[-1])
    say(f"\nOn {story.icp_change} the firm moves up-market: criteria version 2 is signed.")
    after = _monitored(stage, _CHANGED, story.monitor)
    retrained = _retrained(stage, story.retrain)
    scored = _scored_week(stage, story.retrain, config=_CHANGED)
    reviewed = _reviewed(stage, story.review)
    runs = tuple(list_runs(stage.open(_CHANGED)).lines())
    return DemoResult(
        trained=trained,
        before=before,
        after=after,
        retrained=retrained,
        scored=scored,
        reviewed=reviewed,
        workspace=workspace,
        config=folder / _CHANGED,
        runs=runs,
        program=program,
    )


def _refuse_other_work(workspace: Path, folder: Path) -> None:
    if (workspace / "ledger").exists() and not folder.exists():
        mend = "give the demo a folder of its own with --workspace"
        raise DataError(Fault("the workspace is in use by other work", str(workspace), mend=mend))


def write_demo_configs(folder: Path, config: Path | None = None) -> None:
    """Write the demo's configs into `folder`; `config` stands in for the first of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in CONFIG_FILES:
        replace_file(folder / name, demo_config(name))
    if config is not None:
        replace_file(folder / "demo.yaml", config.read_bytes())
    changed = (folder / "demo.yaml").read_text(encoding="utf-8")
    changed = changed.replace("demo_criteria.yaml", "demo_criteria_v2.yaml")
    replace_file(folder / _CHANGED, changed.encode())


def _export(stage: _Stage, day: date) -> None:
    """Let the company export what it knew on `day`; a second step of a day needs no new files."""
    folder, mark = stage.folder / "exports", stage.folder / "exported"
    text = f"{day.isoformat()} {stage.seed} {stage.company.settings.n_leads}"
    if not mark.exists() or mark.read_text(encoding="utf-8") != text:
        mark.unlink(missing_ok=True)
        stage.exports.write(folder, until=as_of(day))
        replace_file(mark, text.encode())


def _first_model(stage: _Stage, day: date) -> TrainResult:
    _export(stage, day)
    project = stage.open("demo.yaml")
    stage.show("ingest", "demo.yaml", day)
    stage.tell(ingest(project, say=stage.quiet).lines(), most=20)
    stage.show("train", "demo.yaml", day)
    trained = train(project, as_of=as_of(day), seed=stage.seed, say=stage.quiet)
    stage.tell(trained.lines(), most=20)
    if not trained.published:
        mend = "simulate more leads, or choose another --seed"
        raise NotPublishedError(Fault("the first model did not pass its gates", mend=mend))
    return trained


def _scored_week(stage: _Stage, day: date, *, config: str = "demo.yaml") -> ScoreResult:
    _export(stage, day)
    stage.show("score", config, day)
    scored = score(stage.open(config), as_of=as_of(day), say=stage.quiet)
    stage.tell(scored.lines(), most=2)  # how many, and how the ranked list was cut
    return scored


def _monitored(stage: _Stage, config: str, day: date) -> MonitorResult:
    _export(stage, day)
    stage.show("monitor", config, day)
    found = monitor(stage.open(config), as_of=as_of(day), say=stage.quiet)
    stage.tell(found.lines())
    return found


def _retrained(stage: _Stage, day: date) -> RetrainResult:
    _export(stage, day)
    stage.show("retrain", _CHANGED, day, "--reason auto")
    project = stage.open(_CHANGED)
    done = retrain(project, as_of=as_of(day), seed=stage.seed, reason="auto", say=stage.quiet)
    stage.tell(done.lines(), most=20)
    return done


def _reviewed(stage: _Stage, day: date) -> ReviewResult:
    stage.show("review", _CHANGED, day, f"--to {day.isoformat()}")
    done = review(stage.open(_CHANGED), start=None, end=as_of(day), say=stage.quiet)
    stage.tell(done.lines())
    return done
