"""What becomes of every row of the real export files: `python -m tests.doors_table`.

Each system's folder goes through its door as a whole, because its files are joined. A file
that feeds several tables has a line for each; files that are only looked up by others' rows, or
that hold nothing mqlml uses, are named below.
"""

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
from tests.damage import LEADS, RAW

from mqlml.sources.generic import read_sources
from mqlml.sources.settings import SourceSettings
from mqlml.sources.vendors.registry import SYSTEMS
from mqlml.tables.ingested import Ingested

_LEADS = {"file": "leads.csv", "columns": {"created_at": "created_at"}}
# The visitors of the real rows never signed in.
_LEAD_IDS = {"ga4": "user_pseudo_id"}


@dataclass(frozen=True)
class Line:
    """Where the rows of one file went for one table, and why some were refused."""

    system: str
    file: str
    table: str
    rows: int
    made: int
    kept: int
    duplicates: int
    filtered: int
    quarantined: int
    reasons: str

    @property
    def is_balanced(self) -> bool:
        """Return whether no row was lost or made."""
        went = self.kept + self.duplicates + self.filtered + self.quarantined
        return self.rows + self.made == went


def lines(work: Path) -> Iterator[Line | str]:
    """Yield a line per file and table of every system, and after each system its notes."""
    for name in SYSTEMS:
        folder = work / name / "export"
        if not _placed(name, folder):
            continue
        (work / name / "leads.csv").write_text(LEADS)
        export = {"system": name, "folder": "export", "lead_id": _LEAD_IDS.get(name)}
        settings = SourceSettings.model_validate({"leads": [_LEADS], "exports": [export]})
        done = read_sources(settings, work / name, timezone=None, workdir=work / name / "work")
        yield from _lines(name, done)
        yield from (f"{name}: {note.what}" for note in done.notes if not note.table)


def _placed(system: str, folder: Path) -> bool:
    """Copy the system's files into `folder`, bodies of webhooks one a line; False without any."""
    hooks = RAW / "email_webhooks" / f"{system}.json"
    if (RAW / system).is_dir():
        shutil.copytree(RAW / system, folder)
    elif hooks.exists():
        folder.mkdir(parents=True)
        bodies = [json.dumps(case["payload"]) for case in json.loads(hooks.read_bytes())]
        (folder / hooks.name).write_text("\n".join(bodies) + "\n")
    return folder.is_dir()


def _lines(system: str, done: Ingested) -> Iterator[Line]:
    refused = pq.read_table(done.path("quarantine")).to_pylist()
    why: dict[tuple[str, str], Counter[str]] = {}
    for row in refused:
        why.setdefault((row["file"], row["table"]), Counter())[row["reason"]] += 1
    parts: dict[tuple[str, str], list[int]] = {}
    for one in done.counts:
        if one.file == "leads.csv":
            continue
        went = (one.rows, one.made, one.kept, one.duplicates, one.filtered, one.quarantined)
        sums = parts.setdefault((one.file, one.table), [0] * len(went))
        sums[:] = [a + b for a, b in zip(sums, went, strict=True)]
    for (file, table), sums in sorted(parts.items()):
        reasons = why.get((file, table), Counter())
        text = "; ".join(f"{reason} ({count})" for reason, count in reasons.most_common())
        yield Line(system, file.removeprefix("export/"), table, *sums, text)


def main() -> None:
    """Print the table."""
    head = ("system", "file", "table", "rows", "made", "kept", "twice", "left out", "quarantined")
    print("| " + " | ".join((*head, "reasons")) + " |")  # noqa: T201
    print("|---" * 10 + "|")  # noqa: T201
    notes = []
    with tempfile.TemporaryDirectory() as work:
        for line in lines(Path(work)):
            if isinstance(line, str):
                notes.append(line)
                continue
            cells = [line.system, line.file, line.table, line.rows, line.made, line.kept]
            cells += [line.duplicates, line.filtered, line.quarantined, line.reasons]
            print("| " + " | ".join(map(str, cells)) + " |")  # noqa: T201
            assert line.is_balanced, line
    print("\n" + "\n".join(notes))  # noqa: T201


if __name__ == "__main__":
    main()
