"""Settings of monitoring and of the promotion of a challenger."""

from pydantic import BaseModel, ConfigDict, Field

from mqlml.monitoring.alert_settings import AlertSettings


class MonitoringSettings(BaseModel):
    """How long the current period is, and how sure an alarm must be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    current_days: float = Field(default=28, gt=0)
    alarm_p_value: float = Field(default=0.001, gt=0, lt=0.5)
    min_points: int = Field(default=50, ge=1)
    retrain_after_days: float = Field(default=90, gt=0)
    retry_after_days: float = Field(default=28, gt=0)
    follow_up_days: float = Field(default=14, gt=0)
    require_approval: bool = False
    keep_weeks: float = Field(default=26, gt=0)
    promote_z: float = Field(default=1.4, gt=0)
    judged_weeks: float = Field(default=8, gt=0)
    alerts: AlertSettings = AlertSettings()
