"""The `mqlml` command: one typer application, one place where errors become exit codes."""

import sys
from collections.abc import Sequence

import typer

from mqlml.cli import demo, learn, prepare, score, store, watch
from mqlml.cli.opening import COMMAND
from mqlml.cli.output import note, show_error
from mqlml.errors import INTERRUPTED_EXIT_CODE, DataError, Fault, MqlmlError

_PANEL_HELP = "Learn from your own history which leads are worth a salesperson's time."

app = typer.Typer(
    help=_PANEL_HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
for command_group in (demo, prepare, learn, score, watch, store):
    command_group.register(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(run(words))


def run(words: Sequence[str]) -> int:
    """Return the exit code of a command line; every error a user can meet ends here."""
    COMMAND.set(" ".join(("mqlml", *(word for word in words[:1] if not word.startswith("-")))))
    try:
        # Typer answers an interruption with this code, and otherwise with None.
        code = int(app(list(words), standalone_mode=False) or 0)
    except MqlmlError as error:
        return _failed(error, words)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED_EXIT_CODE
    except typer.Exit as stop:
        code = stop.exit_code
    except OSError as error:
        fault = Fault("the system refused", str(error.filename or ""), error.strerror or str(error))
        return _failed(DataError(fault), words)
    except Exception as error:  # noqa: BLE001 - the outermost frame: no traceback for users
        return _unexpected(error, words)
    if code == INTERRUPTED_EXIT_CODE:
        note("interrupted: what was finished stays, what was half-written is gone")
    return code


def _failed(error: MqlmlError, words: Sequence[str]) -> int:
    show_error(error, as_json="--json" in words)
    return error.exit_code


def _unexpected(error: Exception, words: Sequence[str]) -> int:
    """Show usage faults of the command line as such; anything else is ours to mend."""
    show = getattr(error, "show", None)
    if callable(show):
        show()
        return int(getattr(error, "exit_code", 2))
    if "--traceback" in words:
        raise error
    note(f"error: mqlml failed where it should not: {type(error).__name__}: {error}")
    note("    mend: please report this; 'mqlml --traceback COMMAND …' shows where it happened")
    return 1


@app.callback()
def root(
    *,
    traceback: bool = typer.Option(False, "--traceback", help="Show where a defect happened."),
) -> None:
    """Learn from your own history which leads are worth a salesperson's time."""
    del traceback  # read from the words in `run`, where the error is caught
