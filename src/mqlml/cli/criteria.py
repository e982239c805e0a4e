"""Commands about the criteria: diff, preview, sign, history."""

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
    Seed,
    SharedConfig,
    WorkspacePath,
)
from mqlml.cli.output import answer, note

_HELP = "Change the criteria together: compare, preview, sign, look back."

group = typer.Typer(help=_HELP, no_args_is_help=False)


class Team(StrEnum):
    """Who signs."""

    MARKETING = "marketing"
    SALES = "sales"


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    group.command()(diff)
    group.command()(preview)
    group.command()(sign)
    group.command()(history)
    app.add_typer(group, name="criteria")


def diff(
    old: Annotated[Path, typer.Argument(help="The criteria file as it was.")],
    new: Annotated[Path, typer.Argument(help="The criteria file as it shall be.")],
    *,
    config: SharedConfig = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_json: Json = False,
) -> None:
    """Say in words what changed from one criteria file to another."""
    del config, workspace  # every command takes them; two files need neither
    from mqlml.workflows.criteria import compare

    result = compare(old, new)
    answer(result.document(), result.lines(), as_json=as_json)


def preview(
    new: Annotated[Path, typer.Argument(help="The criteria file as it shall be.")],
    config: Config,
    *,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_of: AsOf = None,
    weeks: Annotated[
        int, typer.Option("--weeks", min=1, max=520, help="How many past weeks to replay.")
    ] = 26,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Replay other criteria on past leads whose outcome is known, and on today's."""
    from mqlml.workflows.preview import preview_criteria

    project = project_of(config, data, workspace)
    moment = project.instant(as_of)
    result = preview_criteria(project, new, as_of=moment, weeks=weeks, seed=seed, say=progress)
    if as_of is None:
        note(f"as of {result.as_of}, the end of the data")
    answer(result.document(), result.lines(), as_json=as_json)


def history(
    config: Config,
    *,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_of: AsOf = None,
    under: Annotated[
        int | None, typer.Option("--under", min=1, help="Only this version; default: each.")
    ] = None,
    weeks: Annotated[
        int, typer.Option("--weeks", min=1, max=52, help="How many weeks make a period.")
    ] = 4,
    as_json: Json = False,
) -> None:
    """List the versions, and tell the past again under each, so that a trend compares."""
    from mqlml.workflows.criteria_history import criteria_history

    project = project_of(config, data, workspace)
    moment = project.instant(as_of)
    result = criteria_history(project, as_of=moment, under=under, weeks=weeks, say=progress)
    if as_of is None:
        note(f"as of {result.as_of}, the end of the data")
    answer(result.document(), result.lines(), as_json=as_json)


def sign(
    file: Annotated[Path, typer.Argument(help="The criteria file.")],
    *,
    team: Annotated[Team, typer.Option("--team", help="For which team.")],
    who: Annotated[str, typer.Option("--who", help="The name of who signs.")],
    on: Annotated[str, typer.Option("--date", help="The day of signing, such as 2026-03-31.")],
    role: Annotated[str, typer.Option("--role", help="What they are in the firm.")] = "",
    config: SharedConfig = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_json: Json = False,
) -> None:
    """Sign what a criteria file says now; any later edit makes it unsigned."""
    del config, workspace  # every command takes them; a file needs neither
    from mqlml.criteria.settings import SignOff
    from mqlml.workflows.criteria import sign as run

    result = run(file, SignOff(team=team.value, who=who, role=role, on=on))
    answer(result.document(), result.lines(), as_json=as_json)
