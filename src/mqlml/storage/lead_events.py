"""A few leads' share of a snapshot: their events, those of their accounts, nothing else."""

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from mqlml import timeline
from mqlml.tables.contracts import EventLog, Tables
from mqlml.tables.sql import literal

_BY_RULE = "(is_bot AND bot_reason <> 'source')"
_ORDER = "lead_id, greatest(occurred_at, arrived_at), event_id"


def tables_of_leads(
    tables: Tables, lead_ids: Collection[str], folder: Path, *, before: int | None = None
) -> Tables:
    """Return `tables` with the events of some leads and of their accounts' other leads only.

    With `before` (microseconds) only events that count from earlier are there. The events
    are written into `folder`, which must last as long as the tables are used.
    """
    wanted = pa.table({"lead_id": pa.array(sorted(_with_accounts(tables, lead_ids)), pa.string())})
    files = literal(str(tables.events.folder / "**" / "*.parquet"))
    # What `timeline.is_seen` says.
    seen = timeline.EVER if before is None else before
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("wanted", wanted)
        events = connection.sql(
            f"SELECT events.* FROM read_parquet({files}, hive_partitioning = false) AS events "
            "SEMI JOIN wanted USING (lead_id) "
            f"WHERE epoch_us(greatest(occurred_at, arrived_at)) < {seen} ORDER BY {_ORDER}"
        ).to_arrow_table()
    target = folder / "events" / "bucket=0"
    target.mkdir(parents=True)
    pq.write_table(events, target / "part.parquet")
    return replace(tables, events=EventLog(target.parent, len(events), tables.events.properties))


def _with_accounts(tables: Tables, lead_ids: Collection[str]) -> set[str]:
    leads = tables.leads
    accounts = leads.loc[leads["lead_id"].isin(list(lead_ids)), "account_id"].dropna()
    same = leads.loc[leads["account_id"].isin(accounts.unique()), "lead_id"]
    return {*lead_ids, *same}


def steps_of_leads(
    tables: Tables, lead_ids: Collection[str], *, most: int = 300
) -> Callable[[str], list[tuple[int, str, str | None]]]:
    """Return a function that gives a lead's latest events, oldest first.

    Each is when it happened (microseconds), its type, and of what: asset, page or campaign.
    What robots did is left out. All of it is read at once and kept in memory.
    """
    wanted = pa.table({"lead_id": pa.array(sorted(set(lead_ids)), pa.string())})
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("wanted", wanted)
        events = connection.sql(
            "SELECT lead_id, epoch_us(occurred_at) AS at, type,"
            f" coalesce(asset, page, campaign) AS of FROM {_log(tables)} AS events"
            " SEMI JOIN wanted USING (lead_id) WHERE NOT coalesce(is_bot, false)"
            " QUALIFY row_number() OVER"
            f" (PARTITION BY lead_id ORDER BY occurred_at DESC, event_id DESC) <= {most}"
            " ORDER BY lead_id, occurred_at, event_id"
        ).to_arrow_table()
    starts: dict[str, int] = {}
    ends: dict[str, int] = {}
    for place, lead in enumerate(events["lead_id"].to_pylist()):
        starts.setdefault(lead, place)
        ends[lead] = place + 1
    kept = events.drop_columns(["lead_id"])

    def steps(lead: str) -> list[tuple[int, str, str | None]]:
        start = starts.get(lead, 0)
        rows = kept.slice(start, ends.get(lead, 0) - start)
        return list(zip(*(column.to_pylist() for column in rows.columns), strict=True))

    return steps


def marks(tables: Tables) -> dict[str, int]:
    """Return how many events each rule on robots marked, by the rule's name."""
    query = (
        f"SELECT bot_reason, count(*) FROM {_log(tables)} WHERE is_bot AND bot_reason IS NOT NULL"
    )
    with duckdb.connect(":memory:") as connection:
        rows = connection.execute(f"{query} GROUP BY ALL ORDER BY ALL").fetchall()
    return {str(rule): int(count) for rule, count in rows}


def marked_leads(tables: Tables) -> list[str]:
    """Return the leads of which a rule marked an event."""
    query = f"SELECT DISTINCT lead_id FROM {_log(tables)} WHERE {_BY_RULE}"
    with duckdb.connect(":memory:") as connection:
        return [str(lead) for (lead,) in connection.execute(query).fetchall()]


def without_marks(tables: Tables, folder: Path) -> Tables:
    """Return `tables` with their events, written into `folder`, as if no rule had marked any."""
    target = folder / "events" / "bucket=0"
    target.mkdir(parents=True)
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        events = connection.sql(
            f"SELECT * REPLACE (is_bot AND NOT coalesce({_BY_RULE}, false) AS is_bot)"
            f" FROM {_log(tables)} ORDER BY {_ORDER}"
        ).to_arrow_table()
    pq.write_table(events, target / "part.parquet")
    return replace(tables, events=EventLog(target.parent, len(events), tables.events.properties))


def _log(tables: Tables) -> str:
    files = literal(str(tables.events.folder / "**" / "*.parquet"))
    return f"read_parquet({files}, hive_partitioning = false)"
