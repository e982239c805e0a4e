"""Uvicorn with an application: it says where it is, and logs no request."""

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mqlml.errors import Fault, MissingExtraError, UsageError
from mqlml.serving.outside import Place

if TYPE_CHECKING:
    from starlette.applications import Starlette


def listen(place: Place) -> socket.socket:
    """Return the socket that people reach the page at; UsageError if it cannot be had."""
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((place.host, place.port))
        # From now on who connects waits for the first answer instead of being refused.
        opened.listen(256)
    except OSError as error:
        opened.close()
        found, where = error.strerror or str(error), f"{place.host}:{place.port}"
        mend = "give another --port, or end what listens there"
        raise UsageError(Fault("cannot listen there", where, found, mend)) from None
    return opened


def make_server(app: "Starlette") -> Any:
    """Return a Uvicorn server that writes no line per request: addresses hold leads' tokens."""
    try:
        import uvicorn
    except ImportError:
        what = "the page for sales needs Starlette and Uvicorn"
        raise MissingExtraError(Fault(what, mend="pip install 'mqlml[serve]'")) from None
    return uvicorn.Server(
        uvicorn.Config(
            app,
            access_log=False,
            log_level="error",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=5,
            h11_max_incomplete_event_size=32 * 1024,
            lifespan="off",
        )
    )


def run(app: "Starlette", listening: socket.socket, *, started: Callable[[], None]) -> None:
    """Serve until the process is told to end."""
    started()
    make_server(app).run(sockets=[listening])
