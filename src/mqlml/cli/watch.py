"""Commands that look back: monitor and review."""

from typing import Annotated

import typer

from mqlml.cli.opening import progress, project_of
from mqlml.cli.options import DEFAULT_WORKSPACE, AsOf, Config, Data, Json, WorkspacePath
from mqlml.cli.output import answer, note
from mqlml.errors import ALARM_EXIT_CODE


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(monitor)
    app.command()(review)


def monitor(
    config: Config,
    *,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Say what changed since the champion was trained; exit 10 once for each change to act on."""
    from mqlml.workflows.monitor import monitor as run

    project = project_of(config, data, workspace)
    result = run(project, as_of=project.instant(as_of), say=progress)
    if as_of is None:
        note(f"as of {result.as_of}, the end of the data")
    answer(result.document(), result.lines(), as_json=as_json)
    if result.news:
        raise typer.Exit(ALARM_EXIT_CODE)


def review(
    config: Config,
    *,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    start: Annotated[
        str | None, typer.Option("--from", help="First moment of the verdicts; default: all.")
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", help="Verdicts before this moment; default: the end of the data."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Hold what the model finds important against what sales says of the leads."""
    from mqlml.workflows.review import review as run

    project = project_of(config, data, workspace)
    start_at, end_at = project.instant(start, "--from"), project.instant(end, "--to")
    result = run(project, start=start_at, end=end_at, say=progress)
    answer(result.document(), result.lines(), as_json=as_json)
