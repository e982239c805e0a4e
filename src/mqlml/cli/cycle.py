"""Commands for every night: cycle and tidy."""

from typing import Annotated

import typer

from mqlml.cli.opening import progress, project_of
from mqlml.cli.options import (
    DEFAULT_WORKSPACE,
    AsOf,
    Config,
    Data,
    Json,
    RequireApproval,
    Seed,
    WorkspacePath,
)
from mqlml.cli.output import answer, note, show_error
from mqlml.errors import ALARM_EXIT_CODE


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(cycle)
    app.command()(tidy)


def cycle(
    config: Config,
    *,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_of: AsOf = None,
    seed: Seed = 0,
    require_approval: RequireApproval = False,
    shadow: Annotated[
        bool,
        typer.Option("--shadow/--no-shadow", help="Let a challenger that waits score beside."),
    ] = True,
    allow_unsigned: Annotated[
        bool,
        typer.Option(
            "--allow-unsigned", help="Score by criteria that were edited after signing; recorded."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Ingest, monitor, retrain if there is a reason, promote if better, score: one night's work.

    Killed or failed, run it again: what was done is not done twice. Exit 10 when something
    changed that needs an act.
    """
    from mqlml.workflows.cycle import CycleWishes
    from mqlml.workflows.cycle import cycle as run

    project = project_of(config, data, workspace)
    wishes = CycleWishes(project.instant(as_of), seed, require_approval, shadow, allow_unsigned)
    result = run(project, wishes, say=progress)
    if as_of is None:
        note(f"as of {result.as_of}, the end of the data")
    answer(result.document(), result.lines(), as_json=as_json)
    if result.error is not None:
        show_error(result.error, as_json=False)
        raise typer.Exit(result.error.exit_code)
    if result.alarm:
        raise typer.Exit(ALARM_EXIT_CODE)


def tidy(
    config: Config,
    *,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Sweep out old pages, shadow scores and unpacked bundles; records are kept for good."""
    from mqlml.storage.snapshot import read_tables
    from mqlml.workflows.tidy import tidy as run

    project = project_of(config, data, workspace)
    given = project.instant(as_of)
    moment = read_tables(project.workspace.root).data_end if given is None else given
    result = run(project, as_of=moment)
    answer(result.document(), result.lines(), as_json=as_json)
