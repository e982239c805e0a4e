"""What the tables of the package hold: columns, types, keys, and the loaded snapshot.

Times are `timestamp[us, UTC]`; identifiers and categories are strings; numbers
are float64, missing as NaN. A table that the user does not have is empty, never
absent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import pandas as pd


class ColumnType(StrEnum):
    """How a canonical column is stored."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"
    FLAG = "flag"


class Known(StrEnum):
    """When the value of a lead's attribute is known; PERSONAL is known and never looked at."""

    CREATION = "creation"
    DATED = "dated"
    OUTCOME = "outcome"
    PERSONAL = "personal"


@dataclass(frozen=True)
class Column:
    """One column of a table contract; `required` columns are never null."""

    name: str
    type: ColumnType
    required: bool = False


@dataclass(frozen=True)
class Contract:
    """The columns of one table and the key that makes a row unique.

    A row that comes again and differs in its `ending` alone says when it ended: a
    correction of the earlier one, not a conflict with it.
    """

    table: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    ending: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Return the column names in order."""
        return tuple(column.name for column in self.columns)


_TEXT, _NUMBER, _TIME, _FLAG = ColumnType.TEXT, ColumnType.NUMBER, ColumnType.TIME, ColumnType.FLAG

LEADS = Contract(
    "leads",
    (
        Column("lead_id", _TEXT, required=True),
        Column("created_at", _TIME, required=True),
        Column("outcome", _FLAG),
        Column("account_id", _TEXT),
    ),
    ("lead_id",),
)
ATTRIBUTES = Contract(
    "attributes",
    (
        Column("lead_id", _TEXT, required=True),
        Column("name", _TEXT, required=True),
        Column("value", _TEXT),
        Column("known_at", _TIME, required=True),
    ),
    ("lead_id", "name", "known_at"),
)
EVENTS = Contract(
    "events",
    (
        Column("event_id", _TEXT, required=True),
        Column("lead_id", _TEXT, required=True),
        Column("occurred_at", _TIME, required=True),
        Column("arrived_at", _TIME, required=True),
        Column("type", _TEXT, required=True),
        Column("source", _TEXT),
        Column("channel", _TEXT),
        Column("campaign", _TEXT),
        Column("page", _TEXT),
        Column("asset", _TEXT),
        Column("value", _NUMBER),
        Column("duration_s", _NUMBER),
        Column("is_bot", _FLAG),
        Column("bot_reason", _TEXT),
    ),
    ("event_id",),
)
STAGES = Contract(
    "stages",
    (
        Column("lead_id", _TEXT, required=True),
        Column("stage", _TEXT, required=True),
        Column("entered_at", _TIME, required=True),
    ),
    ("lead_id", "stage", "entered_at"),
)
VERDICTS = Contract(
    "verdicts",
    (
        Column("lead_id", _TEXT, required=True),
        Column("given_at", _TIME, required=True),
        Column("verdict", _TEXT, required=True),
        Column("reason", _TEXT),
        Column("who", _TEXT),
        Column("note", _TEXT),
    ),
    ("lead_id", "given_at", "who"),
)
HANDOVERS = Contract(
    "handovers",
    (
        Column("lead_id", _TEXT, required=True),
        Column("at", _TIME, required=True),
        Column("score", _NUMBER),
        Column("model_version", _TEXT),
        Column("criteria_version", _TEXT),
        Column("route", _TEXT),
    ),
    ("lead_id", "at"),
)
# `alias` and `lead_id` name one person from `known_at` until `ended_at` (an un-merge), for ever
# without one. The id of a system is written `kind:value` (`email:ann@example.com`,
# `ga4:<user_pseudo_id>`, `hubspot:42`); a lead's own id stays what its master system calls it.
# `lead_id` is a lead's id or another alias, so links may form chains.
ALIASES = Contract(
    "aliases",
    (
        Column("alias", _TEXT, required=True),
        Column("lead_id", _TEXT, required=True),
        Column("known_at", _TIME, required=True),
        Column("ended_at", _TIME),
        Column("source", _TEXT),
    ),
    ("alias", "lead_id", "known_at"),
    ending="ended_at",
)
CONTRACTS = {c.table: c for c in (LEADS, ATTRIBUTES, EVENTS, STAGES, VERDICTS, HANDOVERS, ALIASES)}

# When one lead was another: from `known_at` on `lead_id` is `survivor`, until `ended_at`.
MERGES = Contract(
    "merges",
    (
        Column("lead_id", _TEXT, required=True),
        Column("survivor", _TEXT, required=True),
        Column("known_at", _TIME, required=True),
        Column("ended_at", _TIME),
    ),
    ("lead_id", "known_at"),
)
# Links and ids that were not followed, and why; `known_at` is missing where it never was.
CONFLICTS = Contract(
    "conflicts",
    (
        Column("alias", _TEXT, required=True),
        Column("reason", _TEXT, required=True),
        Column("known_at", _TIME),
    ),
    ("alias", "reason", "known_at"),
)
# Columns of an event log in which leads were merged or links ended: the row is looked at by
# points with as_of in (counts_after, counts_until] only; no bound where one is missing.
SPELL_COLUMNS = (Column("counts_after", _TIME), Column("counts_until", _TIME))

STAGE_ORDER = ("lead", "mql", "sal", "sql", "opportunity", "customer")
CLOSED_STAGES = ("disqualified",)
STAGE_NAMES = (*STAGE_ORDER, *CLOSED_STAGES, "recycled")
VERDICT_NAMES = ("accepted", "rejected")
REASON_NAMES = (
    "not_icp",
    "no_budget",
    "no_authority",
    "no_need",
    "not_now",
    "unreachable",
    "wrong_data",
    "duplicate",
    "competitor",
    "other",
)
# Said of the record or the moment, not of the lead's quality.
PROCEDURAL_REASONS = ("duplicate", "wrong_data", "unreachable", "not_now")


@dataclass(frozen=True)
class Attribute:
    """A column of `leads` beyond the contract: its type and when its value is known."""

    name: str
    type: ColumnType
    known: Known = Known.CREATION


@dataclass(frozen=True)
class EventLog:
    """Where the events lie: Parquet files `bucket=*/**.parquet`, one lead in one bucket.

    Columns are those of the events contract plus `properties` (extra columns,
    text or number). `rows` counts every stored event, bots included.
    """

    folder: Path
    rows: int
    properties: tuple[Column, ...] = ()


def no_merges() -> pd.DataFrame:
    """Return merges without a row."""
    times = pd.Series([], dtype="datetime64[us, UTC]")
    texts = pd.Series([], dtype="str")
    return pd.DataFrame({"lead_id": texts, "survivor": texts, "known_at": times, "ended_at": times})


@dataclass(frozen=True)
class AliasLog:
    """Where the aliases lie, sorted by alias: one Parquet file, absent where there are none."""

    path: Path | None = None
    rows: int = 0


@dataclass(frozen=True)
class Tables:
    """One loaded snapshot of the workspace's tables, read only.

    `leads` has one row per lead: contract columns, then one column per attribute
    whose value is known at creation or at the outcome; dated attributes are rows
    of `attributes`. `data_end` is in microseconds UTC: the instant up to which
    the snapshot is complete. With `is_order_time` the times are made from an
    order column and mean nothing but before and after.
    """

    leads: pd.DataFrame
    attributes: pd.DataFrame
    stages: pd.DataFrame
    verdicts: pd.DataFrame
    handovers: pd.DataFrame
    events: EventLog
    attribute_specs: tuple[Attribute, ...]
    data_end: int
    digest: str
    is_order_time: bool = False
    aliases: AliasLog = AliasLog()
    merges: pd.DataFrame = field(default_factory=no_merges)

    def attributes_known(self, known: Known) -> Sequence[str]:
        """Return the names of attributes whose value is known at `known`."""
        return tuple(a.name for a in self.attribute_specs if a.known is known)
