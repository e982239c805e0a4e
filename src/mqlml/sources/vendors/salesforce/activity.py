"""Salesforce's tasks, events, emails and campaign members: what was done with a person."""

from mqlml.sources.mapping import FileMapping, Join
from mqlml.sources.row_sql import EACH_NAME, EACH_VALUE, each_of, says_yes, written
from mqlml.sources.vendors.salesforce.records import DELETED, GONE, GONE_COLUMNS, record

_COMMON = {"person": record("who_id"), "event_id": written("salesforce", f"({record('id')})")}
_KEPT = ("event_id", "occurred_at", "type", "outcome", "duration_s")

_TASKS = FileMapping(
    table="events",
    file="task",
    ids={"salesforce": "person"},
    required=("id", "who_id", "created_date"),
    optional=(
        *("task_subtype", "type", "status", "completed_date_time", "call_disposition"),
        *("call_duration_in_seconds", *GONE_COLUMNS),
    ),
    derived={
        **_COMMON,
        "kind": 'lower(coalesce("task_subtype", "type"))',
        "type": (
            "CASE WHEN \"kind\" = 'call' OR lower(\"type\") = 'call' THEN 'call'"
            " WHEN \"kind\" IN ('email', 'listemail') OR lower(\"type\") = 'email'"
            " THEN 'email_sent' ELSE 'task' END"
        ),
        # The day of a task is when it is due.
        "occurred_at": 'coalesce("completed_date_time", "created_date")',
        "outcome": 'lower(coalesce("call_disposition", "status"))',
        "duration_s": '"call_duration_in_seconds"',
    },
    columns={name: name for name in _KEPT},
    constants={"source": "salesforce", "channel": "sales"},
    properties={"outcome": "text"},
    where=f"NOT {GONE}",
)

_MEETINGS = FileMapping(
    table="events",
    file="event",
    ids={"salesforce": "person"},
    required=("id", "who_id"),
    optional=(
        *("type", "start_date_time", "activity_date_time", "activity_date", "is_child"),
        *("duration_in_minutes", *GONE_COLUMNS),
    ),
    derived={
        **_COMMON,
        "type": "CASE WHEN lower(\"type\") = 'call' THEN 'call' ELSE 'meeting' END",
        "occurred_at": 'coalesce("start_date_time", "activity_date_time", "activity_date")',
        "outcome": "NULL",
        "duration_s": 'TRY_CAST("duration_in_minutes" AS DOUBLE) * 60',
    },
    columns={name: name for name in _KEPT},
    constants={"source": "salesforce", "channel": "sales"},
    properties={"outcome": "text"},
    # A meeting has a row of its own for every colleague who was invited.
    where=f"NOT {GONE} AND NOT {says_yes('is_child')}",
)

_WEBINAR = "lower(\"campaign.type\") LIKE '%webinar%'"
_MEMBERS = FileMapping(
    table="events",
    file="campaign_member",
    ids={"salesforce": "person"},
    required=("id", "campaign_id", "created_date"),
    optional=(
        *("lead_id", "contact_id", "status", "has_responded", "first_responded_date"),
        *GONE_COLUMNS,
    ),
    joins=(
        Join(
            "campaign",
            own=record("campaign_id"),
            key=record("id"),
            columns=("name", "type"),
            reads=("id",),
            is_required=False,
        ),
    ),
    derived={
        "person": f"coalesce({record('lead_id')}, {record('contact_id')})",
        "event_id": written("salesforce", f"({record('id')})"),
        "type": (
            f"CASE WHEN lower(\"status\") = 'attended' AND {_WEBINAR} THEN 'webinar_attended'"
            f" WHEN lower(\"status\") = 'registered' AND {_WEBINAR} THEN 'webinar_registered'"
            f" WHEN {says_yes('has_responded')} THEN 'campaign_responded' ELSE 'campaign_sent' END"
        ),
        "occurred_at": 'coalesce("first_responded_date", "created_date")',
        "outcome": 'lower("status")',
        "campaign_name": 'coalesce("campaign.name", "campaign_id")',
    },
    columns={
        **{name: name for name in ("event_id", "occurred_at", "type", "outcome")},
        "campaign": "campaign_name",
    },
    constants={"source": "salesforce"},
    properties={"outcome": "text"},
    where=f"NOT {GONE}",
)

# Whom an email was sent to, or who wrote it, is told by its relations.
_PEOPLE_OF_MAIL = Join(
    "email_message_relation",
    own=record("id"),
    key=record("email_message_id"),
    columns=("relation_id",),
    reads=("relation_type", "relation_object_type", "is_deleted"),
    where=(
        f"NOT {DELETED} AND lower(coalesce(nullif(relation_object_type, ''), 'lead'))"
        " IN ('lead', 'contact') AND lower(relation_type) IN ('toaddress', 'fromaddress')"
    ),
    is_many=True,
)
_MAIL_EVENTS = {
    "email_opened": "first_opened_date",
    "email_clicked": "first_link_clicked_date",
    "email": "message_date",
}
_EMAILS = FileMapping(
    table="events",
    file="email_message",
    ids={"salesforce": "person"},
    required=("id", "message_date"),
    optional=(
        *("incoming", "is_bounced", "status", "first_opened_date", "first_link_clicked_date"),
        *("email_template_id", *GONE_COLUMNS),
    ),
    joins=(_PEOPLE_OF_MAIL,),
    each=each_of(_MAIL_EVENTS),
    derived={
        "person": record("email_message_relation.relation_id"),
        "kind": EACH_NAME,
        "event_id": written(
            "salesforce", f"({record('id')}) || ':' || \"person\" || ':' || \"kind\""
        ),
        # Status 5 is a draft.
        "type": (
            f'CASE WHEN "kind" <> \'email\' THEN "kind" WHEN {says_yes("incoming")}'
            f" THEN 'email_replied' WHEN {says_yes('is_bounced')} THEN 'email_bounced'"
            " ELSE 'email_sent' END"
        ),
        "occurred_at": EACH_VALUE,
        "message_id": record("id"),
    },
    columns={
        **{name: name for name in ("event_id", "occurred_at", "type", "message_id")},
        "template": "email_template_id",
    },
    constants={"source": "salesforce", "channel": "email"},
    properties={"message_id": "text", "template": "text"},
    where=f"NOT {GONE} AND coalesce(\"status\", '') NOT IN ('5', 'Draft')",
    remedies={"lead_id": "export email_message_relation too: it says whose the emails are"},
)

ACTIVITY = (_TASKS, _MEETINGS, _MEMBERS, _EMAILS)
