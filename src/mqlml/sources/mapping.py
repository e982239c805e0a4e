"""What the mapping of one system's export declares: which file, column, time and event type."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from mqlml.sources.settings import (
    AttributeSettings,
    Refusal,
    RowShape,
    Shaped,
    ShapedEvents,
    ShapedLeads,
    ShapedTable,
)


@dataclass(frozen=True)
class LeadId:
    """The column that holds the lead's id, and SQL for the id."""

    column: str
    sql: str


@dataclass(frozen=True)
class FileMapping:
    """How the rows of one kind of file fill one canonical table.

    `file` is the name of the export's table, which its files are called after;
    "" stands for every data file of the folder. `columns` map canonical names
    to columns of the file or derived ones. `ids` are the names by which a
    config may choose the lead's id, each with its column.
    """

    table: Literal["leads", "attributes", "events", "stages", "verdicts"]
    file: str
    columns: Mapping[str, str]
    ids: Mapping[str, str]
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    derived: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    properties: Mapping[str, Literal["text", "number"]] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()
    where: str | None = None
    refused: tuple[Refusal, ...] = ()
    format: Literal["csv", "ndjson", "webhooks", "parquet"] | None = None

    def source(
        self, path: str, lead_id: LeadId, *, timezone: str, attributes: Sequence[str] = ()
    ) -> Shaped:
        """Return the source that reads the file at `path`, with further own `attributes`."""
        chosen = (*self.attributes, *attributes)
        shape = RowShape(
            required=self.required,
            optional=(*self.optional, *chosen, lead_id.column),
            derived={**self.derived, "lead_id": lead_id.sql},
            refused=self.refused,
        )
        given: dict[str, Any] = {
            "file": path,
            "format": self.format,
            "timezone": timezone,
            "columns": {**self.columns, "lead_id": "lead_id"},
            "constants": dict(self.constants),
            "values": {name: dict(names) for name, names in self.values.items()},
            "where": self.where,
            "shape": shape,
        }
        if self.table == "leads":
            return ShapedLeads(**given, attributes=AttributeSettings(columns=chosen))
        if self.table == "events":
            return ShapedEvents(**given, properties=dict(self.properties))
        return ShapedTable(**given)


@dataclass(frozen=True)
class System:
    """The export of one system: its kinds of files and the id that is the lead's by default.

    With `is_any_id` a config may also name any column, or `column.key` for a
    value inside one, as the lead's id. Times without an offset are in `timezone`.
    """

    name: str
    files: tuple[FileMapping, ...]
    lead_id: str
    is_any_id: bool = False
    timezone: str = "UTC"
