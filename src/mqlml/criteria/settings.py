"""The criteria file: the agreement of marketing and sales on what an MQL is."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

_DAYS_PER_WEEK = 7


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(_Frozen):
    """A named condition over attributes and features, in SQL."""

    name: str
    when: str
    says: str | None = None


class RankedList(_Frozen):
    """The best leads of each period are handed over, never more than sales can take.

    `most`: new leads per period. A week begins on Monday, a day at midnight, in the
    config's zone. Hand raisers go to sales whatever the score; `hand_raisers_count` says
    whether each takes a place. A lead that was handed over stays an MQL, and takes no
    place again, while its probability is at least `stays_from` times the run's cut.
    `explored_share` of the places go to leads drawn by chance among those that the rules
    allow and the list leaves out.
    """

    most: int = Field(ge=1)
    per: Literal["week", "day"] = "week"
    hand_raisers_count: bool = True
    stays_from: float = Field(default=0.0, ge=0, le=1)
    explored_share: float = Field(default=0.0, ge=0, le=0.5)

    @property
    def per_week(self) -> float:
        """Return the most new leads of a week."""
        return float(self.most if self.per == "week" else self.most * _DAYS_PER_WEEK)


class Thresholds(_Frozen):
    """Where warm and MQL begin; of several conditions on MQL the strictest decides.

    `ranked`: the best of each period, as many as sales can take. `capacity_per_week`:
    new MQLs that sales can work, kept by a threshold that past weeks kept.
    `precision_floor`: the least share of MQLs that convert. `cost_per_lead` and
    `value_per_conversion`, in one currency: working a lead must be worth its cost.
    `mql_probability`: a fixed one.
    """

    ranked: RankedList | None = None
    capacity_per_week: float | None = Field(default=None, gt=0)
    mql_probability: float | None = Field(default=None, gt=0, lt=1)
    precision_floor: float | None = Field(default=None, gt=0, lt=1)
    cost_per_lead: float | None = Field(default=None, gt=0)
    value_per_conversion: float | None = Field(default=None, gt=0)
    warm_share_of_mql: float = Field(default=0.5, gt=0, le=1)

    @property
    def is_measured(self) -> bool:
        """Return whether past leads are needed to tell where MQL begins."""
        asked = (self.ranked, self.capacity_per_week, self.precision_floor)
        return any(condition is not None for condition in asked)


class SignOff(_Frozen):
    """Who agreed to which content, and on which day.

    `digest` is `criteria_digest` of what was signed: it no longer fits once the
    content is edited, and without it nobody can say what was agreed to.
    """

    team: Literal["marketing", "sales"]
    who: str
    role: str = ""
    on: str
    digest: str = ""


class Criteria(_Frozen):
    """One version of the criteria; its digest is part of every score."""

    version: int = Field(ge=1)
    valid_from: str | None = None
    note: str = ""
    owners: tuple[str, ...] = ()
    signed: tuple[SignOff, ...] = ()
    exclusions: tuple[Rule, ...] = ()
    icp_gate: tuple[Rule, ...] = ()
    disqualifiers: tuple[Rule, ...] = ()
    hand_raisers: tuple[Rule, ...] = ()
    thresholds: Thresholds = Thresholds(mql_probability=0.2)
