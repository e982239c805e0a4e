"""Settings of the engine that computes features."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class EngineSettings(BaseModel):
    """Where features are computed: on this machine, or by Spark at `master`.

    Without a master Spark's own configuration decides, or the session that is
    already there (a notebook's, say). `options` are Spark properties for a
    session that is started. `partitions` is how many tasks the leads are dealt
    to; without it the data and the session decide.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["local", "spark"] = "local"
    master: str | None = None
    options: dict[str, str] = Field(default_factory=dict)
    partitions: int | None = Field(default=None, ge=1)
