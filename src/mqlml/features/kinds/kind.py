"""What a kind of event feature is: its rules in words, and its plain calculation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Needs = Literal["nothing", "number", "text"]


@dataclass(frozen=True)
class SeenEvent:
    """An event of the feature's signal inside its window: when it counts from, and `of`'s value.

    A missing value is None.
    """

    at: int
    value: float | str | None = None


@dataclass(frozen=True)
class Question:
    """When a feature is asked and with which window; times and spans in microseconds."""

    as_of: int
    window: int
    half_life: int | None = None


Measure = Callable[[Sequence[SeenEvent], Question], float]


@dataclass(frozen=True)
class Kind:
    """One kind of event feature; `measure` gets its events by time, then event_id.

    `sentence` is for people, with {says}, {within}, {of} and {half_life} to fill.
    `min_weeks` is the least number of whole weeks the window must have (0: any window).
    """

    name: str
    means: str
    nulls: str
    empty: str
    ties: str
    repeats: str
    sentence: str
    measure: Measure
    of: Needs = "nothing"
    takes_half_life: bool = False
    min_weeks: int = 0


NO_VALUE_USED = "No value of the event is used."
NULLS_SKIPPED = "Events whose value is missing are skipped."
EACH_COUNTS = "Every event counts, also those at the same instant."
ORDER_IS_FREE = "The order of events does not matter."
