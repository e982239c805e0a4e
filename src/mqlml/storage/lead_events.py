"""A few leads' share of a snapshot: their events, those of their accounts, nothing else."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from mqlml import timeline
from mqlml.tables.contracts import EventLog, Tables
from mqlml.tables.sql import literal

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
