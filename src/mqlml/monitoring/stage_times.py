"""How long leads take to each stage, by the month in which they entered it."""

import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.monitoring.evidence import micros_of
from mqlml.tables.contracts import STAGE_ORDER

COLUMNS = ("stage", "month", "leads", "median_days", "low_days", "high_days")


def stage_times(
    leads: pd.DataFrame, stages: pd.DataFrame, *, as_of: int, months: int = 12
) -> pd.DataFrame:
    """Return days from a lead's creation to its first entry of a stage, by month of the entry.

    By month of entry nobody has to be waited for: the newest month is as complete as any. One
    row per stage and month with an entry, in the funnel's order, the latest `months` months up
    to `as_of`; `low_days` and `high_days` hold the middle half. A stage entered before the
    lead's creation counts as 0 days. The stage "lead" itself is left out.
    """
    if stages.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    entered = pd.DataFrame(
        {
            "lead_id": stages["lead_id"].to_numpy(),
            "stage": stages["stage"].to_numpy(),
            "at": micros_of(stages["entered_at"]),
        }
    )
    seen = np.asarray(timeline.is_seen(entered["at"].to_numpy(np.int64), _all(entered, as_of)))
    counted = entered.loc[seen & (entered["stage"] != "lead").to_numpy()]
    first = counted.groupby(["lead_id", "stage"])["at"].min().reset_index()
    created = pd.Series(micros_of(leads["created_at"]), index=leads["lead_id"].to_numpy())
    first["created"] = first["lead_id"].map(created)
    first = first.dropna(subset=["created"])
    waited = np.maximum(first["at"] - first["created"].astype(np.int64), 0)
    first["days"] = waited / timeline.MICROS_PER_DAY
    first["month"] = pd.to_datetime(first["at"], unit="us").dt.strftime("%Y-%m")
    kept = sorted(first["month"].unique())[-months:]
    grouped = first[first["month"].isin(kept)].groupby(["stage", "month"])["days"]
    shares = {"low_days": 0.25, "median_days": 0.5, "high_days": 0.75}
    columns = {name: grouped.quantile(share) for name, share in shares.items()}
    table = pd.DataFrame({"leads": grouped.size(), **columns}).reset_index()
    order = {stage: place for place, stage in enumerate(STAGE_ORDER)}
    table["place"] = table["stage"].map(order).fillna(len(order))
    ranked = table.sort_values(["place", "stage", "month"], kind="stable")
    return ranked[list(COLUMNS)].reset_index(drop=True)


def _all(frame: pd.DataFrame, moment: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.full(len(frame), moment, dtype=np.int64)
