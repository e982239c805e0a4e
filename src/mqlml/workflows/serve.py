"""`mqlml review serve`: the page on which sales judges leads."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from mqlml.serving.app import make_app
from mqlml.serving.board import Board
from mqlml.serving.desk import Desk
from mqlml.serving.outside import Outside, Place
from mqlml.serving.schema import secret_key
from mqlml.serving.server import listen, run
from mqlml.serving.site import Site, Store
from mqlml.serving.writer import Writer
from mqlml.workflows.project import Project
from mqlml.workflows.verdict_store import prepared_store
from mqlml.workflows.worklist import load_worklist, worklist_stamp

if TYPE_CHECKING:
    from starlette.applications import Starlette

Say = Callable[[str], None]


@contextmanager
def opened_app(
    project: Project, place: Place, outside: Outside, *, say: Say
) -> "Iterator[Starlette]":
    """Give the application of a project's page; its store is closed after."""
    database = prepared_store(project, outside)
    with database.read() as cursor:
        key = secret_key(cursor)
    writer = Writer(database)
    site = Site(
        name=project.settings.name,
        store=Store(database, writer, Board()),
        desk=Desk(partial(load_worklist, project), partial(worklist_stamp, project), key=key),
        settings=project.settings.serve,
        outside=outside,
        place=place,
    )
    try:
        # Read once before anybody waits for it; a fault of it is told here, not to sales.
        site.desk.worklist()
        yield make_app(site, report=say)
    finally:
        writer.close()
        database.close()


def serve(project: Project, place: Place, outside: Outside, *, say: Say) -> None:
    """Serve the page until the process is told to end; `say` gets its address and warnings.

    Raises UsageError if the port is taken, MissingExtraError without Starlette and Uvicorn.
    """
    with opened_app(project, place, outside, say=say) as app:
        listening = listen(place)
        run(app, listening, started=partial(_greet, place, listening, say))


def _greet(place: Place, listening: socket.socket, say: Say) -> None:
    if not place.is_local and not place.public:
        say("warning: other machines reach this page, and what they send is not encrypted")
    shown = Place(place.host, listening.getsockname()[1], place.public)
    say(f"leads to judge: {shown.address} (Ctrl-C ends it)")
