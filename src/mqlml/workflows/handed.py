"""Who was handed over to sales, as the CRM's table of handovers tells it."""

import numpy as np
import pandas as pd

from mqlml.criteria.ranking import first_handed, nobody_handed
from mqlml.monitoring.evidence import micros_of
from mqlml.tables.contracts import Tables

_HAND_RAISER = "hand_raiser"


def handed_in_crm(tables: Tables) -> pd.DataFrame:
    """Return as_of (microseconds) and is_hand_raiser of each lead's first handover, by lead_id.

    Whoever handed a lead over, and why, it took sales' time. `route` tells hand raisers, in
    whatever case and with blanks or hyphens; without a route a lead is none. What the tables do
    not know yet (`as_known_at`) is not told.
    """
    told = tables.handovers
    if told.empty:
        return nobody_handed()
    at = micros_of(told["at"])
    frame = pd.DataFrame(
        {"as_of": np.asarray(at, np.int64), "is_hand_raiser": _is_raised(told)},
        pd.Index(told["lead_id"], dtype="str", name="lead_id"),
    )
    return first_handed(frame)


def _is_raised(told: pd.DataFrame) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    if "route" not in told:
        return np.zeros(len(told), bool)
    route = told["route"].astype("str").fillna("").str.strip().str.casefold()
    plain = route.str.replace("-", "_", regex=False).str.replace(" ", "_", regex=False)
    return np.asarray(plain == _HAND_RAISER, dtype=bool)
