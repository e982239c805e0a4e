"""Which lead belongs to which account, as known at a point."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mqlml.features.arrays import Ints
from mqlml.timeline import is_known


@dataclass(frozen=True)
class Directory:
    """Every lead with its account and when it was created; account -1 is none.

    An account is numbered only if it has two leads or more: with one there are no others.
    `is_placed` says who has an account at all.
    """

    leads: pd.Index
    accounts: pd.Index
    account: Ints
    is_placed: "pd.Series[bool]"
    created_at: Ints

    def of_points(self, points: pd.DataFrame) -> tuple[Ints, Ints]:
        """Return each point's lead and its account as known at as_of; -1 is unknown or none."""
        rows = self.leads.get_indexer(pd.Index(points["lead_id"])).astype(np.int64)
        as_of = points["as_of"].to_numpy(np.int64)
        known = (rows >= 0) & is_known(np.append(self.created_at, 0)[rows], as_of)
        rows = np.where(known, rows, -1)
        return rows, np.append(self.account, -1)[rows]

    def has_account(self, rows: Ints) -> "pd.Series[bool]":
        """Return of leads by their rows whether they have an account."""
        return pd.Series(np.append(self.is_placed.to_numpy(bool), False)[rows])


def make_directory(leads: pd.DataFrame) -> Directory:
    """Return the leads with their accounts."""
    ids = leads["account_id"]
    shared = ids.where(ids.duplicated(keep=False) & ids.notna())
    account, accounts = pd.factorize(shared, sort=True)
    created_at = leads["created_at"].astype("int64").to_numpy(np.int64)
    return Directory(
        pd.Index(leads["lead_id"]),
        pd.Index(accounts, dtype="str"),
        account.astype(np.int64),
        ids.notna(),
        created_at.astype(np.int64),
    )
