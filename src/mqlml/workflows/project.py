"""What every use case starts from: the settings, where the data lie, and the workspace."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from mqlml import timeline
from mqlml.config import Settings, load_settings
from mqlml.errors import Fault, UsageError
from mqlml.storage.workspace import Workspace

_FIRST_YEAR, _LAST_YEAR = 1900, 2098


@dataclass(frozen=True)
class Project:
    """One use of mqlml: settings, data folder, workspace, and secrets by variable name.

    `secrets` holds the values of environment variables that the settings name
    (database URLs); the command line reads them, no step does.
    """

    settings: Settings
    data_dir: Path
    workspace: Workspace
    secrets: Mapping[str, str] = field(default_factory=dict)

    def instant(self, text: str | None, option: str = "--as-of") -> int | None:
        """Return an ISO 8601 time as microseconds UTC; None stays None.

        A time without an offset is read in the config's timezone, UTC without one.
        Raises UsageError about `option` for what is no time, or one outside the
        years that data may have.
        """
        if text is None:
            return None
        mend = "write it as 2026-03-02 or 2026-03-02T09:00:00+01:00"
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise UsageError(Fault("not a time", option, repr(text), mend)) from None
        if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            what = f"not a time between {_FIRST_YEAR} and {_LAST_YEAR}"
            raise UsageError(Fault(what, option, repr(text), mend))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(self.settings.timezone or "UTC"))
        whole = round(moment.replace(microsecond=0).timestamp())
        return whole * timeline.MICROS_PER_SECOND + moment.microsecond


def open_project(
    config: Path | str,
    *,
    data: Path | str | None = None,
    workspace: Path | str = ".mqlml",
    secrets: Mapping[str, str] | None = None,
) -> Project:
    """Return the project of a config file; its relative paths start at `data` or beside it.

    Raises ConfigError with every fault of the file.
    """
    path = Path(config)
    folder = path.parent if data is None else Path(data)
    return Project(load_settings(path), folder, Workspace(Path(workspace)), secrets or {})


def shown_instant(micros: int) -> str:
    """Return microseconds UTC as ISO 8601 text, without a fraction that is zero.

    >>> shown_instant(1_772_442_000_000_000)
    '2026-03-02T09:00:00Z'
    """
    moment = datetime.fromtimestamp(micros // timeline.MICROS_PER_SECOND, tz=ZoneInfo("UTC"))
    fraction = micros % timeline.MICROS_PER_SECOND
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction:06d}Z" if fraction else f"{text}Z"
