"""What the other leads of a lead's account did: counts over the account less the lead's own.

The kernel counts twice what the events' account did and what the lead itself
did, and the difference is the others. Counts add up over buckets, so a bucket
needs to know only its own events: whoever runs it adds the parts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from mqlml.features.arrays import Floats, Ints
from mqlml.features.bucket import (
    EventReader,
    Points,
    Work,
    arrange_points,
    arrange_work,
    empty_matrix,
    fill_bucket,
    restore_order,
)
from mqlml.features.columns import Feature
from mqlml.features.directory import Directory, make_directory
from mqlml.features.patterns import column_codes
from mqlml.features.plan import Plan
from mqlml.tables.contracts import Tables
from mqlml.timeline import counts_from

# Beside the account's id in `lead_id`, whose event it is.
_MEMBER = "__member"
_TIME = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class AccountWork:
    """What the plan asks of accounts, and for which points, in the kernel's form.

    The first features are counted for accounts and the same ones for the leads themselves.
    """

    features: tuple[Feature, ...]
    directory: Directory
    work: Work
    by_account: Points
    by_lead: Points

    def columns(self, available: Sequence[str]) -> tuple[str, ...]:
        """Return the event columns to read."""
        return tuple(name for name in self.work.columns(available) if name != _MEMBER)


def arrange_accounts(tables: Tables, points: pd.DataFrame, plan: Plan) -> AccountWork:
    """Return what `plan.accounts` asks for `points`."""
    directory = make_directory(tables.leads)
    _, account = directory.of_points(points)
    asked = points[account >= 0]
    account_ids = directory.accounts.take(account[account >= 0])
    by_account = pd.DataFrame({"lead_id": account_ids, "as_of": asked["as_of"].to_numpy()})
    counted = tuple(
        replace(f, kind="count" if f.kind == "account_count" else "distinct", of=_of(f))
        for f in plan.accounts
    )
    work = arrange_work(replace(plan, features=counted))
    return AccountWork(
        plan.accounts, directory, work, arrange_points(by_account), arrange_points(asked)
    )


def _of(feature: Feature) -> str | None:
    return None if feature.kind == "account_count" else _MEMBER


def account_counts(
    read: EventReader, asked: AccountWork, *, connection: duckdb.DuckDBPyConnection
) -> tuple[Floats, Floats]:
    """Return what the events of one bucket add to the accounts' and to the leads' own counts.

    Each has a row per feature and a column per point of `asked.by_account` and
    `asked.by_lead`. The counts of all buckets add up to the whole.
    """
    events = read(())
    lead = _rows_of(events, asked.directory.leads)
    account = np.append(asked.directory.account, -1)[lead]
    dated = _dated(events, lead, asked.directory.created_at)
    counts = []
    for points, keys, numbers in (
        (asked.by_account, asked.directory.accounts, account),
        (asked.by_lead, asked.directory.leads, np.where(account >= 0, lead, -1)),
    ):
        reader = partial(_given, _keyed(dated, keys, numbers))
        counts.append(empty_matrix(asked.work, len(points.as_of)))
        fill_bucket(reader, asked.work, points, counts[-1], connection=connection)
    return counts[0], counts[1]


def account_columns(
    readers: Iterable[EventReader],
    tables: Tables,
    points: pd.DataFrame,
    plan: Plan,
    *,
    connection: duckdb.DuckDBPyConnection,
) -> dict[str, pd.Series]:
    """Return the columns of `plan.accounts` by name, one value per point in the points' order.

    A reader gives the events of one bucket, with the columns that
    `arrange_accounts(…).columns` names; texts come as dictionaries.
    """
    if not plan.accounts:
        return {}
    asked = arrange_accounts(tables, points, plan)
    whole = empty_matrix(asked.work, len(asked.by_account.as_of))
    own = empty_matrix(asked.work, len(asked.by_lead.as_of))
    if len(asked.by_lead.as_of):
        for read in readers:
            of_account, of_lead = account_counts(read, asked, connection=connection)
            whole += of_account
            own += of_lead
    return others_of(whole, own, asked, points)


def others_of(
    whole: Floats, own: Floats, asked: AccountWork, points: pd.DataFrame
) -> dict[str, pd.Series]:
    """Return the columns from the accounts' and the leads' own counts of all buckets."""
    restore_order(whole, asked.by_account)
    restore_order(own, asked.by_lead)
    rows, account = asked.directory.of_points(points)
    empty = np.where(asked.directory.has_account(rows), 0.0, np.nan)
    columns = {}
    for number, feature in enumerate(asked.features):
        values = empty.copy()
        values[account >= 0] = whole[number] - own[number]
        columns[feature.column] = pd.Series(values)
    return columns


def _given(events: pa.Table, _: Sequence[str]) -> pa.Table:
    return events


def _rows_of(events: pa.Table, leads: pd.Index) -> Ints:
    """Return the row of each event's lead in the directory, -1 for a stranger."""
    ids = events["lead_id"].combine_chunks().dictionary.to_pandas()
    rows = leads.get_indexer(pd.Index(ids, dtype="str"))
    return np.append(rows, -1)[column_codes(events["lead_id"])].astype(np.int64)


def _dated(events: pa.Table, lead: Ints, created_at: Ints) -> pa.Table:
    """Return events that count from their lead's creation, if that is later; with their lead."""
    created = np.append(created_at, 0)[lead]
    arrived = events["arrived_at"].combine_chunks().view(pa.int64()).to_numpy()
    later = pa.array(counts_from(arrived, created)).cast(_TIME)
    position = events.column_names.index("arrived_at")
    member = events["lead_id"]
    return events.set_column(position, "arrived_at", later).append_column(_MEMBER, member)


def _keyed(events: pa.Table, keys: pd.Index, numbers: Ints) -> pa.Table:
    """Return events whose `lead_id` is one of `keys`, missing where the number is -1."""
    codes = pa.array(numbers, mask=numbers < 0, type=pa.int64())
    ids = pa.DictionaryArray.from_arrays(codes, pa.array(keys, type=pa.string()))
    return events.set_column(events.column_names.index("lead_id"), "lead_id", ids)
