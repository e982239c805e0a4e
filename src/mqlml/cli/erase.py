"""The command that takes people out of a workspace."""

import secrets
from pathlib import Path
from typing import Annotated

import typer

from mqlml.cli.opening import project_of
from mqlml.cli.options import DEFAULT_WORKSPACE, Config, Data, Json, WorkspacePath
from mqlml.cli.output import answer
from mqlml.errors import DataError, Fault, UsageError


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command()(erase)


def erase(
    config: Config,
    *,
    lead: Annotated[
        list[str] | None,
        typer.Option("--lead", help="An id of the person; may be given several times."),
    ] = None,
    leads: Annotated[
        Path | None, typer.Option("--leads", help="A file with one id per line.")
    ] = None,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_json: Json = False,
) -> None:
    """Erase people from tables, quarantine, scores, reports and models' records, for good."""
    from mqlml.workflows.erase import erase as run

    asked = {*(lead or []), *(_lines(leads) if leads else [])}
    if not asked:
        raise UsageError(
            Fault("nobody named", "mqlml erase", mend="give --lead ID or --leads FILE")
        )
    result = run(project_of(config, data, workspace), sorted(asked), salt=secrets.token_hex(16))
    answer(result.document(), result.lines(), as_json=as_json)


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise DataError(Fault("no such file", str(path), mend="write one id per line"))
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return [line.strip() for line in lines if line.strip()]
