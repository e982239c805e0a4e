"""Settings of the MLflow store."""

from pydantic import BaseModel, ConfigDict


class TrackingSettings(BaseModel):
    """`uri` of a tracking server; without it a SQLite store inside the workspace."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: str | None = None
    uri_env: str | None = None
