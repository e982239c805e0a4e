"""Commands that come before a model: init, ingest, features."""

from pathlib import Path
from typing import Annotated

import typer

from mqlml.cli.opening import progress, project_of
from mqlml.cli.options import DEFAULT_WORKSPACE, AsOf, Config, Data, Json, Memory, WorkspacePath
from mqlml.cli.output import answer, note
from mqlml.cli.progress import means
from mqlml.errors import Fault, UsageError


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(init)
    app.command()(ingest)
    app.command()(features)


def init(
    files: Annotated[list[Path], typer.Argument(help="One table, several files, or a folder.")],
    *,
    config: Annotated[
        Path, typer.Option("--out", "--config", "-c", help="The config to write.")
    ] = Path("mqlml.yaml"),
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    target: Annotated[
        str | None, typer.Option("--target", help="The outcome column, or the stage to predict.")
    ] = None,
    order: Annotated[
        str | None,
        typer.Option("--order", help="Column that stands for time, or 'file' for row order."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing config.")] = False,
    as_json: Json = False,
) -> None:
    """Look at files and write a commented config with every guess marked."""
    from mqlml.workflows.init import write_config

    proposal = write_config(files, config, target=target, order=order, data=data, replace=force)
    document = {"config": str(config), "guesses": list(proposal.guesses)}
    command = f"mqlml train --config {config}" + (f" --data {data}" if data else "")
    command += f" --workspace {workspace}" if workspace != DEFAULT_WORKSPACE else ""
    lines = [*proposal.guesses, f"wrote {config}", f"next: {command}"]
    if proposal.has_events:
        lines.append(f"or first: mqlml plan suggest --config {config} --out {_better(config)}")
    answer(document, lines, as_json=as_json)


def _better(config: Path) -> Path:
    return config.with_stem(f"{config.stem}_plan")


def ingest(
    config: Config,
    *,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    full: Annotated[
        bool,
        typer.Option("--full", help="Read everything again, also what was kept from before."),
    ] = False,
    retry: Annotated[
        bool,
        typer.Option("--retry-quarantine", help="Read only the refused rows, by this config."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Read the sources into the workspace's tables; refused rows go to quarantine."""
    from mqlml.workflows.ingest import ingest as run
    from mqlml.workflows.ingest import retry_quarantine

    if retry and full:
        mend = "give one of the two"
        raise UsageError(Fault("--full reads everything, --retry-quarantine does not", mend=mend))
    project = project_of(config, data, workspace)
    if retry:
        result = retry_quarantine(project, say=progress)
    else:
        result = run(project, say=progress, full=full)
    answer(result.document(), result.lines(), as_json=as_json)


def features(
    config: Config,
    *,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_of: AsOf = None,
    points: Annotated[
        Path | None, typer.Option("--points", help="CSV or Parquet with lead_id and as_of.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="A Parquet file, or without suffix a folder of them.")
    ] = Path("features.parquet"),
    memory: Memory = "2GB",
    as_json: Json = False,
) -> None:
    """Write the feature matrix as it was known at a moment, or at each point of a file.

    A file has the rows of the points in their order; a folder has them bucket by bucket.
    A run that was killed goes on where it stood.
    """
    from mqlml.workflows.features import write_features

    project = project_of(config, data, workspace)
    moment = project.instant(as_of)
    with means(memory, "events") as given:
        result = write_features(
            project,
            out,
            as_of=moment,
            points_file=points,
            say=progress,
            means=given,
        )
    if as_of is None and points is None:
        note(f"as of {result.as_of}, the end of the data")
    answer(result.document(), result.lines(), as_json=as_json)
