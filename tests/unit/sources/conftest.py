"""Reading files written by a test through the generic door, into plain values."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from mqlml.sources.generic import Before, read_sources
from mqlml.sources.settings import SourceSettings
from mqlml.tables.ingested import Ingested
from mqlml.tables.tombstones import Tombstones

LEADS = {"file": "leads.csv", "columns": {"created_at": "created_at"}}
LEADS_TEXT = "lead_id,created_at\na,2024-01-01T00:00:00Z\nb,2024-01-02T00:00:00Z\n"


def csv_text(*rows: dict[str, str]) -> str:
    """Return rows as a CSV file whose columns are all keys, in the order of their coming."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@dataclass(frozen=True)
class Read:
    """What came through the door."""

    ingested: Ingested

    def rows(self, table: str) -> list[dict[str, Any]]:
        return pq.read_table(self.ingested.path(table)).to_pylist()

    def column(self, table: str, name: str) -> list[Any]:
        values = [row[name] for row in self.rows(table)]
        return [v.isoformat() if hasattr(v, "isoformat") else v for v in values]

    def texts(self, table: str, *names: str) -> list[tuple[Any, ...]]:
        """Return the values of some columns, row by row, times as ISO text to the second."""
        return [
            tuple(v.isoformat()[:19] if hasattr(v, "isoformat") else v for v in row)
            for row in zip(*([r[n] for r in self.rows(table)] for n in names), strict=True)
        ]

    def attributes(self, lead: str) -> dict[str, Any]:
        """Return the filled attributes of one lead."""
        head = {"lead_id", "created_at", "outcome", "account_id"}
        (row,) = [r for r in self.rows("leads") if r["lead_id"] == lead]
        return {n: v for n, v in row.items() if n not in head and v is not None}

    @property
    def reasons(self) -> list[str]:
        return [row["reason"] for row in self.rows("quarantine")]

    @property
    def notes(self) -> list[str]:
        return [str(note) for note in self.ingested.notes]

    def count(self, table: str = "leads") -> tuple[int, ...]:
        """Return rows, kept, duplicates, quarantined, filtered of a table's files together."""
        of_table = [c for c in self.ingested.counts if c.table == table]
        parts = [(c.rows, c.kept, c.duplicates, c.quarantined, c.filtered) for c in of_table]
        return tuple(sum(column) for column in zip(*parts, strict=True))


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Read]:
    """Return a function that writes files and reads them by the given settings."""

    def through_the_door(
        files: dict[str, str | bytes],
        timezone: str | None = None,
        secrets=None,
        erased=None,
        **settings: Any,
    ) -> Read:
        data = tmp_path / "data"
        for name, content in {"leads.csv": LEADS_TEXT, **files}.items():
            path = data / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        chosen = SourceSettings.model_validate({"leads": [LEADS], **settings})
        return Read(
            read_sources(
                chosen,
                data,
                timezone=timezone,
                workdir=tmp_path / "work",
                secrets=secrets,
                before=Before(erased=erased or Tombstones()),
            )
        )

    return through_the_door
