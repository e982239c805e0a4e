"""Where `mqlml` and `python -m mqlml` begin: Ctrl-C has its answer before anything is imported."""

import atexit
import os
import sys

from mqlml.errors import INTERRUPTED_EXIT_CODE


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from mqlml.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted before anything began\n")
        _leave_interrupted()
    except SystemExit as stop:
        if stop.code == INTERRUPTED_EXIT_CODE:
            _leave_interrupted()
        raise


def _leave_interrupted() -> None:
    """Exit at once with the code of an interruption, after what waits for the exit has run.

    An interruption that struck inside code made from text (a dataclass being defined, say)
    is remembered by CPython even when it was caught, and would end the process by SIGINT.
    """
    atexit._run_exitfuncs()  # noqa: SLF001 - there is no public way to run them before os._exit
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(INTERRUPTED_EXIT_CODE)


if __name__ == "__main__":
    main()
