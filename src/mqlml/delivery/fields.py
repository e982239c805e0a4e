"""The fields that a CRM gets for each lead, and their values from a row of scores."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

Value = str | float | int | None
# HubSpot and Salesforce cut or refuse longer texts.
_LONGEST = 1000


@dataclass(frozen=True)
class Field:
    """One field: its name among ours, its label and type for who sets it up in the CRM."""

    name: str
    label: str
    type: Literal["number", "text", "time"]
    says: str


FIELDS = (
    Field("score", "MQL score", "number", "probability in percent, one decimal"),
    Field("outcome", "MQL outcome", "text", "cold, warm, mql, hand_raiser or disqualified"),
    Field("grade", "MQL grade", "text", "letter for fit, number for engagement"),
    Field("because", "MQL outcome because", "text", "the rule or threshold that decided"),
    Field("reasons_up", "MQL reasons up", "text", "what raises the score, in words"),
    Field("reasons_down", "MQL reasons down", "text", "what lowers the score, in words"),
    Field("trend", "MQL score trend", "number", "change since the score before"),
    Field("persona", "MQL persona", "text", "the buyer's persona"),
    Field("as_of", "MQL scored as of", "time", "the moment of the score, UTC"),
    Field("model_version", "MQL model version", "text", "which model gave the score"),
    Field("criteria_version", "MQL criteria version", "number", "which agreement decided"),
)
NAMES = tuple(field.name for field in FIELDS)
# A new moment or model with the same answer is no news to a rep.
_NO_NEWS = ("as_of", "model_version", "trend")


@dataclass(frozen=True)
class Record:
    """What one lead gets: its id, the values by field, and a digest of what is news in them."""

    lead_id: str
    values: Mapping[str, Value]

    @property
    def key(self) -> str:
        """Return a digest of the lead's id, by which deliveries are remembered."""
        return key_of(self.lead_id)

    @property
    def digest(self) -> str:
        """Return 16 hex digits that change when the lead's answer does."""
        news = {name: value for name, value in self.values.items() if name not in _NO_NEWS}
        text = json.dumps(news, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def key_of(lead_id: str) -> str:
    """Return the digest of an id, 32 hex digits."""
    return hashlib.sha256(lead_id.encode()).hexdigest()[:32]


def records_of(scores: pd.DataFrame) -> Iterator[Record]:
    """Yield one record per row of scores, by lead id; missing values are None."""
    kept = scores[["lead_id", *(name for name in NAMES if name in scores.columns)]]
    for row in kept.sort_values("lead_id", kind="stable").to_dict("records"):
        values = {str(n): _plain(v) for n, v in row.items() if n != "lead_id"}
        yield Record(str(row["lead_id"]), values)


def _plain(value: object) -> Value:
    if value is None or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, int):
        return value
    text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
