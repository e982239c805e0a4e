"""The command that looks back: monitor."""

import typer

from mqlml.cli.opening import progress, project_of
from mqlml.cli.options import DEFAULT_WORKSPACE, AsOf, Config, Data, Json, WorkspacePath
from mqlml.cli.output import answer, note
from mqlml.errors import ALARM_EXIT_CODE


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command()(monitor)


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
