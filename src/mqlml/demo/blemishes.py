"""What is wrong in real exports, planted: repeated, contradicting, ragged and impossible rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from mqlml.demo.draws import Dice
from mqlml.timeline import MICROS_PER_DAY, MICROS_PER_HOUR

Kind = Literal["repeated", "contradicting", "broken", "torn"]
_ARRIVES_LATER = {"repeated": MICROS_PER_HOUR, "contradicting": MICROS_PER_DAY}


@dataclass(frozen=True)
class Blemish:
    """Copies of some rows with something wrong; `share` is how many rows are copied.

    A repeated row is equal to its original. A contradicting one has the same id
    and another value in `column`. A broken one has a new id (if the file has
    ids) and an impossible value. A torn one is a line that does not parse.
    """

    kind: Kind
    share: float
    column: str = ""
    value: str = ""


BLEMISHES: Mapping[str, tuple[Blemish, ...]] = {
    "crm_leads": (
        Blemish("repeated", 0.003),
        Blemish("contradicting", 0.001, "country", "France"),
        Blemish("broken", 0.0008, "created_at", "31/02/2024 25:61"),
        Blemish("broken", 0.0005, "lead_id", ""),
        Blemish("torn", 0.0005),
    ),
    "attribute_history": (
        Blemish("repeated", 0.002),
        Blemish("broken", 0.0005, "known_at", "yesterday"),
    ),
    "web_events": (
        Blemish("repeated", 0.003),
        Blemish("contradicting", 0.0002, "page", "/404"),
        Blemish("broken", 0.0001, "ts", "1970-01-01T00:00:00.000Z"),
        Blemish("broken", 0.0001, "lead", ""),
        Blemish("torn", 0.0002),
    ),
    "email_events": (
        Blemish("repeated", 0.004),
        Blemish("broken", 0.0001, "event_time", "Tue 14th"),
        Blemish("torn", 0.0002),
    ),
    "marketing_events": (
        Blemish("repeated", 0.004),
        Blemish("contradicting", 0.0005, "asset", "renamed"),
        Blemish("broken", 0.0002, "type", ""),
    ),
    "stage_history": (
        Blemish("repeated", 0.002),
        Blemish("broken", 0.0004, "stage", "Oportunity"),
        Blemish("broken", 0.0004, "changed_at", "31.02.2024"),
        Blemish("torn", 0.0003),
    ),
    "verdicts": (
        Blemish("repeated", 0.004),
        Blemish("broken", 0.001, "reason", "bad feeling"),
    ),
    "handovers": (Blemish("repeated", 0.003),),
}
_ID_COLUMNS = {
    "crm_leads": "lead_id",
    "web_events": "id",
    "email_events": "message_event_id",
    "marketing_events": "event_id",
}


def soil(name: str, clean: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the table with its planted rows at the end, each named in column `blemish`.

    Rows are picked in order of arrival, so that later rows do not change what
    happens to earlier ones. Clean rows have an empty `blemish`; the column is not exported.
    """
    dice = Dice(seed, f"blemishes {name}")
    clean = clean.sort_values("arrives", kind="stable", ignore_index=True)
    frames = [clean.assign(blemish="")]
    for number, blemish in enumerate(BLEMISHES[name]):
        picks = np.flatnonzero(dice().random(len(clean)) < blemish.share)
        copies = _spoiled(clean.iloc[picks], blemish)
        if blemish.kind in ("broken", "torn") and name in _ID_COLUMNS:
            copies = _with_new_ids(copies, _ID_COLUMNS[name], number, blemish.column)
        frames.append(copies)
    return pd.concat(frames, ignore_index=True)


def _spoiled(rows: pd.DataFrame, blemish: Blemish) -> pd.DataFrame:
    later = _ARRIVES_LATER.get(blemish.kind, 0)
    rows = rows.assign(blemish=blemish.kind, arrives=rows["arrives"] + later)
    return rows.assign(**{blemish.column: blemish.value}) if blemish.column else rows


def _with_new_ids(rows: pd.DataFrame, column: str, number: int, spoiled: str) -> pd.DataFrame:
    if column == spoiled:
        return rows
    return rows.assign(**{column: [f"{value}-{number}" for value in rows[column]]})
