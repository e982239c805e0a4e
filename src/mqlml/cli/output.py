"""What commands print: JSON for programs on stdout, sentences for people, faults on stderr."""

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer

from mqlml.errors import MqlmlError


def print_json(document: Any) -> None:
    """Write one JSON document to stdout; figures that are not finite become null."""
    sys.stdout.write(json.dumps(_plain(document), ensure_ascii=False, indent=2) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, str) or value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Sequence):
        return [_plain(inner) for inner in value]
    if hasattr(value, "item"):
        return _plain(value.item())
    return str(value)


def say(text: str = "") -> None:
    """Write a line for people to stdout."""
    typer.echo(text)


def note(text: str) -> None:
    """Write a remark to stderr, so that stdout stays what the command answers."""
    typer.echo(text, err=True)


def answer(document: Mapping[str, Any], lines: Iterable[str], *, as_json: bool) -> None:
    """Print a command's answer: the document for programs, or the lines for people."""
    if as_json:
        print_json(document)
    else:
        for line in lines:
            say(line)


def show_error(error: MqlmlError, *, as_json: bool) -> None:
    """Print every fault of an error; with JSON also as a document on stdout."""
    for fault in error.faults:
        note(f"error: {fault}")
    if as_json:
        faults = [vars(fault) for fault in error.faults]
        print_json({"error": type(error).__name__, "faults": faults, "exit_code": error.exit_code})
