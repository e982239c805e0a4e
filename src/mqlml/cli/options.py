"""The options that commands share, declared once."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path, typer.Option("--config", "-c", help="The YAML configuration.")]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data", help="Where the config's relative paths start; default: its own folder."
    ),
]
WorkspacePath = Annotated[
    Path, typer.Option("--workspace", "-w", help="Tables, models, scores and reports live here.")
]
Json = Annotated[
    bool, typer.Option("--json", help="One JSON document on stdout, everything else on stderr.")
]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", help="The moment to stand at, ISO 8601; default: the end of the data."),
]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**31 - 1, help="Same seed, same bytes.")]
RequireApproval = Annotated[
    bool,
    typer.Option(
        "--require-approval", help="A better challenger waits for 'mqlml promote' by a person."
    ),
]
# Before the command's name, for every command alike.
SharedConfig = Annotated[
    Path | None, typer.Option("--config", "-c", help="The YAML configuration of any command.")
]
SharedWorkspace = Annotated[
    Path | None, typer.Option("--workspace", "-w", help="The workspace of any command.")
]
Memory = Annotated[
    str,
    typer.Option("--memory", help="What features may take, such as 512MB; they go to disk beyond."),
]

DEFAULT_WORKSPACE = Path(".mqlml")
