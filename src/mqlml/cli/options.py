"""The options that commands share, declared once."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path, typer.Option("--config", "-c", help="The YAML configuration.")]
Data = Annotated[
    Path | None,
    typer.Option("--data", help="Where the config's relative paths start [config's folder]."),
]
WorkspacePath = Annotated[
    Path, typer.Option("--workspace", "-w", help="Tables, models, scores and reports live here.")
]
Json = Annotated[
    bool, typer.Option("--json", help="One JSON document on stdout, everything else on stderr.")
]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", help="The moment to stand at, ISO 8601 [end of the data]."),
]
Seed = Annotated[int, typer.Option("--seed", help="Same seed, same bytes.")]

DEFAULT_WORKSPACE = Path(".mqlml")
