"""Where the news of a change goes, as the config says it; secrets by their variable's name."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class WebhookSettings(BaseModel):
    """A URL that takes a POST of JSON: `url_env` and `token_env` name environment variables.

    `shape` slack sends `{"text": …}` alone, as incoming webhooks of Slack, Mattermost and their
    like want it; json sends the change's figures beside it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url_env: str = Field(min_length=1)
    token_env: str | None = None
    shape: Literal["json", "slack"] = "json"


class MailSettings(BaseModel):
    """A mail server: `user_env` and `password_env` name environment variables."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user_env: str | None = None
    password_env: str | None = None
    sender: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    to: tuple[str, ...] = Field(min_length=1)


class AlertSettings(BaseModel):
    """The ways by which a change is told, how often each is tried and how long it may take."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    webhook: WebhookSettings | None = None
    email: MailSettings | None = None
    tries: int = Field(default=3, ge=1, le=10)
    timeout_s: float = Field(default=10.0, gt=0, le=60)

    @property
    def channels(self) -> tuple[str, ...]:
        """Return the names of the ways that are set up."""
        set_up = {"webhook": self.webhook, "email": self.email}
        return tuple(name for name, one in set_up.items() if one is not None)

    @property
    def secret_names(self) -> tuple[str, ...]:
        """Return the environment variables that the ways need."""
        named: list[str | None] = []
        if self.webhook is not None:
            named += [self.webhook.url_env, self.webhook.token_env]
        if self.email is not None:
            named += [self.email.user_env, self.email.password_env]
        return tuple(name for name in named if name)
