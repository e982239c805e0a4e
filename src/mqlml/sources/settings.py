"""Settings of the doors: which file or database table holds which canonical column."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mqlml.tables.robots import RobotSettings


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TableSource(_Frozen):
    """Where one canonical table comes from and how its columns are named there.

    Exactly one of `file` (path or glob, relative to the data directory),
    `table` (of a warehouse) and `postgres` (`{url_env, table}`) is given. Of rows
    with one key the one with the largest `newest_by` counts: a column of times or
    numbers, or `file` for the last file by name; without it the first one does.
    """

    file: str | None = None
    postgres: "PostgresTable | None" = None
    table: "WarehouseTable | None" = None
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
    kinds: dict[str, str] = Field(default_factory=dict)
    where: str | None = None
    newest_by: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> "TableSource":
        given = (self.file, self.postgres, self.table)
        if sum(one is not None for one in given) != 1:
            raise ValueError("give exactly one of 'file', 'table' and 'postgres'")
        return self


class PostgresTable(_Frozen):
    """A table in PostgreSQL; the URL is read from the named environment variable by the CLI."""

    url_env: str
    table: str


class Warehouse(_Frozen):
    """A database, or a folder of tables, that sources read from.

    `url_env` names the variable with the URL of a server; `path` is a database's file or the
    folder of a lake, relative to the data directory, or an address such as s3://bucket/folder,
    for which `key_env` and `secret_env` name the variables with the credentials.
    """

    kind: Literal["postgres", "mysql", "sqlite", "duckdb", "parquet", "delta", "iceberg"]
    url_env: str | None = None
    path: str | None = None
    key_env: str | None = None
    secret_env: str | None = None
    region: str | None = None
    endpoint: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> "Warehouse":
        is_server = self.kind in {"postgres", "mysql"}
        if (self.url_env is not None) != is_server or (self.path is None) != is_server:
            needed = "'url_env' and no 'path'" if is_server else "'path' and no 'url_env'"
            raise ValueError(f"a warehouse of kind {self.kind} needs {needed}")
        return self


class WarehouseTable(_Frozen):
    """A table of a warehouse, `name` as `schema.table`.

    With `watermark`, a column that grows with every change of a row, only rows that are not
    older than the last one seen are read again; they replace rows with the same `key`.
    """

    warehouse: str
    name: str
    watermark: str | None = None
    key: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _both_or_none(self) -> "WarehouseTable":
        if (self.watermark is None) != (not self.key):
            raise ValueError("give 'watermark' and 'key' together")
        return self


class LiveTable(TableSource):
    """A table that others write while we read it: it does not say how far the data reach.

    No config names one; its rows may be later than the data's end.
    """


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
    allow_personal: tuple[str, ...] = ()
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

    Instead of a `folder` it may be a `schema` of a `warehouse`; tables that `keys` names are
    then read by their `watermark` (see WarehouseTable), others in full.

    `lead_id` says which id of the export is the lead's; `attributes` are own
    columns of its people, with `types` and `outcome_side` as for a leads file.
    With `master` false the leads are another system's: ids are written `kind:value`,
    and aliases say whose they are. `stages`, `verdicts` and `reasons` give own names
    canonical ones, or `ignore`; `reason` is the people's column that says why one
    was rejected.
    """

    system: str
    folder: str | None = None
    warehouse: str | None = None
    schema_name: str | None = Field(default=None, alias="schema")
    watermark: str | None = None
    keys: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    lead_id: str | None = None
    master: bool = True
    timezone: str | None = None
    time_format: str | None = None
    epoch: Literal["s", "ms"] | None = None
    attributes: tuple[str, ...] = ()
    types: dict[str, Literal["text", "number", "flag"]] = Field(default_factory=dict)
    outcome_side: tuple[str, ...] = ()
    stages: dict[str, str] = Field(default_factory=dict)
    verdicts: dict[str, str] = Field(default_factory=dict)
    reasons: dict[str, str] = Field(default_factory=dict)
    reason: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> "ExportSource":
        if (self.folder is None) == (self.warehouse is None):
            raise ValueError("give exactly one of 'folder' and 'warehouse'")
        if (self.watermark is None) != (not self.keys):
            raise ValueError("give 'watermark' and 'keys' together")
        return self

    @property
    def shown(self) -> str:
        """Return the folder, or the warehouse's schema, as people call it."""
        if self.folder is not None:
            return self.folder
        return ".".join(part for part in (self.warehouse, self.schema_name) if part)


class RowJoin(_Frozen):
    """Columns that the rows of one file get from another of the same export.

    A row whose `own` text equals the `key` of a row there gets its `columns`, called
    `FILE.COLUMN`; both are SQL. Of several such rows the first counts, with
    `is_many` each makes a row. Where `is_required`, a row without one is refused.
    """

    file: str
    sources: tuple[TableSource, ...]
    own: str
    key: str
    columns: tuple[str, ...]
    reads: tuple[str, ...] = ()
    where: str = "true"
    is_required: bool = True
    is_many: bool = False


class Refusal(_Frozen):
    """Rows that cannot be what the export says they are: where `sql` is true, and why."""

    column: str
    reason: str
    remedy: str
    sql: str


class RowShape(_Frozen):
    """What the mapping of an export says of its rows; no config can say it.

    A file must have the `required` columns and may lack the `optional` ones,
    which are null then; a table without the `signature` is of another layout and not
    read. `joins` add columns and `each`, SQL for a list of texts,
    makes a row of every one, in the column `each`. `derived` columns are SQL over
    one row and may use the ones before them; one that is named like a column of
    the file replaces it. `windows` are SQL over all rows of the file, computed last.
    `attributes` are names of attributes with the columns they need. `lead_from`
    names the columns that hold the lead's id, `remedies` what to do about a
    canonical column that breaks its contract. Rows that are `refused` go to
    quarantine before anything else is asked of them. With a `header` the file has none and
    is tab-separated; `is_snake` names of fields in another spelling are read as snake_case.
    """

    required: tuple[str, ...] = ()
    signature: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    joins: tuple[RowJoin, ...] = ()
    each: str | None = None
    derived: dict[str, str] = Field(default_factory=dict)
    refused: tuple[Refusal, ...] = ()
    windows: dict[str, str] = Field(default_factory=dict)
    attributes: dict[str, str] = Field(default_factory=dict)
    lead_from: str = ""
    remedies: dict[str, str] = Field(default_factory=dict)
    header: tuple[str, ...] = ()
    is_snake: bool = False


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


class IdentitySettings(_Frozen):
    """How ids are read and followed, and what an account is made of.

    An alias that means more than `max_leads_per_alias` leads at once is shared and
    not followed. `account_email` is the leads' column whose e-mail domain stands for
    a missing account_id, unless it is one of free mail. With `hash_key_env` every id is
    replaced by its keyed hash; the variable holds the key.
    """

    max_leads_per_alias: int = Field(default=1, ge=1)
    plus_tags: Literal["apart", "together"] = "apart"
    account_email: str | None = None
    free_mail: tuple[str, ...] = ()
    hash_key_env: str | None = None


class ConsentColumn(_Frozen):
    """An attribute of leads that says who refused to be profiled, and by which values."""

    column: str
    refused: tuple[str, ...]


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
    aliases: tuple[TableSource, ...] = ()
    exports: tuple[ExportSource, ...] = ()
    warehouse: dict[str, Warehouse] = Field(default_factory=dict)
    identity: IdentitySettings = IdentitySettings()
    robots: RobotSettings = RobotSettings()
    consent: tuple[ConsentColumn, ...] = ()
    data_end: str | None = None
    earliest: str = "1990-01-01"

    @model_validator(mode="after")
    def _some_leads(self) -> "SourceSettings":
        if not (self.leads or self.exports):
            raise ValueError("give 'leads', or 'exports' that hold them")
        return self
