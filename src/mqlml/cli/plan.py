"""The commands about the plan: which features a model looks at."""

from pathlib import Path
from typing import Annotated

import typer

from mqlml.cli.opening import progress, project_of
from mqlml.cli.options import DEFAULT_WORKSPACE, AsOf, Config, Data, Json, Seed, WorkspacePath
from mqlml.cli.output import answer


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    group = typer.Typer(no_args_is_help=True, help="Propose which features a model looks at.")
    group.command()(suggest)
    # Without it typer would make the only command the group itself.
    group.callback()(_group)
    app.add_typer(group, name="plan")


def _group() -> None:
    """Propose which features a model looks at."""


def suggest(
    config: Config,
    *,
    out: Annotated[Path, typer.Option("--out", help="The config to write, with the plan in it.")],
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_of: AsOf = None,
    seed: Seed = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing config.")] = False,
    as_json: Json = False,
) -> None:
    """Try signals × windows × kinds, keep what helps on forward folds, write a config."""
    from mqlml.workflows.suggest import suggest_plan

    project = project_of(config, data, workspace)
    result = suggest_plan(
        project,
        config,
        out,
        as_of=project.instant(as_of),
        seed=seed,
        say=progress,
        replaces=force,
    )
    answer(result.document(), result.lines(), as_json=as_json)
