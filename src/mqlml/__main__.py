"""Where `mqlml` and `python -m mqlml` begin: Ctrl-C has its answer before anything is imported."""

import sys

from mqlml.errors import INTERRUPTED_EXIT_CODE


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from mqlml.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted before anything began\n")
        sys.exit(INTERRUPTED_EXIT_CODE)


if __name__ == "__main__":
    main()
