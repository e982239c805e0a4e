"""Lets `python -m mqlml` stand for the command."""

from mqlml.cli.main import main

if __name__ == "__main__":
    main()
