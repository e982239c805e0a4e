"""Settings of points, labels, splits and the audit."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TargetSettings(_Frozen):
    """What is predicted: entering `stage` within the horizon, or a flat outcome column.

    `stage: outcome` means the undated outcome column of the leads table.
    """

    stage: str
    horizon_days: float | None = Field(default=None, gt=0)
    reporting_lag_days: float = Field(default=0, ge=0)


class PointSettings(_Frozen):
    """When a lead is looked at: once, `after_days` after creation, or every week while open.

    Weekly points start `after_days` after creation and end after `until_days`.
    """

    rule: Literal["once", "weekly"] = "once"
    after_days: float = Field(default=0, ge=0)
    until_days: float | None = Field(default=None, gt=0)


class SplitSettings(_Frozen):
    """The last part by time is the test; forward folds lie before it."""

    test_share: float = Field(default=0.2, gt=0, lt=0.9)
    test_from: str | None = None
    folds: int = Field(default=4, ge=2, le=20)


class AuditSettings(_Frozen):
    """Overrides of the audit, by column, each with its reason."""

    allow: dict[str, str] = Field(default_factory=dict)
