"""From options to a project: the config, and the environment variables it names."""

import os
import sys
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from mqlml.cli.output import note

if TYPE_CHECKING:
    from mqlml.workflows.project import Project

# What was typed, without its options: whoever finds the workspace in use is told it.
COMMAND = ContextVar("COMMAND", default="")


def project_of(config: Path, data: Path | None, workspace: Path) -> "Project":
    """Return the project that the shared options describe."""
    from mqlml.storage.tombstones import erasing_under_way
    from mqlml.wiring import secret_names
    from mqlml.workflows.project import open_project

    project = open_project(config, data=data, workspace=workspace)
    names = secret_names(project.settings)
    opened = replace(
        project,
        workspace=replace(project.workspace, say=note, command=COMMAND.get()),
        secrets={n: os.environ[n] for n in names if n in os.environ},
    )
    if erasing_under_way(opened.workspace.root) is not None:
        from mqlml.workflows.erase import finish_erasure

        note("finishing an erasure that was interrupted")
        finish_erasure(opened, salt=token_hex(16))
    return opened


def progress(text: str) -> None:
    """Show what is being done, on a terminal only."""
    if sys.stderr.isatty():
        note(f"… {text}")
