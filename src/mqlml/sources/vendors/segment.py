"""Segment and RudderStack: the warehouse tables `tracks`, `pages`, `identifies` and `aliases`.

Layout: https://segment.com/docs/connections/storage/warehouses/schema and
https://www.rudderstack.com/docs/destinations/warehouse-destinations/warehouse-schema,
read in docs/exports/segment.md. Times are UTC.
"""

from collections.abc import Mapping
from dataclasses import replace

from mqlml.sources.mapping import FileMapping, System
from mqlml.sources.row_sql import EACH_NAME, EACH_VALUE, address, without_query, written
from mqlml.tables.sql import literal

_TYPES = {
    "signed_up": "product_signup",
    "account_created": "product_signup",
    "signed_in": "product_login",
    "logged_in": "product_login",
    "order_completed": "product_purchase",
    "trial_started": "trial_start",
    "form_submitted": "form_submit",
    "demo_requested": "demo_request",
    "email_delivered": "email_delivered",
    "email_link_clicked": "email_clicked",
    "email_marked_as_spam": "email_complained",
    "unsubscribed": "email_unsubscribed",
}
_TRAITS = ("title", "industry", "company_size", "employees", "country", "plan")
_WHO = ("user_id", "anonymous_id")
_CONTEXT = (
    *("event_text", "received_at", "original_timestamp", "url", "context_page_url"),
    *("context_campaign_name", "context_campaign_medium", "context_campaign_source"),
    *("context_user_agent", "context_ip", "value", "revenue", "name", "title"),
)
_URL = 'coalesce("url", "context_page_url")'
_GCLID = literal("[?&]gclid=([^&#]+)")
_FIRST = (
    'CASE WHEN row_number() OVER (PARTITION BY "alias", "lead_id"'
    " ORDER BY TRY_CAST(\"known_at\" AS TIMESTAMPTZ), __row) = 1 THEN 'true' END"
)


def _events(kind: str, file: str, *, event: str | None) -> FileMapping:
    """Return the mapping of an events table; `event` is the column of the type, if it has one."""
    return FileMapping(
        table="events",
        file=file,
        ids={"user_id": "user_id", kind: "anonymous_id"},
        required=("id", *([event] if event else [])),
        optional=(*_WHO, "timestamp", *_CONTEXT),
        derived={
            "event_id": written(kind, '"id"'),
            "page": without_query(_URL),
            "gclid": f"nullif(regexp_extract({_URL}, {_GCLID}, 1), '')",
            "at": 'coalesce("timestamp", "original_timestamp", "received_at")',
            "amount": 'coalesce("revenue", "value")',
        },
        times={"occurred_at": '"at"', "arrived_at": '"received_at"'},
        columns={
            **{name: name for name in ("event_id", "occurred_at", "arrived_at", "page", "gclid")},
            "campaign": "context_campaign_name",
            "channel": "context_campaign_medium",
            "traffic_source": "context_campaign_source",
            "user_agent": "context_user_agent",
            "ip": "context_ip",
            "value": "amount",
            **({"type": event} if event else {}),
        },
        constants={"source": kind, **({} if event else {"type": "page_view"})},
        values={"type": _TYPES} if event else {},
        properties=dict.fromkeys(("gclid", "traffic_source", "user_agent", "ip"), "text"),
    )


def _aliases(kind: str, file: str, alias: str, where: str) -> FileMapping:
    """Return the mapping of rows with two ids to aliases, the first such row of each pair."""
    return FileMapping(
        table="aliases",
        file=file,
        ids={"user_id": "user_id"},
        required=("id",),
        optional=(*_WHO, "email", "previous_id", "timestamp", "received_at"),
        derived={"alias": alias},
        times={"known_at": 'coalesce("received_at", "timestamp")'},
        windows={"is_first": _FIRST},
        columns={"alias": "alias", "known_at": "known_at"},
        constants={"source": kind},
        where=f'"user_id" IS NOT NULL AND {where} IS NOT NULL AND "is_first" IS NOT NULL',
    )


def _addresses(kind: str) -> tuple[FileMapping, FileMapping]:
    """Return the mappings of addresses to users, and of users to addresses, of which one is read.

    Where leads are another system's, an address leads to them and a user's id to it.
    """
    email = address('"email"')
    own = _aliases(kind, "identifies", written("email", email), '"email"')
    foreign = replace(
        _aliases(kind, "identifies", written("user_id", '"user_id"'), '"email"'),
        ids={"email": "address"},
        derived={"address": email, "alias": written("user_id", '"user_id"')},
        foreign_kind="user_id",
    )
    return replace(own, is_masters=True), foreign


def _traits(kind: str, names: Mapping[str, str]) -> FileMapping:
    """Return the mapping of identifies to dated attributes: what is new of a person."""
    return FileMapping(
        table="attributes",
        file="identifies",
        ids={"user_id": "user_id", kind: "anonymous_id"},
        required=("id",),
        optional=(*_WHO, "timestamp", "received_at"),
        spread=names,
        derived={"name": EACH_NAME, "value": EACH_VALUE},
        times={"known_at": 'coalesce("timestamp", "received_at")'},
        # A call tells some traits; the others stay what they were.
        windows={
            "before": (
                'last_value("value" IGNORE NULLS) OVER (PARTITION BY "lead_id", "name"'
                ' ORDER BY TRY_CAST("known_at" AS TIMESTAMPTZ), __row'
                " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
            )
        },
        columns={"name": "name", "value": "value", "known_at": "known_at"},
        where='"value" IS NOT NULL AND "value" IS DISTINCT FROM "before"',
    )


def _system(kind: str) -> System:
    anonymous = written(kind, '"anonymous_id"')
    return System(
        kind,
        (
            _events(kind, "tracks", event="event"),
            _events(kind, "pages", event=None),
            _traits(kind, {name: name for name in _TRAITS}),
            *(
                _aliases(kind, file, anonymous, '"anonymous_id"')
                for file in ("identifies", "tracks", "pages")
            ),
            *_addresses(kind),
            _aliases(kind, "aliases", written("user_id", '"previous_id"'), '"previous_id"'),
        ),
        lead_id="user_id",
    )


SEGMENT = _system("segment")
RUDDERSTACK = _system("rudderstack")
