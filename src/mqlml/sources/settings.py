"""Settings of the doors: which file or database table holds which canonical column."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TableSource(_Frozen):
    """Where one canonical table comes from and how its columns are named there.

    Exactly one of `file` (path or glob, relative to the data directory) and
    `postgres` (`{url_env, table}`) is given.
    """

    file: str | None = None
    postgres: "PostgresTable | None" = None
    format: Literal["csv", "ndjson", "webhooks", "parquet"] | None = None
    delimiter: str | None = None
    encoding: str | None = None
    decimal: Literal[".", ","] = "."
    timezone: str | None = None
    time_format: str | None = None
    missing: tuple[str, ...] = ()
    columns: dict[str, str] = Field(default_factory=dict)
    constants: dict[str, str] = Field(default_factory=dict)
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    where: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> "TableSource":
        if (self.file is None) == (self.postgres is None):
            raise ValueError("give exactly one of 'file' and 'postgres'")
        return self


class PostgresTable(_Frozen):
    """A table in PostgreSQL; the URL is read from the named environment variable by the CLI."""

    url_env: str
    table: str


class OutcomeColumn(_Frozen):
    """A flat table's outcome column: the values that mean yes, no, and not decided yet."""

    column: str
    positive: tuple[str, ...]
    negative: tuple[str, ...] = ()
    open: tuple[str, ...] = ()


class AttributeSettings(_Frozen):
    """Which other columns of the leads file are attributes, and when they are known.

    With `columns` empty every column that is not mapped is an attribute.
    """

    columns: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    outcome_side: tuple[str, ...] = ()
    engagement: tuple[str, ...] = ()
    types: dict[str, Literal["text", "number", "flag"]] = Field(default_factory=dict)


class LeadSource(TableSource):
    """The leads table: `columns` maps lead_id and created_at, or `order` stands for time.

    `order` is a column's name, or `file` for the order of the rows. With
    `order_values` the column's values come in that order. Without a lead_id
    column the row number becomes the id.
    """

    order: str | None = None
    order_values: tuple[str, ...] = ()
    outcome: OutcomeColumn | None = None
    attributes: AttributeSettings = AttributeSettings()

    @model_validator(mode="after")
    def _one_clock(self) -> "LeadSource":
        if (self.order is None) == ("created_at" not in self.columns):
            raise ValueError("give exactly one of 'order' and columns.created_at")
        return self


class EventSource(TableSource):
    """An events file: contract columns, plus named extra properties with their types."""

    properties: dict[str, Literal["text", "number"]] = Field(default_factory=dict)


class ExportSource(_Frozen):
    """A folder with the export of one system, whose files and columns mqlml knows.

    `lead_id` says which id of the export is the lead's; `attributes` are own
    columns of its people that were known when they were created.
    """

    system: str
    folder: str
    lead_id: str | None = None
    timezone: str | None = None
    attributes: tuple[str, ...] = ()


class Refusal(_Frozen):
    """Rows that cannot be what the export says they are: where `sql` is true, and why."""

    column: str
    reason: str
    remedy: str
    sql: str


class RowShape(_Frozen):
    """What the mapping of an export says of its rows; no config can say it.

    A file must have the `required` columns and may lack the `optional` ones,
    which are null then. `derived` columns are SQL over one row and may use the
    ones before them; one that is named like a column of the file replaces it.
    Rows that are `refused` go to quarantine before anything else is asked of them.
    """

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    derived: dict[str, str] = Field(default_factory=dict)
    refused: tuple[Refusal, ...] = ()


class ShapedTable(TableSource):
    """A table as an export fills it."""

    shape: RowShape


class ShapedLeads(LeadSource):
    """Leads as an export fills them."""

    shape: RowShape


class ShapedEvents(EventSource):
    """Events as an export fills them."""

    shape: RowShape


Shaped = ShapedTable | ShapedLeads | ShapedEvents


def shape_of(source: TableSource) -> RowShape | None:
    """Return what an export's mapping says of the source's rows; None for a source by hand."""
    return source.shape if isinstance(source, Shaped) else None


class SourceSettings(_Frozen):
    """All doors of one configuration; each may have several files.

    Leads come from a file of their own or from an export.
    """

    leads: tuple[LeadSource, ...] = ()
    attributes: tuple[TableSource, ...] = ()
    events: tuple[EventSource, ...] = ()
    stages: tuple[TableSource, ...] = ()
    verdicts: tuple[TableSource, ...] = ()
    handovers: tuple[TableSource, ...] = ()
    exports: tuple[ExportSource, ...] = ()
    data_end: str | None = None
    earliest: str = "1990-01-01"

    @model_validator(mode="after")
    def _some_leads(self) -> "SourceSettings":
        if not (self.leads or self.exports):
            raise ValueError("give 'leads', or 'exports' that hold them")
        return self
