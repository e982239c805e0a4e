"""`mqlml demo --export-as`: the simulated company in the layouts of real systems."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mqlml.demo.company import DemoCompany, simulate
from mqlml.demo.export import write_exports
from mqlml.demo.export_as import (
    HELD,
    SITE,
    SYSTEM_WRITERS,
    robot_bodies,
    robot_visits,
    whole_seconds,
    write_exports_as,
)
from mqlml.demo.robots import TRUTH_COLUMNS, planted_robots
from mqlml.demo.settings import DemoSettings
from mqlml.demo.web_robots import planted_visits
from mqlml.errors import Fault, UsageError, nearest
from mqlml.storage.atomic import replace_file
from mqlml.workflows.demo_configs import CRITERIA_FILES, demo_config

Say = Callable[[str], None]

_START, _END = "sources:\n", "# ---------------------------------------------------------------- 2."
_BLOCKS = {
    "ga4": "{system: ga4, folder: ga4, lead_id: user_id}",
    "sendgrid": "{system: sendgrid, folder: sendgrid, master: false}",
    "hubspot": """system: hubspot
      folder: hubspot
      attributes:
        [title, industry, company_size, country, source, campaign, email_kind, is_competitor,
         contract_value, employees, tool]
      types: {is_competitor: flag}
      outcome_side: [contract_value]
      stages: {mql: mql, sal: sal, sql: sql, recycled: recycled, disqualified: disqualified}""",
}


@dataclass(frozen=True)
class ExportedDemo:
    """Where the files and configs lie, and how many bytes each file has."""

    folder: Path
    config: Path
    plain_config: Path
    files: dict[str, int]

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        return {
            "folder": str(self.folder),
            "config": str(self.config),
            "plain_config": str(self.plain_config),
            "files": self.files,
        }

    def lines(self) -> Iterator[str]:
        """Yield the answer for people: the folders, and what to do next."""
        folders: dict[str, list[int]] = {}
        for name, size in self.files.items():
            folders.setdefault(name.split("/")[0] if "/" in name else ".", []).append(size)
        for name, sizes in folders.items():
            files = "file" if len(sizes) == 1 else "files"
            yield f"{self.folder / name}: {len(sizes)} {files}, {sum(sizes):,} bytes"
        yield f"the same company as plain tables: {self.plain_config}"
        yield f"next: mqlml ingest --config {self.config}"


def export_demo(
    workspace: Path,
    systems: Sequence[str],
    *,
    leads: int,
    seed: int,
    say: Say,
    robots: bool = False,
) -> ExportedDemo:
    """Write the company as exports of `systems`, and beside it as plain tables, with configs.

    Both give the same tables. With `robots` machines are planted among SendGrid's events and
    Google's, and `robots.csv` and `robot_visits.csv` beside the exports say which events are
    theirs. Raises UsageError for a
    system that nobody writes.
    """
    unknown = [name for name in systems if name not in SYSTEM_WRITERS]
    if unknown or not systems:
        mend = nearest(unknown[0] if unknown else "", list(SYSTEM_WRITERS))
        found = ", ".join(map(repr, unknown)) or "none"
        raise UsageError(Fault("the demo cannot write such an export", "--export-as", found, mend))
    say(f"A B2B software firm, 18 months, {leads:,} leads, seed {seed}.")
    company = whole_seconds(simulate(DemoSettings(n_leads=leads), seed=seed))
    home = workspace / "exported"
    files = write_exports_as(company, home / "exports", systems)
    if robots:
        _plant(company, home, systems)
    write_exports(company, home / "plain")
    for name in CRITERIA_FILES:
        for folder in ("exports", "plain"):
            replace_file(home / folder / name, demo_config(name))
    plain = demo_config("demo.yaml")
    replace_file(home / "plain" / "mqlml.yaml", plain)
    config = home / "exports" / "mqlml.yaml"
    replace_file(config, exports_config(plain.decode(), systems).encode())
    return ExportedDemo(home / "exports", config, home / "plain" / "mqlml.yaml", files)


def _plant(company: DemoCompany, home: Path, systems: Sequence[str]) -> None:
    """Write robots among the mails' readers and the visitors, and the truth about them."""
    has_mail = "sendgrid" in systems
    planted = planted_robots(company).iloc[: None if has_mail else 0]
    if has_mail:
        replace_file(home / "exports" / "sendgrid" / "robots.ndjson", robot_bodies(planted))
        _tell(home / "robots.csv", planted[list(TRUTH_COLUMNS)])
    if "ga4" in systems:
        visits = planted_visits(company, planted)
        replace_file(home / "exports" / "ga4" / "robots.json", robot_visits(visits))
        _tell(home / "robot_visits.csv", visits)


def _tell(path: Path, truth: pd.DataFrame) -> None:
    replace_file(path, truth.to_csv(index=False, lineterminator="\n").encode())


def exports_config(text: str, systems: Sequence[str]) -> str:
    """Return the demo's config with the exports of `systems` in place of the sources they hold."""
    start, end = text.index(_START) + len(_START), text.index(_END)
    held = {_source_name(name) for system in systems for name in HELD[system]}
    kept = [block for block in _blocks(text[start:end]) if not _is_held(block, held)]
    lines = "".join(f"    - {_BLOCKS[system]}\n" for system in systems)
    own = "".join(kept).rstrip("\n")
    changed = text[:start] + own + f"\n\n  exports:\n{lines}\n" + text[end:]
    if "ga4" in systems:
        # An address of the web is whole there.
        changed = changed.replace("page = '/", f"page = '{SITE}/")
    return changed


def _source_name(name: str) -> str:
    from mqlml.demo.export import FILES

    return FILES[name]


def _blocks(text: str) -> Iterator[str]:
    """Yield the parts of the sources that name a file: whole tables, or items of a list."""
    block: list[str] = []
    for line in text.splitlines(keepends=True):
        starts = line[:2] == "  " and line[2] not in " #\n" if len(line) > 2 else False
        if (starts or line.startswith("    - ")) and block:
            yield "".join(block)
            block = []
        block.append(line)
    yield "".join(block)


def _is_held(block: str, held: set[str]) -> bool:
    return any(f"file: {name}" in block for name in held)
