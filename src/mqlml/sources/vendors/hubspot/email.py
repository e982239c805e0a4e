"""HubSpot's marketing emails: one event per row of `email_event`, told more by its tables."""

from mqlml.sources.mapping import FileMapping, Join
from mqlml.sources.row_sql import address, renamed, says_yes, without_query, written

_TYPES = {
    "SENT": "email_sent",
    "DELIVERED": "email_delivered",
    "OPEN": "email_opened",
    "CLICK": "email_clicked",
    "BOUNCE": "email_bounced",
    "SPAMREPORT": "email_complained",
    "DEFERRED": "email_deferred",
    "DROPPED": "email_dropped",
    "UNSUBSCRIBED": "email_unsubscribed",
    "SUBSCRIBED": "email_resubscribed",
    "FORWARD": "email_forwarded",
}
_OWN = {
    "PROCESSED": "email_processed",
    "PRINT": "email_printed",
    "STATUSCHANGE": "email_status_changed",
}
# What only the table of the event's type tells.
_TOLD = {
    "email_event_open": ("duration", "user_agent", "ip_address"),
    "email_event_click": ("url", "user_agent", "ip_address"),
    "email_event_bounce": ("category",),
    "email_event_dropped": ("drop_reason",),
    "email_event_status_change": ("portal_subscription_status", "bounced", "subscriptions"),
}
_PROPERTIES = ("user_agent", "ip", "url", "message_id", "bounce_type", "drop_reason")
_STATUS = '"email_event_status_change.portal_subscription_status"'
_SUBSCRIPTIONS = '"email_event_status_change.subscriptions"'

_EVENTS = FileMapping(
    table="events",
    file="email_event",
    ids={"email": "email"},
    required=("id", "created", "type", "recipient"),
    optional=("email_campaign_id", "obsoleted_by_id", "filtered_event", "sent_by_id"),
    joins=(
        *(
            Join(file, own='"id"', key='"id"', columns=columns, is_required=False)
            for file, columns in _TOLD.items()
        ),
        Join(
            "email_campaign",
            own='"email_campaign_id"',
            key='"id"',
            columns=("name",),
            is_required=False,
        ),
    ),
    derived={
        "email": address('"recipient"'),
        "event_id": written("hubspot", '"id"'),
        "change": (
            f"CASE WHEN {_STATUS} IN ('UNSUBSCRIBED', 'SUBSCRIBED') THEN {_STATUS}"
            f" WHEN {says_yes('email_event_status_change.bounced')} THEN 'BOUNCE'"
            f" WHEN contains({_SUBSCRIPTIONS}, '\"UNSUBSCRIBED\"') THEN 'UNSUBSCRIBED'"
            f" WHEN contains({_SUBSCRIPTIONS}, '\"SUBSCRIBED\"') THEN 'SUBSCRIBED' END"
        ),
        "kind": (
            "CASE WHEN upper(\"type\") = 'STATUSCHANGE' THEN coalesce(\"change\", 'STATUSCHANGE')"
            ' ELSE upper("type") END'
        ),
        "type": renamed('"kind"', _OWN),
        "campaign": 'coalesce("email_campaign.name", "email_campaign_id")',
        "page": without_query('"email_event_click.url"'),
        "duration_s": 'TRY_CAST("email_event_open.duration" AS DOUBLE) / 1000',
        "user_agent": 'coalesce("email_event_click.user_agent", "email_event_open.user_agent")',
        "ip": 'coalesce("email_event_click.ip_address", "email_event_open.ip_address")',
        "url": '"email_event_click.url"',
        # What all that became of one sending has in common.
        "message_id": 'coalesce("sent_by_id", "id")',
        "bounce_type": '"email_event_bounce.category"',
        "drop_reason": '"email_event_dropped.drop_reason"',
        # HubSpot takes this one for a machine's.
        "is_bot": f"CASE WHEN {says_yes('filtered_event')} THEN 'true' END",
        "bot_reason": "CASE WHEN \"is_bot\" = 'true' THEN 'filtered by HubSpot' END",
    },
    times={"occurred_at": '"created"'},
    columns={
        **{n: n for n in ("event_id", "occurred_at", "type", "campaign", "page", "duration_s")},
        **{n: n for n in ("is_bot", "bot_reason", *_PROPERTIES)},
    },
    constants={"source": "hubspot", "channel": "email"},
    values={"type": _TYPES},
    properties=dict.fromkeys(_PROPERTIES, "text"),
    where='"obsoleted_by_id" IS NULL',
)


def _part(kind: str) -> FileMapping:
    """Return the mapping of a table whose rows belong to events, for those that belong to none."""
    return FileMapping(
        table="events",
        file=f"email_event_{kind}",
        ids={"email": "email_event.recipient"},
        required=("id",),
        joins=(
            Join("email_event", own='"id"', key='"id"', columns=("id", "recipient", "created")),
        ),
        columns={"event_id": "id", "occurred_at": "email_event.created"},
        constants={"source": "hubspot"},
        where='"email_event.id" IS NULL',
    )


EMAIL = (
    _EVENTS,
    *map(_part, ("sent", "delivered", "open", "click", "bounce", "deferred", "dropped")),
    *map(_part, ("forward", "print", "spam_report", "status_change")),
)
