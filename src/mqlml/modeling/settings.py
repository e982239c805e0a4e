"""Settings of the tournament, the old points rules and the gates."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

# Beyond the usual settings of each learner; more than any search has been seen to use.
MOST_CANDIDATES = 400
MonotoneSign = Annotated[int, Field(ge=-1, le=1)]
ContestantName = Literal["base_rate", "points_rules", "logistic", "lightgbm"]
# The lowest rung that may serve where no learnt model passes the gates.
Fallback = Literal["none", "points_rules", "base_rate"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PointsRule(_Frozen):
    """One line of a hand-made scoring sheet: SQL over attributes and features → points."""

    when: str
    points: float


class SegmentSettings(_Frozen):
    """What has models of its own if large enough: values of a category, or the personas.

    Either `column` or `personas` is given.
    """

    column: str | None = None
    personas: bool = False
    min_leads: int = Field(default=300, ge=1)
    min_conversions: int = Field(default=50, ge=5)
    min_months: int = Field(default=3, ge=0)


class RoutedSettings(_Frozen):
    """Learn whether leads were handed over; a point counts as it, up to so many days after it."""

    within_days: float = Field(default=7, ge=0)


class ModelSettings(_Frozen):
    """Which contestants run, what columns are kept from them, and how widely is searched.

    With `acceptance` one more contestant learns conversions near what sales accepts.
    `fallback` says what may be published where the gates refuse what was learnt: nothing,
    points rules, or, where these rank no better than chance, the base rate.
    """

    contestants: tuple[ContestantName, ...] = (
        "base_rate",
        "points_rules",
        "logistic",
        "lightgbm",
    )
    points_rules: tuple[PointsRule, ...] = ()
    drop: tuple[str, ...] = ()
    monotone: dict[str, MonotoneSign] = Field(default_factory=dict)
    segments: SegmentSettings | None = None
    acceptance: bool = False
    routed: RoutedSettings | None = None
    candidates: int = Field(default=0, ge=0, le=MOST_CANDIDATES)
    fallback: Fallback = "none"


class GateSettings(_Frozen):
    """The least that a model must show before it is published."""

    min_leads: int = 200
    min_conversions: int = 50
    min_test_conversions: int = 20
    min_months: int = 2
    min_roc_auc_low: float = 0.5
