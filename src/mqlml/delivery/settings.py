"""Where scores are written back to, as the config says it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# It names a file of the workspace.
DeliveryName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")]
System = Literal["hubspot", "salesforce", "webhook"]


class DeliverySettings(BaseModel):
    """One system that gets scores: its kind, address, secret, and names of the fields.

    `url` is the address of the API's host (HubSpot, Salesforce) or of the webhook.
    `token_env` names the environment variable that holds the bearer token. `object` is
    what a lead is there. `fields` renames fields; a field named null is not sent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    system: System
    url: str = Field(pattern=r"^https?://")
    token_env: str | None = None
    object: str | None = None
    fields: dict[str, str | None] = Field(default_factory=dict)
    batch: int | None = Field(default=None, ge=1, le=1000)
    tries: int = Field(default=4, ge=1, le=10)
    timeout_s: float = Field(default=30.0, gt=0)
