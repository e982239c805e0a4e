"""The web application: what everything passes before a page is made of it.

Requests are read whole and bounded; the host and the origin are ours; forms carry the
browser's own token; who is not signed in, or is of another role, gets no further. Whatever
fails is answered without a trace of the data.
"""

import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from mqlml.errors import Fault, MissingExtraError, MqlmlError
from mqlml.reports.page import TEMPLATES
from mqlml.serving import judging, listing, overview, signing_in
from mqlml.serving.database import StoreError
from mqlml.serving.people import Person
from mqlml.serving.roles import ADMINS, EVERYONE, JUDGES, READERS, Role
from mqlml.serving.sessions import form_token, person_of
from mqlml.serving.site import Answer, Asked, Site, message, page, to

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

MOST_BODY = 64 * 1024
_MOST_DRAINED = 8 * 1024 * 1024
_STATIC = Path(__file__).with_name("static")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
_COOKIE = "mqlml"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,100}")
_Handler = Callable[[Site, Asked], Answer]


@dataclass(frozen=True)
class Way:
    """One address: who may ask it, and what answers. Without roles it is for everybody."""

    path: str
    handler: _Handler
    roles: frozenset[Role] | None = EVERYONE
    method: str = "GET"


WAYS = (
    Way("/", listing.list_page),
    Way("/lead/{token}", judging.lead_page),
    Way("/lead/{token}", judging.judge, JUDGES, "POST"),
    Way("/undo", judging.take_back, JUDGES, "POST"),
    Way("/keys", overview.keys_page),
    Way("/verdicts", overview.verdicts_page, READERS),
    Way("/verdicts.csv", overview.verdicts_csv, READERS),
    Way("/people", overview.people_page, ADMINS),
    Way("/people", overview.change_person, ADMINS, "POST"),
    Way("/audit", overview.audit_page, ADMINS),
    Way("/signout", signing_in.sign_out, EVERYONE, "POST"),
    Way("/signin", signing_in.sign_in_page, None),
    Way("/signin", signing_in.sign_in, None, "POST"),
    Way("/welcome/{token}", signing_in.welcome_page, None),
    Way("/welcome/{token}", signing_in.welcome, None, "POST"),
)


def make_app(site: Site, *, report: Callable[[str], None]) -> "Starlette":
    """Return the application of a site; `report` is told of defects, by their kind alone."""
    try:
        from starlette.applications import Starlette
        from starlette.routing import Route
    except ImportError:
        what = "the page for sales needs Starlette and Uvicorn"
        raise MissingExtraError(Fault(what, mend="pip install 'mqlml[serve]'")) from None
    door = _Door(site, report)
    routes = [Route(way.path, door.endpoint(way), methods=[way.method]) for way in WAYS]
    routes += [Route(path, _file(data, kind)) for path, data, kind in _files()]
    routes.append(Route("/{rest:path}", door.endpoint(Way("", _nothing, None)), methods=None))
    return Starlette(routes=routes)


@dataclass(frozen=True)
class _Door:
    """Turns requests into what was asked, and answers into responses."""

    site: Site
    report: Callable[[str], None]

    def endpoint(self, way: Way) -> Callable[["Request"], Any]:
        """Return what Starlette calls for an address."""
        from starlette.concurrency import run_in_threadpool

        async def answer(request: "Request") -> "Response":
            body = await _body(request)
            answered = await run_in_threadpool(self._answer, way, request, body)
            return _response(self.site, request, answered)

        return answer

    def _answer(self, way: Way, request: "Request", body: bytes | None) -> Answer:
        site = self.site
        asked = _read(site, request, body)
        try:
            asked = replace(asked, person=_person(site, asked))
            answer = _refusal(site, way, asked, request, body) or way.handler(site, asked)
        except StoreError:
            self.report("the store of verdicts does not answer")
            answer = _not_saved(site, asked, request.url.path)
        except MqlmlError as error:
            self.report(f"{way.path}: {type(error).__name__}")
            words = "The list cannot be read just now. Try again in a minute."
            answer = message(site, asked, 503, "Not just now", words)
        except Exception as error:  # noqa: BLE001 - a defect must not tell of leads
            self.report(f"{way.path}: {type(error).__name__}, a defect: please report it")
            answer = message(site, asked, 500, "Something is broken", "Nothing was saved.")
        if answer.token is None and asked.token != _cookie(request):
            answer = replace(answer, token=asked.token)
        return answer


def _read(site: Site, request: "Request", body: bytes | None) -> Asked:
    """Return what was asked, not yet by whom: what was typed must not hang on the store."""
    form = parse_qsl((body or b"").decode("utf-8", "replace"), keep_blank_values=True)
    return Asked(
        method=request.method,
        now=site.outside.clock(),
        token=_cookie(request) or site.outside.token(),
        parts={str(k): str(v) for k, v in request.path_params.items()},
        query=dict(request.query_params),
        form=dict(form),
        address=_address(site, request),
    )


def _person(site: Site, asked: Asked) -> Person | None:
    with site.store.database.read() as cursor:
        return person_of(cursor, asked.token, now=asked.now)


def _address(site: Site, request: "Request") -> str:
    """Return who asks; behind a proxy the last address it added is the one it saw."""
    seen = request.headers.get("x-forwarded-for", "") if site.place.public else ""
    own = request.client.host if request.client else ""
    return seen.rpartition(",")[2].strip() or own


def _refusal(
    site: Site, way: Way, asked: Asked, request: "Request", body: bytes | None
) -> Answer | None:
    """Return why the request gets no further; None if it may."""
    if not site.place.accepts(request.headers.get("host", "")):
        return message(site, asked, 421, "Not here", "This address is not ours.")
    if body is None:
        words = "That is more than this page takes. Nothing was saved."
        return message(site, asked, 413, "Too much text", words)
    if way.roles is not None and asked.person is None:
        return to("/signin") if way.method == "GET" else _signed_out(site, asked)
    if way.method == "POST" and not _is_ours(site, asked, request):
        words = "Open the page again and repeat what you did. Nothing was saved."
        return message(site, asked, 403, "This form is not ours", words)
    if way.roles is not None and asked.signed_in.role not in way.roles:
        return message(site, asked, 403, "Not for you", "Your role does not allow this.")
    return None


def _is_ours(site: Site, asked: Asked, request: "Request") -> bool:
    """Return whether a form came from our own page in this very browser."""
    origin = request.headers.get("origin")
    if origin is not None:
        own = urlsplit(site.place.public).netloc or request.headers.get("host", "")
        if urlsplit(origin).netloc != own:
            return False
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    given = asked.form.get("csrf", "").encode("utf-8", "replace")
    return bool(_cookie(request)) and hmac.compare_digest(given, form_token(asked.token).encode())


def _signed_out(site: Site, asked: Asked) -> Answer:
    words = "Your session is over. Sign in, then do it again; nothing was saved."
    return message(site, asked, 401, "Signed out", words)


def _not_saved(site: Site, asked: Asked, path: str) -> Answer:
    """Return the page that keeps what was typed, to be sent again."""
    again = {"action": path, "fields": asked.form} if asked.method == "POST" else None
    lines = ("The store of verdicts does not answer. Nothing was saved.", "Try again in a moment.")
    return page(site, asked, "message.html", 503, heading="Not saved", lines=lines, again=again)


def _nothing(site: Site, asked: Asked) -> Answer:
    return message(site, asked, 404, "No such page", "Nothing is at this address.")


async def _body(request: "Request") -> bytes | None:
    """Return the body; None, and nothing of it kept, if it is longer than any form of ours."""
    body, size = b"", 0
    async for part in request.stream():
        size += len(part)
        if size <= MOST_BODY:
            body += part
        elif size > _MOST_DRAINED:
            break  # a browser that was still sending would not read the answer: up to here it may
    return body if size <= MOST_BODY else None


def _cookie(request: "Request") -> str:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(request.headers.get("cookie", ""))
    except CookieError:
        return ""
    found = next((jar[name].value for name in (f"__Host-{_COOKIE}", _COOKIE) if name in jar), "")
    return found if _TOKEN.fullmatch(found) else ""


def _response(site: Site, request: "Request", answer: Answer) -> "Response":
    from starlette.responses import Response

    headers = {**_HEADERS, **answer.headers}
    if site.place.is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    body = b"" if request.method == "HEAD" else answer.body
    response = Response(body, answer.status, headers, media_type=answer.kind)
    if answer.token is not None:
        is_secure = site.place.is_secure
        response.set_cookie(
            f"__Host-{_COOKIE}" if is_secure else _COOKIE,
            answer.token,
            max_age=None if answer.token else 0,
            httponly=True,
            samesite="lax",
            secure=is_secure,
        )
    return response


def _files() -> Iterator[tuple[str, bytes, str]]:
    """Yield the two files that pages load; they are read once, so no path is ever looked up."""
    style = (TEMPLATES / "style.css").read_bytes() + (_STATIC / "serve.css").read_bytes()
    yield "/static/style.css", style, "text/css; charset=utf-8"
    yield "/static/keys.js", (_STATIC / "keys.js").read_bytes(), "text/javascript; charset=utf-8"


def _file(data: bytes, kind: str) -> Callable[["Request"], Any]:
    from starlette.responses import Response

    headers: Mapping[str, str] = {**_HEADERS, "Cache-Control": "max-age=3600"}

    async def answer(_request: "Request") -> Response:
        return Response(data, headers=dict(headers), media_type=kind)

    return answer
