"""Commands about who is champion: promote, decline, rollback."""

from typing import Annotated

import typer

from mqlml.cli.opening import project_of
from mqlml.cli.options import DEFAULT_WORKSPACE, AsOf, Config, Data, Json, WorkspacePath
from mqlml.cli.output import answer

By = Annotated[str, typer.Option("--by", help="Who decides; recorded.")]
Why = Annotated[str, typer.Option("--reason", help="Why, in words; recorded.")]


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(promote)
    app.command()(decline)
    app.command()(rollback)


def promote(
    config: Config,
    *,
    by: By,
    reason: Why,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_of: AsOf = None,
    model: Annotated[
        int | None,
        typer.Option("--model", min=1, help="A model version; default: the challenger that waits."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make the challenger that waits, or a named version, champion."""
    from mqlml.workflows.appointing import Word
    from mqlml.workflows.appointing import promote as run

    project = project_of(config, data, workspace)
    version = None if model is None else str(model)
    word = Word(by, reason, project.instant(as_of))
    result = run(project, word, version=version)
    answer(result.document(), result.lines(), as_json=as_json)


def decline(
    config: Config,
    *,
    by: By,
    reason: Why,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Send the challenger that waits away; the champion stays."""
    from mqlml.workflows.appointing import Word
    from mqlml.workflows.appointing import decline as run

    project = project_of(config, data, workspace)
    result = run(project, Word(by, reason, project.instant(as_of)))
    answer(result.document(), result.lines(), as_json=as_json)


def rollback(
    config: Config,
    *,
    reason: Why,
    by: By = "a person",
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Make the previous champion champion again."""
    from mqlml.workflows.appointing import Word
    from mqlml.workflows.appointing import rollback as run

    project = project_of(config, data, workspace)
    result = run(project, Word(by, reason, project.instant(as_of)))
    answer(result.document(), result.lines(), as_json=as_json)
