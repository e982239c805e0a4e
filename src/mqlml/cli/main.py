"""The `mqlml` command: one typer application, one place where errors become exit codes."""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated, Any

import typer

from mqlml.cli import (
    champion,
    criteria,
    cycle,
    demo,
    erase,
    learn,
    personas,
    plan,
    prepare,
    push,
    review,
    score,
    store,
    watch,
)
from mqlml.cli.opening import COMMAND
from mqlml.cli.options import Data, Json, SharedConfig, SharedWorkspace
from mqlml.cli.output import note, say, show_error
from mqlml.errors import INTERRUPTED_EXIT_CODE, DataError, Fault, MqlmlError, UsageError

_PANEL_HELP = "Learn from your own history which leads are worth a salesperson's time."

app = typer.Typer(
    help=_PANEL_HELP,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
for command_group in (
    demo,
    prepare,
    plan,
    personas,
    learn,
    champion,
    cycle,
    score,
    push,
    watch,
    review,
    criteria,
    store,
    erase,
):
    command_group.register(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(run(words))


def run(words: Sequence[str]) -> int:
    """Return the exit code of a command line; every error a user can meet ends here."""
    names = typer.main.get_group(app).commands
    COMMAND.set(" ".join(("mqlml", *[word for word in words if word in names][:1])))
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
        mend = "check the path, your rights to it and the space on its disk"
        found = error.strerror or str(error)
        fault = Fault("the system refused", str(error.filename or ""), found, mend)
        return _failed(DataError(fault), words)
    except Exception as error:  # noqa: BLE001 - the outermost frame: no traceback for users
        if not _is_interruption(error):
            return _unexpected(error, words)
        code = INTERRUPTED_EXIT_CODE
    if code == INTERRUPTED_EXIT_CODE:
        note("interrupted: what was finished stays, what was half-written is gone")
    return code


def _is_interruption(error: Exception) -> bool:
    """Return whether `error` is how DuckDB tells of Ctrl-C in the middle of a query."""
    return isinstance(error, RuntimeError) and str(error) == "Query interrupted"


def _failed(error: MqlmlError, words: Sequence[str]) -> int:
    show_error(error, as_json="--json" in words)
    return error.exit_code


def _unexpected(error: Exception, words: Sequence[str]) -> int:
    """Show usage faults of the command line as such; anything else is ours to mend."""
    if hasattr(error, "format_message"):
        return _failed(UsageError(_usage_fault(error)), words)
    if "--traceback" in words:
        raise error
    what = f"mqlml failed where it should not: {type(error).__name__}: {error}"
    mend = "please report this; 'mqlml --traceback COMMAND …' shows where it happened"
    return _failed(MqlmlError(Fault(what, mend=mend)), words)


def _usage_fault(error: Any) -> Fault:
    """Return the fault of the command line that typer found."""
    context = getattr(error, "ctx", None)
    command = "mqlml" if context is None else str(context.command_path)
    return Fault(error.format_message().rstrip("."), command, mend=f"see '{command} --help'")


def _show_version(asked: bool) -> None:
    if asked:
        say(f"mqlml {version('mqlml')}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    *,
    config: SharedConfig = None,
    data: Data = None,
    workspace: SharedWorkspace = None,
    as_json: Json = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show where a defect happened.")
    ] = False,
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Learn from your own history which leads are worth a salesperson's time."""
    del traceback, show_version  # read where errors are caught, and by its own callback
    options = {"config": config, "data": data, "workspace": workspace, "as_json": as_json or None}
    given = {name: value for name, value in options.items() if value is not None}
    if context.invoked_subcommand is None:
        if not as_json:
            say(context.get_help())
        raise UsageError(Fault("no command given", "mqlml", mend="see 'mqlml --help'"))
    # What stands before the command is what it starts from; what stands after it wins.
    commands = typer.main.get_group(app).commands
    context.default_map = {name: _passed_on(command, given) for name, command in commands.items()}


def _passed_on(command: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Return the options for a command, or for each command of a group."""
    inner = getattr(command, "commands", None)
    return given if inner is None else {**given, **dict.fromkeys(inner, given)}
