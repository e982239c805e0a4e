"""What sales said of a lead within the horizon of each point: a second target, never a feature."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.dataset.labels import days_to_micros, micros
from mqlml.dataset.settings import TargetSettings
from mqlml.tables.contracts import PROCEDURAL_REASONS, Tables
from mqlml.timeline import NEVER, is_in_horizon

Floats = npt.NDArray[np.float64]


def accepted_within(tables: Tables, points: pd.DataFrame, target: TargetSettings) -> Floats:
    """Return 1 or 0 per point by the first verdict in `[as_of, as_of + horizon)`, else NaN.

    Procedural reasons do not judge a lead and are passed over; of several verdicts at one
    instant a rejection counts. It is known when the label is, so whoever may learn from the
    label may learn from this. Without a horizon nothing is known.
    """
    found = np.full(len(points), np.nan)
    if target.horizon_days is None:
        return found
    said = tables.verdicts[~tables.verdicts["reason"].isin(PROCEDURAL_REASONS)]
    verdicts = pd.DataFrame(
        {
            "lead_id": said["lead_id"].astype("str"),
            "at": micros(said["given_at"]),
            "accepted": (said["verdict"] == "accepted").to_numpy(np.float64),
        }
    ).sort_values(["at", "lead_id", "accepted"])
    verdicts = verdicts.drop_duplicates(["lead_id", "at"])
    asked = pd.DataFrame(
        {
            "lead_id": points["lead_id"].astype("str").to_numpy(),
            "at": points["as_of"].to_numpy(np.int64),
            "row": np.arange(len(points)),
        }
    ).sort_values("at", kind="stable")
    given = verdicts.rename(columns={"at": "given"}).assign(at=verdicts["at"])
    first = pd.merge_asof(asked, given, on="at", by="lead_id", direction="forward")
    as_of, horizon = first["at"].to_numpy(np.int64), days_to_micros(target.horizon_days)
    is_in = is_in_horizon(_times(first["given"]), as_of, horizon)
    accepted = first["accepted"].to_numpy(np.float64)
    found[first["row"].to_numpy()] = np.where(is_in, accepted, np.nan)
    return found


def with_acceptance(points: pd.DataFrame, tables: Tables, target: TargetSettings) -> pd.DataFrame:
    """Return the points with one more column, `accepted` (see `accepted_within`)."""
    return points.assign(accepted=accepted_within(tables, points, target))


def _times(given: "pd.Series[float]") -> npt.NDArray[np.int64]:
    """Return times that may be missing as whole microseconds, NEVER where they are."""
    known = given.notna().to_numpy()
    times = np.full(len(given), NEVER, np.int64)
    times[known] = given[known].to_numpy(np.int64)
    return times
