"""Commands that make models: train, retrain, export."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mqlml.cli.opening import progress, project_of
from mqlml.cli.options import (
    DEFAULT_WORKSPACE,
    AsOf,
    Config,
    Data,
    Json,
    Memory,
    RequireApproval,
    Seed,
    WorkspacePath,
)
from mqlml.cli.output import answer, note
from mqlml.cli.progress import means
from mqlml.errors import NotPublishedError

Candidates = Annotated[
    int | None,
    typer.Option(
        "--candidates", min=0, max=400,
        help="How many settings beyond the usual ones each learner tries.",
    ),
]  # fmt: skip
Budget = Annotated[
    float | None,
    typer.Option(
        "--budget", min=1,
        help="Seconds after which no more settings are tried; the run tells how many were.",
    ),
]  # fmt: skip


class Reason(StrEnum):
    """Why a model is trained again."""

    AUTO = "auto"
    SCHEDULE = "schedule"
    DRIFT = "drift"
    CRITERIA = "criteria"
    DATA = "data"
    REVIEW = "review"
    MANUAL = "manual"


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(train)
    app.command()(retrain)
    app.command()(export)


def train(
    config: Config,
    *,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_of: AsOf = None,
    seed: Seed = 0,
    memory: Memory = "2GB",
    candidates: Candidates = None,
    budget: Budget = None,
    as_json: Json = False,
) -> None:
    """Train, judge on what came later, and publish the winner as champion."""
    from mqlml.workflows.train import searching
    from mqlml.workflows.train import train as run

    project = searching(
        project_of(config, data, workspace), candidates, is_timed=budget is not None
    )
    with means(memory, "events", seconds=budget) as given:
        result = run(project, as_of=project.instant(as_of), seed=seed, say=progress, means=given)
    if as_of is None:
        note(f"as of {result.as_of}, the end of the data")
    answer(result.document(), result.lines(), as_json=as_json)
    if not result.published and not result.waits:
        raise typer.Exit(NotPublishedError.exit_code)


def retrain(
    config: Config,
    *,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_of: AsOf = None,
    seed: Seed = 0,
    reason: Annotated[Reason, typer.Option("--reason", help="Why; recorded.")] = Reason.AUTO,
    require_approval: RequireApproval = False,
    as_json: Json = False,
) -> None:
    """Train a challenger for a reason; it becomes champion only if it is better."""
    from mqlml.workflows.retrain import retrain as run

    project = project_of(config, data, workspace)
    result = run(
        project,
        as_of=project.instant(as_of),
        seed=seed,
        reason=reason.value,
        say=progress,
        require_approval=require_approval,
    )
    if as_of is None:
        note(f"as of {result.as_of}, the end of the data")
    answer(result.document(), result.lines(), as_json=as_json)


def export(
    config: Config,
    *,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The folder to write; default: models/NAME-vVERSION."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the champion's bundle, text and JSON only, to a folder."""
    from mqlml.workflows.registry import export_champion

    folder = export_champion(project_of(config, data, workspace), out)
    answer({"path": str(folder)}, [f"wrote {folder}"], as_json=as_json)
