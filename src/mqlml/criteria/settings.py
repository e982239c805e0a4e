"""The criteria file: the agreement of marketing and sales on what an MQL is."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(_Frozen):
    """A named condition over attributes and features, in SQL."""

    name: str
    when: str
    says: str | None = None


class Thresholds(_Frozen):
    """Where warm and MQL begin; of several conditions on MQL the strictest decides.

    `capacity_per_week`: new MQLs that sales can work. `precision_floor`: the least
    share of MQLs that convert. `cost_per_lead` and `value_per_conversion`, in one
    currency: working a lead must be worth its cost. `mql_probability`: a fixed one.
    """

    capacity_per_week: float | None = Field(default=None, gt=0)
    mql_probability: float | None = Field(default=None, gt=0, lt=1)
    precision_floor: float | None = Field(default=None, gt=0, lt=1)
    cost_per_lead: float | None = Field(default=None, gt=0)
    value_per_conversion: float | None = Field(default=None, gt=0)
    warm_share_of_mql: float = Field(default=0.5, gt=0, le=1)

    @property
    def is_measured(self) -> bool:
        """Return whether past leads are needed to tell where MQL begins."""
        return self.capacity_per_week is not None or self.precision_floor is not None


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
