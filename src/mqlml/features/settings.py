"""Settings of signals, features and what an ideal customer looks like."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

EventKind = Literal[
    "count",
    "active_days",
    "days_since_last",
    "days_since_first",
    "distinct",
    "sum",
    "mean",
    "max",
    "min",
    "last_value",
    "sessions",
    "decayed_count",
    "active_weeks_streak",
    "weekly_slope",
    "mean_gap_days",
    "max_gap_days",
    "mean_session_events",
    "max_session_events",
    "mean_session_minutes",
    "max_session_minutes",
    "time_spent",
    "share",
    "account_count",
    "account_active_leads",
]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SignalSettings(_Frozen):
    """A named filter over one event row, in SQL, with its family and words for people."""

    where: str
    says: str | None = None
    family: Literal["behavioural", "engagement"] = "behavioural"


class FeatureSettings(_Frozen):
    """One line of the plan; expands to kinds × signals × windows.

    `windows_days` may hold the word "ever". `of` names a numeric event column
    for sum, mean, max, min and last_value, a text column for distinct. `among`
    names the signal whose events are the whole of a share (any, if left out),
    `cap_minutes` how long one event may count as time_spent (30, if left out).
    """

    kinds: tuple[EventKind, ...]
    signals: tuple[str, ...] = ()
    windows_days: tuple[float | Literal["ever"], ...] = ("ever",)
    of: str | None = None
    half_life_days: float | None = Field(default=None, gt=0)
    among: str | None = None
    cap_minutes: float | None = Field(default=None, gt=0)


class RateSettings(_Frozen):
    """Rates of the lead's group: how often earlier leads with the same `of` reached the target.

    `verdicts` names groups of which it is told how often sales accepted their leads.
    `strength` is how many average leads each group is mixed with.
    """

    of: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()
    windows_days: tuple[float | Literal["ever"], ...] = ("ever",)
    strength: float = Field(default=20, gt=0)


class AccountLeadsSettings(_Frozen):
    """Over which windows the other leads of the lead's account are counted; none if empty."""

    windows_days: tuple[float | Literal["ever"], ...] = ()


class RatioSettings(_Frozen):
    """One feature divided by another, both named by their columns."""

    of: str
    to: str
    name: str | None = None


class IcpSettings(_Frozen):
    """The ideal customer profile: each part names an attribute and the values that fit."""

    title: str | None = None
    size: str | None = None
    industry: str | None = None
    country: str | None = None
    size_min: float | None = None
    size_max: float | None = None
    industries: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    seniorities: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()


class PlanSettings(_Frozen):
    """Everything that makes the columns of the feature matrix."""

    signals: dict[str, SignalSettings] = Field(default_factory=dict)
    features: tuple[FeatureSettings, ...] = ()
    stages: tuple[str, ...] = ()
    account_leads: AccountLeadsSettings = AccountLeadsSettings()
    rates: RateSettings = RateSettings()
    ratios: tuple[RatioSettings, ...] = ()
    icp: IcpSettings = IcpSettings()


class SensitiveSettings(_Frozen):
    """Columns that are no features although they could be; `allow` names exceptions with reasons.

    What is recognised by name need not be listed in `columns`.
    """

    columns: tuple[str, ...] = ()
    allow: dict[str, str] = Field(default_factory=dict)
