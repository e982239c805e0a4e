"""Settings of the page on which sales judges leads."""

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ServeSettings(BaseModel):
    """Where verdicts are kept, whose leads a rep sees, and what of a lead is shown.

    `store_url_env` names the variable with the URL of a PostgreSQL database; without it
    verdicts are kept in a SQLite file of the workspace. `owner` is the attribute of leads
    that names their rep, and `show` are attributes that the lead's page shows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    store_url_env: str | None = None
    owner: str | None = None
    own_leads_only: bool = False
    show: tuple[str, ...] = ()
    session_hours: int = Field(default=12, ge=1, le=720)
    rows_per_page: int = Field(default=50, ge=10, le=500)

    @model_validator(mode="after")
    def _owner_is_known(self) -> "ServeSettings":
        if self.own_leads_only and self.owner is None:
            raise ValueError("'own_leads_only' needs 'owner', the attribute that names the rep")
        return self
