"""Commands about the workspace itself: runs, ui, doctor."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from mqlml.cli.opening import project_of
from mqlml.cli.options import DEFAULT_WORKSPACE, Config, Data, Json, WorkspacePath
from mqlml.cli.output import answer, note, print_json, say
from mqlml.errors import BundleError


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(runs)
    app.command()(ui)
    app.command()(doctor)


def runs(
    config: Config,
    *,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_json: Json = False,
) -> None:
    """List what was trained, monitored and reviewed, and what was decided."""
    from mqlml.workflows.registry import list_runs

    result = list_runs(project_of(config, data, workspace))
    if as_json:
        print_json(result.rows())
    else:
        for line in result.lines():
            say(line)


def ui(
    config: Config,
    *,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="Port of the page on this machine.")
    ] = 5000,
    as_json: Json = False,
) -> None:
    """Open the MLflow page of this workspace; --json only prints the command."""
    from mqlml.workflows.registry import ui_command

    opening = ui_command(project_of(config, data, workspace), port)
    if as_json:
        print_json({"command": list(opening.command), "address": opening.address})
        return
    note(f"MLflow's pages: {opening.address}")
    if opening.command:
        # MLflow takes this process's place: who ends the one ends the other, and nothing
        # is left to hold the port. The words of the command are our own.
        sys.stderr.flush()
        os.execve(opening.command[0], opening.command, {**os.environ, **opening.environment})  # noqa: S606


def doctor(
    *,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="The YAML configuration; without it, no store."),
    ] = None,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_json: Json = False,
) -> None:
    """Say what is installed, what is missing, and whether the store is sound."""
    from mqlml.workflows.doctor import examine, examine_without_store

    if config is None:
        result = examine_without_store(workspace)
    else:
        result = examine(project_of(config, data, workspace))
    answer(result.document(), result.lines(), as_json=as_json)
    if not result.is_sound:
        raise typer.Exit(BundleError.exit_code)
