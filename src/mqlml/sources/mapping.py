"""What the mapping of one system's export declares: which file, column, time and event type."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from mqlml.sources.row_sql import canonical, each_of, utc_time, written
from mqlml.sources.settings import (
    AttributeSettings,
    Refusal,
    RowJoin,
    RowShape,
    Shaped,
    ShapedEvents,
    ShapedLeads,
    ShapedTable,
    TableSource,
)
from mqlml.tables.sql import literal, quoted

IGNORE = "ignore"
# What a block of exports calls the own names of each canonical column.
_SETTINGS = {"stage": "stages", "verdict": "verdicts", "reason": "reasons"}


@dataclass(frozen=True)
class LeadId:
    """The columns that may hold a lead's id, SQL for the id, and how to name them to people."""

    columns: tuple[str, ...]
    sql: str
    shown: str


@dataclass(frozen=True)
class Reading:
    """How a config says to read one export.

    `names` are its own names per canonical column, lower-case, with canonical ones
    or `ignore`. With `is_snake` files may call fields as the system's own interface does.
    `partners` are the sources of each table of the export, for joins.
    """

    lead_id: str
    is_master: bool = True
    timezone: str | None = None
    declared_zone: str | None = None
    time_format: str | None = None
    units_per_second: int = 1_000
    attributes: tuple[str, ...] = ()
    reason: str | None = None
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    partners: Mapping[str, tuple[TableSource, ...]] = field(default_factory=dict)
    is_snake: bool = False


@dataclass(frozen=True)
class Join:
    """Columns of another file of the export, found by a key.

    `own` is SQL over a row, `key` over a row there; both give text. With `is_many`
    a row becomes as many as it has partners; without `is_required` it may have none.
    `reads` are columns that `key` and `where` need and that may be absent. With
    `has_reason` the people's column that the config calls `reason` is there.
    """

    file: str
    own: str
    key: str
    columns: tuple[str, ...]
    reads: tuple[str, ...] = ()
    where: str = "true"
    is_required: bool = True
    is_many: bool = False
    has_reason: bool = False


@dataclass(frozen=True)
class Named:
    """A canonical name by what the system calls it.

    `texts` are SQL for own names; the first that is among the `names` (lower-case,
    the config adds to them) counts, else the last stays as it is.
    """

    texts: tuple[str, ...]
    names: Mapping[str, str]


@dataclass(frozen=True)
class FileMapping:
    """How the rows of one kind of file fill one canonical table.

    `file` is the name of the export's table, which its files are called after;
    "" stands for every data file of the folder, or every CSV file with the columns
    of the `signature`. `columns` map canonical names to columns of the file or
    derived ones. `ids` are the kinds of ids in the rows, each with its column; the
    config chooses one as the lead's, the others stand in for it as `kind:value`.
    Aliases may link to another alias: they say so with a `derived` lead_id.

    `joins`, `each` and `windows` are those of `RowShape`. `times` are derived from
    text that may count units since 1970. `names` make `stage`, `verdict` and `reason`
    after what is derived; rows whose name is `ignore` are left out. `better` maps other
    files to a condition: where such a file lies in the folder, rows for which it holds
    are left out, because that file tells them better. `remedies` say what to do about a
    canonical column that breaks its contract.

    Attribute `LABELx` is column `PREFIXx`; `looked_up` are further attributes with their
    columns, such as those of joins. With `is_history` only rows whose `name` is a chosen
    attribute count; `spread` makes such a row of each attribute's column.

    With `is_local` times without an offset need a zone in the config. With `own_kind`
    the file is read only if that kind of id is the lead's, with `foreign_kind` only if
    it is not, with `is_masters` only where the system is the master. A file is taken for
    one of this kind, where nobody says so, if it has all `told_by` columns, else the required.
    With a `header` files are of this kind that have none, and as many tab-separated values.
    """

    table: Literal["leads", "attributes", "events", "stages", "verdicts", "aliases"]
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
    signature: tuple[str, ...] = ()
    joins: tuple[Join, ...] = ()
    each: str | None = None
    times: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, Named] = field(default_factory=dict)
    windows: Mapping[str, str] = field(default_factory=dict)
    better: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""
    label: str = ""
    looked_up: Mapping[str, str] = field(default_factory=dict)
    spread: Mapping[str, str] = field(default_factory=dict)
    remedies: Mapping[str, str] = field(default_factory=dict)
    own_kind: str = ""
    foreign_kind: str = ""
    is_masters: bool = False
    told_by: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    is_history: bool = False
    has_reason: bool = False
    is_local: bool = False

    def source(self, path: str, lead_id: LeadId, reading: Reading) -> Shaped:
        """Return the source that reads the file at `path`."""
        chosen = tuple(dict.fromkeys((*self.attributes, *map(self._plain, reading.attributes))))
        flat = self._flat(chosen, reading)
        spread = self._spread(reading)
        joins = tuple(self._join(join, reading) for join in self.joins)
        shape = RowShape(
            required=self.required,
            signature=self.signature,
            optional=(
                *(*self.optional, *lead_id.columns, *self._reason(reading)),
                *(column for column in flat.values() if "." not in column),
                *spread.values(),
                *(f"{join.file}.{column}" for join in joins for column in join.columns),
            ),
            joins=joins,
            each=each_of(spread, has_empty=True) if spread else self.each,
            derived=self._derived(lead_id, reading, flat),
            windows=dict(self.windows),
            attributes=flat,
            lead_from=lead_id.shown,
            refused=self.refused,
            header=self.header,
            is_snake=reading.is_snake,
            remedies={**{c: _remedy(_SETTINGS[c]) for c in self.names}, **self.remedies},
        )
        given: dict[str, Any] = {
            "file": path,
            "format": self.format,
            "timezone": reading.declared_zone if self.is_local else reading.timezone,
            "time_format": reading.time_format if self.is_local else None,
            "columns": {**self.columns, "lead_id": "lead_id"},
            "constants": dict(self.constants),
            "values": {name: dict(names) for name, names in self.values.items()},
            "where": self._condition(chosen, reading),
            "shape": shape,
        }
        if self.table == "leads":
            return ShapedLeads(**given, attributes=AttributeSettings(columns=tuple(flat)))
        if self.table == "events":
            return ShapedEvents(**given, properties=dict(self.properties))
        return ShapedTable(**given)

    def _flat(self, chosen: Sequence[str], reading: Reading) -> dict[str, str]:
        """Return the attributes that are columns, with the column of each."""
        if self.table != "leads":
            return {}
        found = {
            name: column
            for name, column in self.looked_up.items()
            if "." not in column or column.split(".")[0] in reading.partners
        }
        return {name: self._column(name) for name in chosen} | found

    def _spread(self, reading: Reading) -> dict[str, str]:
        if not self.spread:
            return {}
        return {name: name for name in reading.attributes} | dict(self.spread)

    def _plain(self, attribute: str) -> str:
        """Return the attribute's name where the config may have named its column."""
        return attribute.removeprefix(self.prefix) if self.prefix else attribute

    def _column(self, attribute: str) -> str:
        return self.prefix + attribute.removeprefix(self.label)

    def _reason(self, reading: Reading) -> tuple[str, ...]:
        return (self.prefix + reading.reason,) if self.has_reason and reading.reason else ()

    def _join(self, join: Join, reading: Reading) -> RowJoin:
        reason = (reading.reason,) if join.has_reason and reading.reason else ()
        return RowJoin(
            file=join.file,
            sources=reading.partners.get(join.file, ()),
            own=join.own,
            key=join.key,
            columns=(*join.columns, *(self.prefix + name for name in reason)),
            reads=join.reads,
            where=join.where,
            is_required=join.is_required,
            is_many=join.is_many,
        )

    def _derived(
        self, lead_id: LeadId, reading: Reading, flat: Mapping[str, str]
    ) -> dict[str, str]:
        derived = {name: quoted(column) for name, column in flat.items() if name != column}
        derived["own_reason"] = self._own_reason(reading)
        derived |= self.derived
        for name, text in self.times.items():
            derived[name] = utc_time(text, per_second=reading.units_per_second)
        for name, names in self.names.items():
            own = {**names.names, **reading.names.get(name, {})}
            derived[name] = canonical(names.texts, own)
        derived.setdefault("lead_id", lead_id.sql)
        return derived

    def _own_reason(self, reading: Reading) -> str:
        if reading.reason is None:
            return "NULL"
        column = self.prefix + reading.reason
        joined = [f"{join.file}.{column}" for join in self.joins if join.has_reason]
        return quoted(joined[0]) if joined else quoted(column) if self.has_reason else "NULL"

    def _condition(self, chosen: Sequence[str], reading: Reading) -> str | None:
        parts = [self.where] if self.where else []
        parts += [f"{quoted(name)} IS DISTINCT FROM {literal(IGNORE)}" for name in self.names]
        if self.is_history:
            parts.append(f'"name" IN ({", ".join(map(literal, chosen))})')
        parts += [
            f"NOT coalesce({sql}, false)" for f, sql in self.better.items() if f in reading.partners
        ]
        return " AND ".join(f"({part})" for part in parts) or None


def lead_id_of(mapping: FileMapping, reading: Reading, path: str | None = None) -> LeadId:
    """Return the lead's id in a file's rows: the chosen one, else any other as `kind:value`.

    `path` is SQL for an id that the config names by column instead of by kind.
    """
    chosen = reading.lead_id
    texts, columns = [], []
    if path is not None:
        texts.append(path)
        columns.append(chosen.split(".")[0])
    for kind, column in sorted(mapping.ids.items(), key=lambda one: one[0] != chosen):
        is_plain = kind == chosen and reading.is_master
        texts.append(quoted(column) if is_plain else written(kind, quoted(column)))
        columns.append(column)
    sql = texts[0] if len(texts) == 1 else f"coalesce({', '.join(texts)})"
    taken = [c for c in columns if c not in mapping.derived and "." not in c]
    return LeadId(tuple(taken), sql, " or ".join(map(quoted, columns)))


def _remedy(setting: str) -> str:
    return f"give its own name one of ours, or '{IGNORE}', in exports.{setting}"


@dataclass(frozen=True)
class System:
    """The export of one system: its kinds of files and the id that is the lead's by default.

    With `is_any_id` a config may also name any column, or `column.key` for a
    value inside one, as the lead's id. Times without an offset are in `timezone`.
    Whole numbers for times count the `epoch` unit since 1970. Names of files may
    begin with one of the `prefixes`. With `is_snake` files and columns may be called as
    the system's own interface calls them, CampaignMember and CreatedDate.
    """

    name: str
    files: tuple[FileMapping, ...]
    lead_id: str
    is_any_id: bool = False
    timezone: str = "UTC"
    epoch: Literal["s", "ms"] = "ms"
    prefixes: tuple[str, ...] = ()
    is_snake: bool = False
