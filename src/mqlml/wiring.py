"""Names in the settings → adapters that do the work; heavy ones are imported here, late."""

from typing import TYPE_CHECKING

from mqlml.config import Settings
from mqlml.errors import ConfigError, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mqlml.delivery.alerts import Channel
    from mqlml.engines.engine import Engine
    from mqlml.engines.local import LocalEngine
    from mqlml.engines.settings import EngineSettings
    from mqlml.engines.spark import SparkEngine
    from mqlml.monitoring.alert_settings import AlertSettings
    from mqlml.serving.database import Database
    from mqlml.storage.workspace import Workspace
    from mqlml.tracking.connection import Connection
    from mqlml.tracking.store import MlflowStore


def secret_names(settings: Settings) -> tuple[str, ...]:
    """Return the environment variables that the settings name, sorted."""
    sources = settings.sources
    tables = (
        *sources.leads,
        *sources.attributes,
        *sources.events,
        *sources.stages,
        *sources.verdicts,
        *sources.handovers,
        *sources.aliases,
    )
    named = {table.postgres.url_env for table in tables if table.postgres is not None}
    for one in sources.warehouse.values():
        named |= {n for n in (one.url_env, one.key_env, one.secret_env) if n}
    optional = (
        settings.tracking.uri_env,
        settings.scoring.postgres_url_env,
        sources.identity.hash_key_env,
        settings.serve.store_url_env,
    )
    named |= {n for n in optional if n}
    named |= {one.token_env for one in settings.delivery.values() if one.token_env}
    named |= set(settings.monitoring.alerts.secret_names)
    return tuple(sorted(named))


def make_engine(settings: "EngineSettings", *, memory: str = "2GB", threads: int = 2) -> "Engine":
    """Return the engine that computes features: this machine within `memory`, or Spark.

    Spark starts with the first job; MissingExtraError then if it is not installed.
    """
    if settings.kind == "spark":
        return make_spark_engine(settings)
    return make_local_engine(memory=memory, threads=threads)


def make_local_engine(*, memory: str = "2GB", threads: int = 2) -> "LocalEngine":
    """Return the engine of this machine, within `memory`, that can also write part by part."""
    from mqlml.engines.local import LocalEngine

    return LocalEngine(memory, threads)


def make_spark_engine(settings: "EngineSettings") -> "SparkEngine":
    """Return the engine that can also write what it computes without collecting it."""
    from mqlml.engines.spark import SparkEngine

    return SparkEngine(settings)


def open_connection(
    settings: Settings, workspace: "Workspace", secrets: "Mapping[str, str]"
) -> "Connection":
    """Return the way to the settings' MLflow server, or to the workspace's SQLite file.

    Raises ConfigError if the settings name a variable that is not set.
    """
    from mqlml.tracking.connection import Connection

    uri = settings.tracking.uri
    if uri is None and settings.tracking.uri_env is not None:
        uri = secret(secrets, settings.tracking.uri_env, "tracking.uri_env")
    return Connection(uri, database=workspace.database, artifacts=workspace.artifacts)


def open_store(
    settings: Settings, workspace: "Workspace", secrets: "Mapping[str, str]"
) -> "MlflowStore":
    """Return the MLflow store of the settings."""
    from mqlml.tracking.store import MlflowStore

    return MlflowStore(open_connection(settings, workspace, secrets))


def open_verdicts(
    settings: Settings,
    workspace: "Workspace",
    secrets: "Mapping[str, str]",
    *,
    create: bool = False,
) -> "Database":
    """Return the database of verdicts: the settings' PostgreSQL, or the workspace's SQLite file.

    Only with `create` a missing file is made. Raises ConfigError if the settings name a
    variable that is not set.
    """
    if settings.serve.store_url_env is not None:
        from mqlml.serving.postgres import PostgresDatabase

        return PostgresDatabase(
            secret(secrets, settings.serve.store_url_env, "serve.store_url_env")
        )
    from mqlml.serving.sqlite import SqliteDatabase

    return SqliteDatabase(workspace.verdicts, create=create)


def open_channel(alerts: "AlertSettings", name: str, secrets: "Mapping[str, str]") -> "Channel":
    """Return the way called `name` by which a change is told.

    Raises ConfigError if a variable is not set, or the way is no longer set up.
    """
    where = f"monitoring.alerts.{name}"

    def known(variable: str | None, setting: str) -> str | None:
        return None if variable is None else secret(secrets, variable, f"{where}.{setting}")

    if name == "webhook" and alerts.webhook is not None:
        from mqlml.delivery.alert_webhook import Webhook
        from mqlml.delivery.http import sender

        token = known(alerts.webhook.token_env, "token_env")
        url = secret(secrets, alerts.webhook.url_env, f"{where}.url_env")
        return Webhook(url, sender(alerts.timeout_s, token), alerts.webhook.shape)
    if name == "email" and alerts.email is not None:
        from mqlml.delivery.alert_mail import Mail

        user = known(alerts.email.user_env, "user_env")
        password = known(alerts.email.password_env, "password_env")
        return Mail(alerts.email, alerts.timeout_s, user, password)
    raise ConfigError(Fault("this way is not set up", where, mend="see docs/alerts.md"))


def secret(secrets: "Mapping[str, str]", name: str, where: str) -> str:
    """Return the value of a named environment variable; ConfigError if it is not set."""
    if not secrets.get(name):
        mend = f"set it before the command: export {name}=…"
        raise ConfigError(Fault("the environment variable is not set", where, name, mend))
    return secrets[name]
