"""Commands about the criteria: diff, sign."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mqlml.cli.options import Json
from mqlml.cli.output import answer

_HELP = "Change the criteria together: compare, preview, sign, look back."

group = typer.Typer(help=_HELP, no_args_is_help=False)


class Team(StrEnum):
    """Who signs."""

    MARKETING = "marketing"
    SALES = "sales"


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    group.command()(diff)
    group.command()(sign)
    app.add_typer(group, name="criteria")


def diff(
    old: Annotated[Path, typer.Argument(help="The criteria file as it was.")],
    new: Annotated[Path, typer.Argument(help="The criteria file as it shall be.")],
    *,
    as_json: Json = False,
) -> None:
    """Say in words what changed from one criteria file to another."""
    from mqlml.workflows.criteria import compare

    result = compare(old, new)
    answer(result.document(), result.lines(), as_json=as_json)


def sign(
    file: Annotated[Path, typer.Argument(help="The criteria file.")],
    *,
    team: Annotated[Team, typer.Option("--team", help="For which team.")],
    who: Annotated[str, typer.Option("--who", help="The name of who signs.")],
    on: Annotated[str, typer.Option("--date", help="The day of signing, such as 2026-03-31.")],
    role: Annotated[str, typer.Option("--role", help="What they are in the firm.")] = "",
    as_json: Json = False,
) -> None:
    """Sign what a criteria file says now; any later edit makes it unsigned."""
    from mqlml.criteria.settings import SignOff
    from mqlml.workflows.criteria import sign as run

    result = run(file, SignOff(team=team.value, who=who, role=role, on=on))
    answer(result.document(), result.lines(), as_json=as_json)
