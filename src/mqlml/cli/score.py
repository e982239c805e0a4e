"""Commands about scores: score, why."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from mqlml.cli.opening import progress, project_of
from mqlml.cli.options import DEFAULT_WORKSPACE, AsOf, Config, Data, Json, Memory, WorkspacePath
from mqlml.cli.output import answer, note
from mqlml.cli.progress import means
from mqlml.errors import ALARM_EXIT_CODE


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(score)
    app.command()(why)


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
        Path | None,
        typer.Option(
            "--leads", help="Score only the lead ids in this file's lines, into files of their own."
        ),
    ] = None,
    model: Annotated[
        int | None,
        typer.Option("--model", min=1, help="A model version; default: the champion."),
    ] = None,
    reasons_from: Annotated[
        Literal["cold", "warm", "mql"] | None,
        typer.Option(
            "--reasons-from", help="Explain leads from this band on; default: the config."
        ),
    ] = None,
    allow_unsigned: Annotated[
        bool,
        typer.Option(
            "--allow-unsigned", help="Score by criteria that were edited after signing; recorded."
        ),
    ] = False,
    shadow: Annotated[
        bool,
        typer.Option("--shadow", help="Let a challenger that waits score beside, apart."),
    ] = False,
    memory: Memory = "2GB",
    as_json: Json = False,
) -> None:
    """Score open leads: probability, grade, outcome and reasons.

    With --as-of and --model: what that version gave then, given again.
    """
    from mqlml.criteria.agreement import agreement_remarks
    from mqlml.workflows.score import ScoreWishes
    from mqlml.workflows.score import score as run

    project = project_of(config, data, workspace)
    wishes = ScoreWishes(
        file_format=output,
        leads_file=leads,
        version=None if model is None else str(model),
        reasons_from=reasons_from,
        allow_unsigned=allow_unsigned,
        shadow=shadow,
    )
    with means(memory, "events") as given:
        moment = project.instant(as_of)
        result = run(project, as_of=moment, say=progress, wishes=wishes, means=given)
    if as_of is None:
        note(f"as of {result.as_of}, the end of the data")
    for remark in agreement_remarks(result.criteria):
        note(remark)
    answer(result.document(), result.lines(), as_json=as_json)
    if result.is_other_than_then:
        if as_json and result.compared is not None:
            note(result.compared.sentence(is_again=True))
        raise typer.Exit(ALARM_EXIT_CODE)


def why(
    lead: Annotated[str, typer.Argument(help="The lead_id.")],
    config: Config,
    *,
    start: Annotated[str, typer.Option("--from", help="The earlier moment, ISO 8601.")],
    end: Annotated[str, typer.Option("--to", help="The later moment, ISO 8601.")],
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_json: Json = False,
) -> None:
    """Say why a lead's score moved between two days, in parts that add up."""
    from mqlml.workflows.why import why as run

    project = project_of(config, data, workspace)
    moments = [
        project.instant(text, option=option) for text, option in ((start, "--from"), (end, "--to"))
    ]
    move = run(project, lead, start=moments[0] or 0, end=moments[1] or 0, say=progress)
    answer(move.document(), move.lines(), as_json=as_json)
