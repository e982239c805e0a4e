"""The store of verdicts: opened where it is, read by `ingest`, and erased from."""

import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from mqlml.errors import ConfigError, Fault
from mqlml.serving.history import erase
from mqlml.serving.people import everyone
from mqlml.serving.schema import STANDING, is_prepared, prepare
from mqlml.sources.settings import (
    LiveTable,
    PostgresTable,
    SourceSettings,
    Warehouse,
    WarehouseTable,
)
from mqlml.storage.scrubbing import scrubbed
from mqlml.storage.tombstones import Erasing, read_tombstones
from mqlml.wiring import open_verdicts
from mqlml.workflows.project import Project

if TYPE_CHECKING:
    from mqlml.serving.database import Database
    from mqlml.serving.outside import Outside

_COLUMNS = ("lead_id", "given_at", "verdict", "reason", "who", "note")
_WAREHOUSE = "review page"


def prepared_store(project: Project, outside: "Outside") -> "Database":
    """Return the store of verdicts, made where it is missing.

    Raises ConfigError where ids are hashed at the door: nobody would know the leads.
    """
    if project.settings.sources.identity.hash_key_env is not None:
        where, mend = "sources.identity.hash_key_env", "take verdicts from the CRM instead"
        found = "leads appear as hashes, which nobody in sales can read"
        raise ConfigError(Fault("ids are hashed, so nobody could judge", where, found, mend))
    workspace = project.workspace.create()
    database = open_verdicts(project.settings, workspace, project.secrets, create=True)
    prepare(database, key=outside.token())
    return database


@contextmanager
def known_store(project: Project) -> "Iterator[Database | None]":
    """Give the store of verdicts if there is one, closed after."""
    settings, workspace = project.settings, project.workspace
    if settings.serve.store_url_env is None and not workspace.verdicts.exists():
        yield None
        return
    with closing(open_verdicts(settings, workspace, project.secrets)) as database:
        yield database if is_prepared(database) else None


def with_verdicts_given(project: Project) -> SourceSettings:
    """Return the settings of the sources, with the store of verdicts as one more of them.

    Of each lead and rep the last verdict that stands is read. Without a store, or where an
    order stands for time, the settings are those of the config.
    """
    sources = project.settings.sources
    with known_store(project) as database:
        is_there = database is not None
    if not is_there or any(source.order is not None for source in sources.leads):
        return sources
    columns = {name: name for name in _COLUMNS}
    url_env = project.settings.serve.store_url_env
    if url_env is not None:
        live = LiveTable(postgres=PostgresTable(url_env=url_env, table=STANDING), columns=columns)
        return sources.model_copy(update={"verdicts": (*sources.verdicts, live)})
    place = Warehouse(kind="sqlite", path=str(project.workspace.verdicts.resolve()))
    table = WarehouseTable(warehouse=_WAREHOUSE, name=STANDING)
    live = LiveTable(table=table, columns=columns)
    return sources.model_copy(
        update={
            "verdicts": (*sources.verdicts, live),
            "warehouse": {**sources.warehouse, _WAREHOUSE: place},
        }
    )


def verdicts_digest(project: Project) -> str:
    """Return a digest of the verdicts that stand; empty without a store."""
    query = f"SELECT {', '.join(_COLUMNS)} FROM {STANDING} ORDER BY number"
    with known_store(project) as database:
        if database is None:
            return ""
        with database.read() as cursor:
            return hashlib.sha256(repr(cursor.rows(query)).encode()).hexdigest()


def store_people(project: Project) -> frozenset[str]:
    """Return the ids under which the store keeps verdicts."""
    with known_store(project) as database:
        if database is None:
            return frozenset()
        with database.read() as cursor:
            return frozenset(person.id for person in everyone(cursor))


def erase_verdicts(project: Project, erasing: Erasing) -> int:
    """Take people out of the store; return how many rows went. Call it with their tombstones."""
    scrub, gone = partial(scrubbed, words=erasing.words), read_tombstones(project.workspace.root)
    with known_store(project) as database:
        return 0 if database is None else erase(database, erasing.ids, gone, scrub=scrub)
