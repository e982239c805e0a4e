"""Mailchimp: the tables of a Fivetran connector, one file each.

Layout: https://fivetran.com/docs/connectors/applications/mailchimp, read in
docs/exports/mailchimp.md. Times are UTC without an offset.
"""

from mqlml.sources.mapping import FileMapping, System
from mqlml.sources.row_sql import digest
from mqlml.tables.sql import literal, quoted

_ACTIONS = {"open": "email_opened", "click": "email_clicked", "bounce": "email_bounced"}

_MEMBERS = FileMapping(
    table="leads",
    file="member",
    ids={"member_id": "id", "email": "email"},
    required=("id",),
    optional=("email_address", "timestamp_signup", "timestamp_opt", "last_changed"),
    derived={
        "email": "lower(email_address)",
        # One who was imported has no sign-up: then the opt-in is the first that is known.
        "joined_at": "coalesce(timestamp_signup, timestamp_opt)",
    },
    columns={"created_at": "joined_at"},
)


def _activity(file: str, email: str) -> FileMapping:
    parts = (email, "member_id", "action", "timestamp", "url", "ip")
    return FileMapping(
        table="events",
        file=file,
        ids={"member_id": "member_id"},
        required=("action", email, "member_id", "timestamp"),
        optional=("url", "ip", "bounce_type", "list_id"),
        derived={"event_id": digest(literal(file), *map(quoted, parts))},
        columns={
            "event_id": "event_id",
            "occurred_at": "timestamp",
            "type": "action",
            "campaign": email,
            "page": "url",
            "list": "list_id",
            "bounce_type": "bounce_type",
        },
        constants={"source": "mailchimp", "channel": "email"},
        values={"type": _ACTIONS},
        properties={"list": "text", "bounce_type": "text"},
    )


_UNSUBSCRIBED = FileMapping(
    table="events",
    file="unsubscribe",
    ids={"member_id": "member_id"},
    required=("campaign_id", "member_id", "timestamp"),
    optional=("list_id", "reason"),
    derived={
        "event_id": digest(
            literal("unsubscribe"), *map(quoted, ("campaign_id", "member_id", "timestamp"))
        )
    },
    columns={
        "event_id": "event_id",
        "occurred_at": "timestamp",
        "campaign": "campaign_id",
        "list": "list_id",
    },
    constants={"source": "mailchimp", "channel": "email", "type": "email_unsubscribed"},
    properties={"list": "text"},
)

MAILCHIMP = System(
    "mailchimp",
    (
        _MEMBERS,
        _activity("campaign_recipient_activity", "campaign_id"),
        _activity("automation_recipient_activity", "automation_email_id"),
        _UNSUBSCRIBED,
    ),
    lead_id="member_id",
)
