"""What a kind of event feature is: its rules in words, and its plain calculation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Needs = Literal["nothing", "number", "text", "duration", "membership"]

# What the kinds that need a duration read.
DURATION = "duration_s"


@dataclass(frozen=True)
class SeenEvent:
    """An event inside the window: when it counts from, and the value that its kind reads.

    A missing value is None. For a kind that needs membership the events are those of
    `among`, and the value says whether the event is also one of the feature's signal (1 or 0).
    For a kind of the account the events are those of other leads, and the value is whose.
    """

    at: int
    value: float | str | None = None


@dataclass(frozen=True)
class Question:
    """When a feature is asked and with which window; times and spans in microseconds."""

    as_of: int
    window: int
    half_life: int | None = None
    cap: int | None = None


Measure = Callable[[Sequence[SeenEvent], Question], float]


@dataclass(frozen=True)
class Kind:
    """One kind of event feature; `measure` gets its events by time, then event_id.

    `sentence` is for people, with {says}, {within}, {of}, {half_life}, {cap} and {among} to
    fill. `min_weeks` is the least number of whole weeks the window must have (0: any window).
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
    takes_cap: bool = False
    min_weeks: int = 0

    @property
    def takes_column(self) -> bool:
        """Return whether the settings name the event column that is read."""
        return self.of in {"number", "text"}


NO_VALUE_USED = "No value of the event is used."
NULLS_SKIPPED = "Events whose value is missing are skipped."
EACH_COUNTS = "Every event counts, also those at the same instant."
ORDER_IS_FREE = "The order of events does not matter."
