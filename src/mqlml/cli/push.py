"""The command that writes scores back to other systems."""

from typing import Annotated

import typer

from mqlml.cli.opening import project_of
from mqlml.cli.options import DEFAULT_WORKSPACE, Config, Data, Json, WorkspacePath
from mqlml.cli.output import answer, print_json, say
from mqlml.errors import ALARM_EXIT_CODE


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(push)


def push(
    name: Annotated[str, typer.Argument(help="The delivery's name in the config.")],
    config: Config,
    *,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    fields: Annotated[
        bool, typer.Option("--fields", help="Only list the fields that the system must have.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Send what changed in the latest scores to a CRM or webhook; exit 10 if it refuses leads."""
    from mqlml.workflows.push import delivery_of, push_scores, wanted_fields

    project = project_of(config, data, workspace)
    if fields:
        wanted = wanted_fields(delivery_of(project, name))
        if as_json:
            print_json(wanted)
        else:
            for one in wanted:
                say(f"{one['field']:32} {one['type']:8} {one['label']}: {one['says']}")
        return
    result = push_scores(project, name)
    answer(result.document(), result.lines(), as_json=as_json)
    if result.pushed.refused:
        raise typer.Exit(ALARM_EXIT_CODE)
