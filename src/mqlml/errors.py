"""Every error a user can meet, each with its exit code.

An error carries one or more faults. A fault answers four questions: what is
wrong, where, what was found, and how to mend it. Faults of one input are
gathered and raised together, so that nobody mends a file ten times.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import ClassVar


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with an input, in words for the person who made it."""

    what: str
    where: str = ""
    found: str = ""
    mend: str = ""

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.found:
            parts.append(f"found: {self.found}")
        if self.mend:
            parts.append(f"mend: {self.mend}")
        return "\n    ".join(parts)


@dataclass(frozen=True)
class Check:
    """One look at what is installed or stored: is it sound, what was found, how to mend it."""

    name: str
    ok: bool
    found: str = ""
    mend: str = ""


class MqlmlError(Exception):
    """Base of all errors that a user can mend; `exit_code` is what the CLI returns."""

    exit_code: ClassVar[int] = 1

    def __init__(self, *faults: Fault) -> None:
        if not faults:
            raise ValueError("an error needs at least one fault")
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


class UsageError(MqlmlError):
    """The command line asks for something that does not exist or contradicts itself."""

    exit_code = 2


class ConfigError(MqlmlError):
    """The configuration or criteria file cannot be used as written."""

    exit_code = 3


class SchemaError(MqlmlError):
    """An input table lacks a column, or a column is not of the declared kind."""

    exit_code = 4


class DataError(MqlmlError):
    """The data can be read, but what they hold does not allow the step."""

    exit_code = 5


class LeakageError(MqlmlError):
    """A column knows the outcome; training on it would promise what cannot be kept."""

    exit_code = 6


class BundleError(MqlmlError):
    """A model or bundle is missing, altered, from a newer version, or does not fit."""

    exit_code = 7


class MissingExtraError(MqlmlError):
    """An optional dependency is needed and not installed."""

    exit_code = 8


class NotPublishedError(MqlmlError):
    """A gate kept the model from being published."""

    exit_code = 9


UNREACHABLE = "the tracking server cannot be reached"
LOCKED = "the store is locked by another program"
ALARM_EXIT_CODE = 10
INTERRUPTED_EXIT_CODE = 130


def is_away(error: MqlmlError) -> bool:
    """Return whether the error says that MLflow cannot be had now, and may be had later."""
    return error.faults[0].what in {UNREACHABLE, LOCKED}


def nearest(name: str, valid: Sequence[str]) -> str:
    """Return a hint naming the valid spelling closest to `name`, or listing some.

    >>> nearest("lead_idd", ["lead_id", "created_at"])
    "did you mean 'lead_id'?"
    """
    close = get_close_matches(name, valid, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    shown = ", ".join(sorted(valid)[:12])
    return f"valid: {shown}" if valid else "nothing is valid here"
