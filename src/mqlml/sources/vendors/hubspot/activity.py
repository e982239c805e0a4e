"""HubSpot's forms and what sales does with a contact: calls, meetings, tasks, emails, messages."""

from mqlml.sources.mapping import FileMapping, Join
from mqlml.sources.row_sql import digest, says_yes, without_query, written
from mqlml.tables.sql import literal, quoted

_FORMS = FileMapping(
    table="events",
    file="contact_form_submission",
    ids={"hubspot": "contact_id"},
    required=("timestamp", "form_id", "contact_id"),
    optional=("conversion_id", "page_url"),
    joins=(
        Join(
            "form",
            own='"form_id"',
            key='"guid"',
            columns=("name",),
            reads=("guid",),
            is_required=False,
        ),
    ),
    derived={
        "event_id": digest(
            literal("form"), *map(quoted, ("contact_id", "form_id", "conversion_id", "timestamp"))
        ),
        "asset": 'coalesce("form.name", "form_id")',
        "page": without_query('"page_url"'),
    },
    times={"occurred_at": '"timestamp"'},
    columns={n: n for n in ("event_id", "occurred_at", "asset", "page")},
    constants={"source": "hubspot", "type": "form_submit", "channel": "web"},
)

_CHANNELS = {
    "LINKEDIN_MESSAGE": "social_message",
    "WHATS_APP": "social_message",
    "SMS": "sms_message",
}


_ONE_OF_THEM = '"engagement_id" || \':\' || "engagement_contact.contact_id"'


def _engagement(
    kind: str, kind_of: str, *, at: tuple[str, ...], outcome: tuple[str, ...] = ()
) -> FileMapping:
    """Return the mapping of one kind of engagement: a row for every contact who was part of it.

    `kind_of` is SQL for the event type, `at` the columns of its time, the first
    that is filled counts, and `outcome` those of what came of it.
    """
    outcomes = ", ".join(["NULL", *map(quoted, outcome)])
    times = ", ".join([*map(quoted, at), '"engagement.timestamp"', '"engagement.created_at"'])
    return FileMapping(
        table="events",
        file=f"engagement_{kind}",
        ids={"hubspot": "engagement_contact.contact_id"},
        required=("engagement_id",),
        optional=(
            *("_fivetran_deleted", "property_hs_call_duration", "property_hs_email_direction"),
            *("property_hs_communication_channel_type", *at, *outcome),
        ),
        joins=(
            Join(
                "engagement_contact",
                own='"engagement_id"',
                key='"engagement_id"',
                columns=("contact_id",),
                is_many=True,
            ),
            Join(
                "engagement",
                own='"engagement_id"',
                key='"id"',
                columns=("timestamp", "created_at"),
                is_required=False,
            ),
        ),
        derived={
            "event_id": written("hubspot", _ONE_OF_THEM),
            "type": kind_of,
            "outcome": f"lower(coalesce({outcomes}))",
            "duration_s": 'TRY_CAST("property_hs_call_duration" AS DOUBLE) / 1000',
        },
        times={"occurred_at": f"coalesce({times})"},
        columns={n: n for n in ("event_id", "occurred_at", "type", "outcome", "duration_s")},
        constants={"source": "hubspot", "channel": "sales"},
        properties={"outcome": "text"},
        where=f"NOT {says_yes('_fivetran_deleted')}",
    )


# Entering a list is an event, and stays one when the contact has left the list.
_LISTS = FileMapping(
    table="events",
    file="contact_list_member",
    ids={"hubspot": "contact_id"},
    required=("contact_id", "contact_list_id", "added_at"),
    joins=(
        Join(
            "contact_list",
            own='"contact_list_id"',
            key='"id"',
            columns=("name",),
            is_required=False,
        ),
    ),
    derived={
        "event_id": digest(
            literal("list"), *map(quoted, ("contact_id", "contact_list_id", "added_at"))
        ),
        "asset": 'coalesce("contact_list.name", "contact_list_id")',
    },
    times={"occurred_at": '"added_at"'},
    columns={n: n for n in ("event_id", "occurred_at", "asset")},
    constants={"source": "hubspot", "type": "list_joined"},
)

_AT = ("property_hs_timestamp", "property_hs_createdate")
_DIRECTION = (
    'CASE upper("property_hs_email_direction")'
    " WHEN 'INCOMING_EMAIL' THEN 'email_replied' ELSE 'email_sent' END"
)
_CHANNEL = '"property_hs_communication_channel_type"'
_MESSAGE = " ".join(f"WHEN {literal(own)} THEN {literal(name)}" for own, name in _CHANNELS.items())

ACTIVITY = (
    _FORMS,
    _LISTS,
    # What is written in a note is not read.
    _engagement("note", "'note'", at=_AT),
    _engagement(
        "call",
        "'call'",
        at=_AT,
        outcome=("property_hs_call_disposition", "property_hs_call_status"),
    ),
    _engagement(
        "meeting",
        "'meeting'",
        at=("property_hs_meeting_start_time", "start_time", *_AT),
        outcome=("property_hs_meeting_outcome", "meeting_outcome"),
    ),
    # A task's own time is when it is due, which may be far ahead.
    _engagement("task", "'task'", at=_AT[::-1], outcome=("property_hs_task_status", "status")),
    _engagement("email", _DIRECTION, at=_AT),
    _engagement("communication", f"CASE upper({_CHANNEL}) {_MESSAGE} ELSE 'message' END", at=_AT),
)
