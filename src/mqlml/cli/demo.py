"""The command that shows the whole loop on a simulated company."""

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from mqlml.cli.options import DEFAULT_WORKSPACE, Json, Seed, WorkspacePath
from mqlml.cli.output import answer, note, say


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command()(demo)


def demo(
    *,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="A changed copy of configs/demo.yaml to walk with."),
    ] = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    leads: Annotated[int, typer.Option("--leads", min=2000, help="How many leads.")] = 12_000,
    seed: Seed = 7,
    export_as: Annotated[
        str | None,
        typer.Option(
            "--export-as", help="Only write the company in these layouts: ga4,hubspot,sendgrid."
        ),
    ] = None,
    robots: Annotated[
        bool,
        typer.Option("--robots", help="With --export-as: plant machines among the mails' readers."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Simulate a company and walk the loop: train, score, verdicts, drift, retrain, review."""
    from mqlml.workflows.demo import run_demo
    from mqlml.workflows.demo_exports import export_demo

    tell = note if as_json else say
    if export_as is not None:
        systems = [name.strip() for name in export_as.split(",") if name.strip()]
        exported = export_demo(workspace, systems, leads=leads, seed=seed, say=tell, robots=robots)
        answer(exported.document(), exported.lines(), as_json=as_json)
        return
    program = _program()
    result = run_demo(workspace, leads=leads, seed=seed, say=tell, program=program, config=config)
    answer(result.document(), result.lines(), as_json=as_json)


def _program() -> str:
    """Return how this mqlml is started from here: by name, or by path where PATH has none."""
    own = Path(sys.executable).with_name("mqlml")
    if shutil.which("mqlml") or not own.exists():
        return "mqlml"
    here = Path.cwd()
    return str(own.relative_to(here) if own.is_relative_to(here) else own)
