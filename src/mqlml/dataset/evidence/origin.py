"""Where the values of the columns come from: what the tables say of when each was known."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.dataset.labels import micros
from mqlml.tables.contracts import Known, Tables

CREATED_SHARE = 0.99


@dataclass(frozen=True)
class Origin:
    """When each attribute is declared to be known, and the dates of the dated ones.

    `history` holds lead_id, name, known_at and created_at (microseconds UTC) per
    dated value. With `is_order_time` the points' times are no dates.
    """

    known: Mapping[str, Known] = field(default_factory=dict)
    history: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=["lead_id", "name", "known_at", "created_at"])
    )
    is_order_time: bool = False

    def stamped(self) -> dict[str, float]:
        """Return the dated attributes whose dates are but the leads' creation, with that share.

        Such dates say no more than a flat table does: each lead has one value, and
        when it was written nobody knows.
        """
        if self.history.empty:
            return {}
        known_at, created_at = (self.history[c].to_numpy() for c in ("known_at", "created_at"))
        is_creation = pd.Series(timeline.is_known(known_at, created_at))
        shares = is_creation.groupby(self.history["name"].to_numpy(), sort=False).mean()
        return {str(n): float(s) for n, s in shares.items() if s >= CREATED_SHARE}

    def dated(self) -> frozenset[str]:
        """Return the attributes whose values count only from dates of their own."""
        return frozenset(n for n, k in self.known.items() if k is Known.DATED) - set(self.stamped())


def origin_of(tables: Tables) -> Origin:
    """Return what the tables say of when values were known."""
    known = {spec.name: spec.known for spec in tables.attribute_specs}
    rows = tables.attributes
    place = pd.Index(tables.leads["lead_id"]).get_indexer(pd.Index(rows["lead_id"]))
    created = np.append(micros(tables.leads["created_at"]), -timeline.EVER)[place]
    history = pd.DataFrame(
        {
            "lead_id": rows["lead_id"].to_numpy(),
            "name": rows["name"].to_numpy(),
            "known_at": micros(rows["known_at"]),
            "created_at": created,
        }
    )
    return Origin(known, history, tables.is_order_time)
