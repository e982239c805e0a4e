"""Settings of the tournament, the old points rules and the gates."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MonotoneSign = Annotated[int, Field(ge=-1, le=1)]
ContestantName = Literal["base_rate", "points_rules", "logistic", "lightgbm"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PointsRule(_Frozen):
    """One line of a hand-made scoring sheet: SQL over attributes and features → points."""

    when: str
    points: float


class ModelSettings(_Frozen):
    """Which contestants run, and what columns are kept from them."""

    contestants: tuple[ContestantName, ...] = (
        "base_rate",
        "points_rules",
        "logistic",
        "lightgbm",
    )
    points_rules: tuple[PointsRule, ...] = ()
    drop: tuple[str, ...] = ()
    monotone: dict[str, MonotoneSign] = Field(default_factory=dict)


class GateSettings(_Frozen):
    """The least that a model must show before it is published."""

    min_leads: int = 200
    min_conversions: int = 50
    min_test_conversions: int = 20
    min_roc_auc_low: float = 0.5
