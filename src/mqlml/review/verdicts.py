"""What sales said of the leads it was given: by grade, by reason, by rep."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.modeling.metrics import wilson_interval
from mqlml.tables.contracts import PROCEDURAL_REASONS
from mqlml.timeline import is_from

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """Verdicts on scored leads, each with the features and score that the lead had before it.

    `rows`: lead_id, given_at, accepted (1 or 0), reason, who, probability, grade, and note
    where the verdicts have it.
    `matrix`: the features, row by row. Procedural verdicts are in `procedural`
    and nowhere else; `unscored` counts verdicts on leads never scored before.
    """

    rows: pd.DataFrame
    matrix: pd.DataFrame
    procedural: pd.DataFrame
    unscored: int


def judged_leads(verdicts: pd.DataFrame, scores: pd.DataFrame, matrix: pd.DataFrame) -> Judged:
    """Return each verdict with the lead's last score strictly before it, by time and lead.

    Args:
        verdicts: the verdicts table; of a lead that was judged several times each
            judgement counts.
        scores: lead_id, as_of (time), probability, grade.
        matrix: the features behind the scores, row by row.
    """
    is_procedural = verdicts["reason"].isin(PROCEDURAL_REASONS).to_numpy(dtype=bool)
    left = _timed(verdicts[~is_procedural], "given_at")
    right = _timed(scores, "as_of")[["lead_id", "__at", "probability", "grade"]]
    right = right.assign(__row=right.index)
    found = pd.merge_asof(
        left.sort_values(["__at", "lead_id"], kind="stable"),
        right.sort_values("__at", kind="stable"),
        on="__at",
        by="lead_id",
        allow_exact_matches=False,
    )
    known = found.dropna(subset=["__row"]).reset_index(drop=True)
    names = ["lead_id", "given_at", "reason", "who", "probability", "grade"]
    rows = known[[*names, *(["note"] if "note" in known else [])]]
    accepted = (known["verdict"] == "accepted").to_numpy(dtype=np.float64)
    return Judged(
        rows.assign(accepted=accepted, who=rows["who"].fillna("unknown")),
        matrix.iloc[known["__row"].to_numpy(dtype=np.int64)].reset_index(drop=True),
        verdicts[is_procedural].reset_index(drop=True),
        int(len(found) - len(known)),
    )


def judged_since(judged: Judged, moment: int) -> Judged:
    """Return the verdicts given at `moment` (microseconds) or later."""
    kept = [_from(frame, moment) for frame in (judged.rows, judged.procedural)]
    rows, procedural = (
        frame.iloc[places].reset_index(drop=True)
        for frame, places in zip((judged.rows, judged.procedural), kept, strict=True)
    )
    matrix = judged.matrix.iloc[kept[0]].reset_index(drop=True)
    return Judged(rows, matrix, procedural, judged.unscored)


def _from(frame: pd.DataFrame, moment: int) -> npt.NDArray[np.int64]:
    at = _timed(frame, "given_at")["__at"].to_numpy(np.int64)
    return np.flatnonzero(is_from(at, moment))


def _timed(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    times = frame[column]
    if not pd.api.types.is_numeric_dtype(times.dtype):
        times = times.dt.as_unit("us").astype("int64")
    timed = frame.assign(__at=times.astype("int64"), lead_id=frame["lead_id"].astype("str"))
    return timed.reset_index(drop=True)


def acceptance_by(groups: "pd.Series[Any]", accepted: Floats) -> pd.DataFrame:
    """Return group, leads, known, conversions (accepted), rate, low, high (95 %), by group."""
    table = pd.DataFrame({"group": groups.astype("str").to_numpy(), "accepted": accepted})
    by = table.groupby("group", sort=True)["accepted"]
    counted = by.agg(leads="size", known="size", conversions="sum").reset_index()
    rate = (counted["conversions"] / counted["known"]).to_numpy(dtype=np.float64)
    low, high = wilson_interval(rate, counted["known"].to_numpy(dtype=np.float64))
    return counted.assign(rate=rate, low=low, high=high)


def reasons_given(judged: Judged) -> pd.DataFrame:
    """Return reason and verdicts of all rejections, the most frequent first.

    Procedural ones are listed too: they tell of the process, not of the leads.
    """
    rejected = judged.rows.loc[judged.rows["accepted"] == 0, "reason"]
    procedural = judged.procedural.loc[judged.procedural["verdict"] == "rejected", "reason"]
    counts = pd.concat([rejected, procedural]).fillna("none given").value_counts()
    table = pd.DataFrame({"reason": counts.index.astype("str"), "verdicts": counts.to_numpy()})
    order = table.sort_values(["verdicts", "reason"], ascending=[False, True], kind="stable")
    return order.reset_index(drop=True)
