"""Settings of personas and of the scores' destinations."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

# The lowest band whose leads are told why; explaining costs far more than scoring.
ReasonsFrom = Literal["cold", "warm", "mql"]


class PersonaSettings(BaseModel):
    """A named rule over attributes, in SQL; the first that holds names the lead's persona.

    `pain_points`, `objections` and `prefers` (content) are words for sales and marketing,
    shown beside the persona's leads; nothing is computed from them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    when: str
    pain_points: tuple[str, ...] = ()
    objections: tuple[str, ...] = ()
    prefers: tuple[str, ...] = ()


class ScoreSettings(BaseModel):
    """How many reasons a score carries, from which band, and where scores are also written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reasons: int = Field(default=3, ge=1, le=10)
    reasons_from: ReasonsFrom = "cold"
    postgres_url_env: str | None = None
    postgres_table: str = "mqlml_scores"
