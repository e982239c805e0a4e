"""Marketo: leads and the tables of activities, as a Fivetran connector writes them.

Layout: https://fivetran.com/docs/connectors/applications/marketo, read in
docs/exports/marketo.md. Times are UTC without an offset.
"""

from typing import Literal

from mqlml.sources.mapping import FileMapping, Join, Named, System
from mqlml.sources.row_sql import address, says_yes, without_query, written
from mqlml.sources.settings import Refusal
from mqlml.tables.sql import literal, quoted

_LIVE = f"NOT {says_yes('_fivetran_deleted')}"
_DATED = ("Job Title", "Industry", "Country", "State", "Lead Source")
_DATED_MORE = ("Num Employees", "Annual Revenue", "Company Name")
_TOLD = ("campaign_id", "campaign_run_id", "email_template_id", "primary_attribute_value")
_READER = ("user_agent", "client_ip_address", "device", "link", "category", "action_result")
_PAGE = ("webpage_url", "webpage_id", "referrer_url", "query_parameters")
_PROPERTIES = ("message_id", "url", "user_agent", "ip", "device", "template", "bounce_type")

# --- What was done to and by a lead ---


def _activity(
    kind: str, type_sql: str, *, channel: str, asset: str, page: str = "NULL"
) -> FileMapping:
    """Return the mapping of one kind of activity, with SQL for its type, asset and page."""
    return FileMapping(
        table="events",
        file=f"activity_{kind}",
        ids={"marketo": "lead_id"},
        required=("id", "activity_date", "lead_id"),
        optional=(*_TOLD, *_READER, *_PAGE),
        derived={
            "event_id": written("marketo", '"id"'),
            "type": type_sql,
            # One sending to one lead: the email and the run of the campaign that sent it.
            "message_id": 'CASE WHEN "email_template_id" IS NOT NULL'
            ' THEN concat_ws(\'-\', "email_template_id", "campaign_run_id") END',
            "url": 'coalesce("link", "webpage_url")',
            "page": without_query(f'coalesce({page}, "link")'),
            "asset": asset,
            "bounce_type": "CASE \"category\" WHEN '1' THEN 'blocked' WHEN '2' THEN 'hard' "
            'ELSE "category" END',
        },
        columns={
            **{n: n for n in ("event_id", "type", "page", "asset", "url", "message_id")},
            **{n: n for n in ("user_agent", "device", "bounce_type")},
            "occurred_at": "activity_date",
            "campaign": "campaign_id",
            "ip": "client_ip_address",
            "template": "email_template_id",
        },
        constants={"source": "marketo", "channel": channel},
        properties=dict.fromkeys(_PROPERTIES, "text"),
    )


def _mail(kind: str, name: str) -> FileMapping:
    return _activity(kind, literal(name), channel="email", asset="primary_attribute_value")


# What was skipped or failed was not sent.
_SENT = "CASE WHEN lower(action_result) IN ('skipped', 'failed') THEN 'email_dropped'"
_SENDING = f"{_SENT} ELSE 'email_sent' END"
_NAME = "primary_attribute_value"

_ACTIVITIES = (
    _activity("send_email", _SENDING, channel="email", asset=_NAME),
    _mail("email_delivered", "email_delivered"),
    _mail("open_email", "email_opened"),
    _mail("click_email", "email_clicked"),
    _mail("email_bounced", "email_bounced"),
    _mail("email_bounced_soft", "email_bounced"),
    _mail("unsubscribe_email", "email_unsubscribed"),
    _activity(
        "visit_webpage",
        "'page_view'",
        channel="web",
        asset="NULL",
        page=f"coalesce(webpage_url, {_NAME})",
    ),
    _activity("fill_out_form", "'form_submit'", channel="web", asset=_NAME, page="referrer_url"),
    _activity("click_link", "'link_click'", channel="web", asset=_NAME, page="referrer_url"),
)

# --- Who they are, and what became of them ---

_LEADS = FileMapping(
    table="leads",
    file="lead",
    ids={"marketo": "id", "email": "email"},
    required=("id", "created_at"),
    optional=("email", "_fivetran_deleted"),
    derived={"email": address(quoted("email"))},
    columns={"created_at": "created_at"},
    where=_LIVE,
)

_CHANGES = FileMapping(
    table="attributes",
    file="activity_change_data_value",
    ids={"marketo": "lead_id"},
    required=("lead_id", "activity_date", "primary_attribute_value", "new_value"),
    derived={"name": quoted("primary_attribute_value")},
    columns={"name": "name", "value": "new_value", "known_at": "activity_date"},
    attributes=(*_DATED, *_DATED_MORE),
    is_history=True,
)

_STATUS_STAGES = {
    **dict.fromkeys(("mql", "marketing qualified", "marketing qualified lead"), "mql"),
    **dict.fromkeys(("sal", "sales accepted", "accepted", "working", "contacted"), "sal"),
    **dict.fromkeys(("sql", "sales qualified", "qualified"), "sql"),
    **dict.fromkeys(("opportunity", "converted"), "opportunity"),
    "customer": "customer",
    **dict.fromkeys(("disqualified", "unqualified", "rejected"), "disqualified"),
    **dict.fromkeys(("recycled", "recycle", "nurture", "nurturing"), "recycled"),
    **dict.fromkeys(("new", "open", "known", "engaged", "prospect"), "ignore"),
}
_VERDICTS = {
    **dict.fromkeys(("sal", "sales accepted", "accepted", "working", "contacted"), "accepted"),
    **dict.fromkeys(("sql", "sales qualified", "qualified", "converted"), "accepted"),
    **dict.fromkeys(("opportunity", "customer"), "accepted"),
    **dict.fromkeys(("disqualified", "unqualified", "rejected"), "rejected"),
    **dict.fromkeys(("recycled", "recycle", "nurture", "nurturing"), "rejected"),
    **dict.fromkeys(("new", "open", "known", "engaged", "prospect"), "ignore"),
    **dict.fromkeys(("mql", "marketing qualified", "marketing qualified lead"), "ignore"),
}
_REASONS = {
    **dict.fromkeys(("disqualified", "unqualified", "rejected"), ""),
    **dict.fromkeys(("recycled", "recycle", "nurture", "nurturing"), "not_now"),
}


def _status(table: Literal["stages", "verdicts"]) -> FileMapping:
    """Return the mapping of a lead's changes of status to stages, or to verdicts."""
    status = '"new_value"'
    reason = f'CASE WHEN "verdict" = \'rejected\' THEN coalesce("own_reason", {status}) END'
    verdict = {"verdict": Named((status,), _VERDICTS), "reason": Named((reason,), _REASONS)}
    given = {"verdict": "verdict", "reason": "reason", "given_at": "activity_date"}
    is_stage = table == "stages"
    return FileMapping(
        table=table,
        file="activity_change_data_value",
        ids={"marketo": "lead_id"},
        required=("lead_id", "activity_date", "primary_attribute_value", "new_value"),
        joins=()
        if is_stage
        else (
            Join(
                "lead",
                own='"lead_id"',
                key='"id"',
                columns=("id",),
                is_required=False,
                has_reason=True,
            ),
        ),
        names={"stage": Named((status,), _STATUS_STAGES)} if is_stage else verdict,
        columns={"stage": "stage", "entered_at": "activity_date"} if is_stage else given,
        where=('lower("primary_attribute_value") = \'lead status\' AND "new_value" IS NOT NULL'),
    )


_DELETED = FileMapping(
    table="stages",
    file="activity_delete_lead",
    ids={"marketo": "lead_id"},
    required=("lead_id", "activity_date"),
    columns={"entered_at": "activity_date"},
    constants={"stage": "disqualified"},
)

# --- Who is who ---

_OWN, _MAIL = written("marketo", '"id"'), written("email", '"email"')


def _names(alias: str, *, lead: str | None = None) -> FileMapping:
    """Return the mapping of one name that leads go by, to the lead or to another name."""
    own = {} if lead is None else {"lead_id": lead}
    return FileMapping(
        table="aliases",
        file="lead",
        ids={"marketo": "id", "email": "email"},
        required=("id", "created_at"),
        optional=("email", "_fivetran_deleted"),
        derived={"email": address(quoted("email")), "alias": alias, **own},
        columns={"alias": "alias", "known_at": "created_at"},
        constants={"source": "marketo"},
        # Where leads are another system's, an address leads to nobody of this one's.
        is_masters=alias == _MAIL,
        where=f'"alias" <> "lead_id" AND {_LIVE}',
    )


_CHANGED_ADDRESSES = FileMapping(
    table="aliases",
    file="activity_change_data_value",
    ids={"marketo": "lead_id"},
    required=("lead_id", "activity_date", "primary_attribute_value", "new_value"),
    derived={"alias": written("email", address('"new_value"'))},
    columns={"alias": "alias", "known_at": "activity_date"},
    constants={"source": "marketo"},
    where='"primary_attribute_value" = \'Email Address\' AND "new_value" IS NOT NULL',
    is_masters=True,
)


def _merges(alias: str, own_kind: str = "") -> FileMapping:
    """Return the mapping of merges, a row for every lead that is gone, under one of its names."""
    return FileMapping(
        table="aliases",
        file="activity_merge_leads",
        ids={"marketo": "lead_id"},
        required=("lead_id", "activity_date", "merge_ids"),
        each="string_split(regexp_replace(\"merge_ids\", '[\\[\\]\" ]', '', 'g'), ',')",
        derived={"merged": "nullif(\"each\", '')", "alias": alias},
        refused=(
            Refusal(
                column="merge_ids",
                reason="merge without the leads that were merged",
                remedy="export the merges again",
                sql='"merged" IS NULL',
            ),
        ),
        columns={"alias": "alias", "known_at": "activity_date"},
        constants={"source": "marketo"},
        own_kind=own_kind,
    )


MARKETO = System(
    "marketo",
    (
        *(_LEADS, _CHANGES, _DELETED, _CHANGED_ADDRESSES),
        *(_status("stages"), _status("verdicts")),
        *(_names(_MAIL), _names(_OWN), _names(_OWN, lead=_MAIL)),
        *(_merges(written("marketo", '"merged"')), _merges('"merged"', "marketo")),
        *_ACTIVITIES,
    ),
    lead_id="marketo",
)
