"""The commands about personas: groups of leads that marketing and sales speak of by name."""

from pathlib import Path
from typing import Annotated

import typer

from mqlml.cli.opening import progress, project_of
from mqlml.cli.options import DEFAULT_WORKSPACE, AsOf, Config, Data, Json, WorkspacePath
from mqlml.cli.output import answer


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    group = typer.Typer(no_args_is_help=True, help="Propose groups of leads to speak of.")
    group.command()(suggest)
    # Without it typer would make the only command the group itself.
    group.callback()(_group)
    app.add_typer(group, name="personas")


def _group() -> None:
    """Propose groups of leads to speak of."""


def suggest(
    config: Config,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="A config to write, with the personas in it.")
    ] = None,
    groups: Annotated[
        int | None, typer.Option("--groups", min=2, max=6, help="So many, at most.")
    ] = None,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_of: AsOf = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing config.")] = False,
    as_json: Json = False,
) -> None:
    """Find groups that are told by what leads are and differ in what they do."""
    from mqlml.workflows.personas import suggest_personas

    project = project_of(config, data, workspace)
    result = suggest_personas(
        project,
        config,
        out,
        as_of=project.instant(as_of),
        say=progress,
        groups=groups,
        replaces=force,
    )
    answer(result.document(), result.lines(), as_json=as_json)
