"""Who was handed over to sales, point by point, and for whom explored leads stand."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml import timeline
from mqlml.tables.contracts import Tables

Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]

RAISED, EXPLORED = "hand_raiser", "explored"


def handed_over(tables: Tables, points: pd.DataFrame, *, within: int) -> Floats:
    """Return 1 for points whose lead sales had, or had within `within` microseconds, else 0.

    Time rule: a handover before as_of counts, whatever its route. One in [as_of, as_of +
    within) counts too, for it is what was done with the lead as it was then seen; but not a
    hand raiser's, which tells what the lead did after as_of. Points are as `training_points`
    gives them; the answer is in their order.
    """
    return np.asarray(routes_of(tables, points, within=within) != "", dtype=np.float64)


def routes_of(tables: Tables, points: pd.DataFrame, *, within: int) -> Texts:
    """Return by which route each point's lead was handed over ("" if it was not).

    The time rule is that of `handed_over`; a route that nobody noted is "scored".
    """
    rows = tables.handovers
    given = pd.DataFrame(
        {
            "lead_id": rows["lead_id"].astype("str"),
            "at": rows["at"].astype("int64").to_numpy(np.int64),
            "route": rows["route"].fillna("scored").astype("str"),
        }
    ).sort_values("at", kind="stable")
    asked = pd.DataFrame(
        {
            "lead_id": points["lead_id"].astype("str"),
            "at": points["as_of"].to_numpy(np.int64),
            "place": np.arange(len(points)),
        }
    ).sort_values("at", kind="stable")
    before = pd.merge_asof(asked, given, on="at", by="lead_id", allow_exact_matches=False)
    chosen = given[given["route"] != RAISED].assign(then=lambda f: f["at"])
    after = pd.merge_asof(asked, chosen, on="at", by="lead_id", direction="forward")
    as_of = after["at"].to_numpy(np.int64)
    # Microseconds of any business history are whole numbers of a float, too.
    known = after["then"].notna().to_numpy()
    then = np.where(known, after["then"].fillna(0).to_numpy(np.int64), timeline.NEVER)
    is_near = np.asarray(timeline.is_in_horizon(then, as_of, within))
    later = np.where(is_near, after["route"].fillna(""), "")
    route = np.where(before["route"].notna(), before["route"].fillna(""), later)
    found = np.full(len(points), "", dtype=object)
    found[asked["place"].to_numpy()] = route
    return found


def stand_in_weights(routes: Texts) -> Floats:
    """Return for how many leads each stands, so that handed-over ones speak for all.

    Inverse-propensity weights (Horvitz, Thompson 1952) whose chances are known by design: a
    lead that its score or its hand brought to sales stands for itself, an explored one for
    all that could have been drawn, itself included; one that was not handed over for nobody.
    All 0 without an explored lead: nothing is known of the others then.

    >>> stand_in_weights(np.array(["scored", "explored", "", "", ""], dtype=object)).tolist()
    [1.0, 4.0, 0.0, 0.0, 0.0]
    """
    drawn, left = (routes == EXPLORED), (routes == "")
    if not drawn.any():
        return np.zeros(len(routes))
    weight = (drawn.sum() + left.sum()) / drawn.sum()
    return np.where(left, 0.0, np.where(drawn, weight, 1.0))
