"""Features made of tables beside the events: stages, the account's leads, rates, ratios."""

from dataclasses import dataclass

from mqlml.features.columns import Axis, ColumnInfo
from mqlml.features.signals import Family
from mqlml.features.windows import span_name, within_words

# What a target is called that is a column of leads, not a stage.
FLAT_OUTCOME = "outcome"
# What the outcome of rates is called that is sales' verdict, not the target.
ACCEPTED = "accepted"


@dataclass(frozen=True)
class Outcome:
    """What the model predicts: `stage` entered within `horizon`, told at most `lag` later.

    Spans are microseconds; without a horizon nobody knows when the outcome was known.
    ACCEPTED instead of a stage is sales' first verdict, known when it was given.
    """

    stage: str
    horizon: int | None = None
    lag: int = 0


@dataclass(frozen=True)
class StageFeature:
    """Days since the lead last entered `stage`, or since its stage last changed (None)."""

    stage: str | None = None

    @property
    def column(self) -> str:
        """Return the name of the column, such as `stage__days_since_mql`."""
        return f"stage__days_since_{self.stage or 'change'}"

    @property
    def info(self) -> ColumnInfo:
        """Return what reports and models need to know of the column."""
        words = f"it became {self.stage}" if self.stage else "its stage last changed"
        return ColumnInfo(self.column, "engagement", "engagement", f"days since {words}", "number")


@dataclass(frozen=True)
class AccountLeads:
    """How many other leads of the lead's account were created in the window (microseconds)."""

    window: int

    @property
    def column(self) -> str:
        """Return the name of the column, such as `account__leads__90d`."""
        return f"account__leads__{span_name(self.window)}"

    @property
    def info(self) -> ColumnInfo:
        """Return what reports and models need to know of the column."""
        words = f"other leads of the same account created {within_words(self.window)}"
        return ColumnInfo(self.column, "engagement", "engagement", words, "number")


@dataclass(frozen=True)
class RateFeature:
    """How often other leads with the same `source` reached `outcome`, drawn toward all leads.

    Counted are leads whose outcome became known in the window (microseconds) before
    as_of. `strength` is how many average leads the group is mixed with. Of the outcome
    ACCEPTED it is how often sales accepted them.
    """

    source: str
    window: int
    strength: float
    outcome: Outcome
    axis: Axis = "fit"

    @property
    def column(self) -> str:
        """Return the column's name: `source__rate_20__ever`, `source__accepted_20__ever`."""
        what = "accepted" if self.is_of_verdicts else "rate"
        return f"{self.source}__{what}_{self.strength:g}__{span_name(self.window)}"

    @property
    def is_of_verdicts(self) -> bool:
        """Return whether it tells what sales accepted, not what reached the target."""
        return self.outcome.stage == ACCEPTED

    @property
    def family(self) -> Family:
        """Return "demographic" for what a lead is, "engagement" for what it did."""
        return "demographic" if self.axis == "fit" else "engagement"

    @property
    def info(self) -> ColumnInfo:
        """Return what reports and models need to know of the column."""
        source = self.source.replace("_", " ")
        reached = "a good outcome" if self.outcome.stage == FLAT_OUTCOME else self.outcome.stage
        words = f"share of other leads with the same {source} that reached {reached}, as known"
        if self.is_of_verdicts:
            words = f"share that sales accepted of other leads with the same {source}, as judged"
        words = f"{words} {within_words(self.window)}"
        return ColumnInfo(self.column, self.family, self.axis, words, "number")


@dataclass(frozen=True)
class RatioFeature:
    """The column `of` divided by the column `to`; `info` is that of the ratio."""

    of: str
    to: str
    info: ColumnInfo

    @property
    def column(self) -> str:
        """Return the name of the column."""
        return self.info.column
