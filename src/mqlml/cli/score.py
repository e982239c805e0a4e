"""The command that scores leads."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from mqlml.cli.opening import progress, project_of
from mqlml.cli.options import DEFAULT_WORKSPACE, AsOf, Config, Data, Json, WorkspacePath
from mqlml.cli.output import answer, note
from mqlml.errors import ALARM_EXIT_CODE


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command()(score)


def score(
    config: Config,
    *,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_of: AsOf = None,
    output: Annotated[
        Literal["parquet", "csv"], typer.Option("--format", help="What the score file is.")
    ] = "parquet",
    leads: Annotated[
        Path | None, typer.Option("--leads", help="Score only the lead ids in this file's lines.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="A model version [the champion].")
    ] = None,
    as_json: Json = False,
) -> None:
    """Score open leads: probability, grade, outcome and reasons.

    With --as-of and --model: what that version gave then, given again.
    """
    from mqlml.workflows.score import score as run

    project = project_of(config, data, workspace)
    result = run(
        project,
        as_of=project.instant(as_of),
        file_format=output,
        leads_file=leads,
        version=model,
        say=progress,
    )
    if as_of is None:
        note(f"as of {result.as_of}, the end of the data")
    answer(result.document(), result.lines(), as_json=as_json)
    if result.is_other_than_then:
        if as_json and result.compared is not None:
            note(result.compared.sentence(is_again=True))
        raise typer.Exit(ALARM_EXIT_CODE)
