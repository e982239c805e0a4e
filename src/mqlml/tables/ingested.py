"""What a door hands over: checked tables in a folder, and an account of every row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mqlml.tables.contracts import Attribute, Column


@dataclass(frozen=True)
class FileCount:
    """Where the rows of one file went, for one table.

    `made` counts rows beyond the file's own, where a row became several: a deal of
    three contacts is three stages. `rows` and `made` are the sum of the rest.
    """

    file: str
    table: str
    rows: int
    kept: int
    duplicates: int
    quarantined: int
    filtered: int = 0
    made: int = 0

    @property
    def is_balanced(self) -> bool:
        """Return whether no row was lost or made."""
        went = self.kept + self.duplicates + self.quarantined + self.filtered
        return self.rows + self.made == went


@dataclass(frozen=True)
class Note:
    """Something that was done to the values of a column without losing a row."""

    table: str
    file: str
    column: str
    what: str
    rows: int = 0

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.table, self.file, self.column) if part)
        return f"{where}: {self.what}" + (f" ({self.rows} rows)" if self.rows else "")


@dataclass(frozen=True)
class Ingested:
    """Checked tables as `TABLE.parquet` files in `folder`, with merges, conflicts and quarantine.

    `orphans` counts, per table, kept rows whose lead is not in leads. `data_end`
    is in microseconds UTC.
    """

    folder: Path
    counts: tuple[FileCount, ...]
    data_end: int
    attribute_specs: tuple[Attribute, ...] = ()
    properties: tuple[Column, ...] = ()
    is_order_time: bool = False
    notes: tuple[Note, ...] = ()
    orphans: Mapping[str, int] = field(default_factory=dict)

    def path(self, table: str) -> Path:
        """Return the Parquet file of a table, or of `quarantine`."""
        return self.folder / f"{table}.parquet"
