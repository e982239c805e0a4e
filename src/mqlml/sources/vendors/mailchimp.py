"""Mailchimp: members and their activity, as a Fivetran connector writes the tables.

Layout: https://fivetran.com/docs/connectors/applications/mailchimp, read in
docs/exports/mailchimp.md. Times are UTC without an offset. A member's id is that
of his address, the same in every audience.
"""

from mqlml.sources.mapping import FileMapping, Join, System
from mqlml.sources.row_sql import address, digest, without_query, written
from mqlml.tables.sql import literal, quoted

_ACTIONS = {"open": "email_opened", "click": "email_clicked", "bounce": "email_bounced"}
_PROPERTIES = ("message_id", "url", "ip", "subject", "audience", "bounce_type")

# --- Who they are ---

_MEMBER_COLUMNS = ("email_address", "timestamp_signup", "timestamp_opt")
# One who was imported has no sign-up: then the opt-in is the first that is known.
_JOINED = {
    "email": address('"email_address"'),
    "signed_up_at": "coalesce(timestamp_signup, timestamp_opt)",
}
# Who is in several audiences is one person, since the first of them.
_FIRST = {"first_at": 'min("signed_up_at") OVER (PARTITION BY "id")'}
_MEMBER_IDS = {"mailchimp": "id", "email": "email"}

_OWN, _MAIL = written("mailchimp", '"id"'), written("email", '"email"')

_MEMBERS = FileMapping(
    table="leads",
    file="member",
    ids=_MEMBER_IDS,
    required=("id",),
    optional=_MEMBER_COLUMNS,
    derived=_JOINED,
    windows=_FIRST,
    columns={"created_at": "first_at"},
)


def _names(alias: str, *, lead: str | None = None) -> FileMapping:
    """Return the mapping of one name that members go by, to the lead or to another name."""
    return FileMapping(
        table="aliases",
        file="member",
        ids=_MEMBER_IDS,
        required=("id",),
        optional=_MEMBER_COLUMNS,
        derived={**_JOINED, "alias": alias, **({} if lead is None else {"lead_id": lead})},
        windows=_FIRST,
        columns={"alias": "alias", "known_at": "first_at"},
        constants={"source": "mailchimp"},
        # Where leads are another system's, an address leads to nobody of this one's.
        is_masters=alias == _MAIL,
        where='"alias" <> "lead_id"',
    )


# --- What was sent to them, and what they did with it ---

_WHO = {"mailchimp": "member_id", "email": "email"}
_ADDRESS = Join(
    "member", own='"member_id"', key='"id"', columns=("email_address",), is_required=False
)
_TOLD = ("subject_line", "title")


def _mail(
    file: str, message: str, *, at: str, kind: str, told_by: str, is_required: bool = False
) -> FileMapping:
    """Return the mapping of a table of what happened to messages.

    `message` is its column that says which one, `told_by` the table that tells more
    of it; `at` and `kind` are SQL for time and type.
    """
    what = Join(
        told_by,
        own=quoted(message),
        key='"id"',
        columns=(*_TOLD, "send_time"),
        is_required=is_required,
    )
    return FileMapping(
        table="events",
        file=file,
        ids=_WHO,
        required=(message, "member_id"),
        optional=("timestamp", "action", "url", "ip", "bounce_type", "list_id"),
        joins=(_ADDRESS, what),
        derived={
            "email": address('"member.email_address"'),
            "at": at,
            "kind": kind,
            "event_id": digest(
                literal(f"mailchimp {file}"),
                *map(quoted, (message, "member_id", "kind", "at", "url", "ip")),
            ),
            "page": without_query('"url"'),
        },
        columns={
            **{n: n for n in ("event_id", "page", "url", "ip", "bounce_type")},
            "occurred_at": "at",
            "type": "kind",
            "campaign": message,
            "message_id": message,
            "asset": f"{told_by}.title",
            "subject": f"{told_by}.subject_line",
            "audience": "list_id",
        },
        constants={"source": "mailchimp", "channel": "email"},
        values={"type": _ACTIONS},
        properties=dict.fromkeys(_PROPERTIES, "text"),
    )


MAILCHIMP = System(
    "mailchimp",
    (
        _MEMBERS,
        *(_names(_MAIL), _names(_OWN), _names(_OWN, lead=_MAIL)),
        _mail(
            "campaign_recipient",
            "campaign_id",
            at='"campaign.send_time"',
            kind="'email_sent'",
            told_by="campaign",
            is_required=True,
        ),
        _mail(
            "campaign_recipient_activity",
            "campaign_id",
            at='"timestamp"',
            kind='"action"',
            told_by="campaign",
        ),
        _mail(
            "automation_recipient_activity",
            "automation_email_id",
            at='"timestamp"',
            kind='"action"',
            told_by="automation_email",
        ),
        _mail(
            "unsubscribe",
            "campaign_id",
            at='"timestamp"',
            kind="'email_unsubscribed'",
            told_by="campaign",
        ),
    ),
    lead_id="mailchimp",
)
