"""Pardot (Account Engagement): prospects, visitors, activities, opportunities, lists.

The tables are those of a Fivetran connector, read in docs/exports/pardot.md:
https://fivetran.com/docs/connectors/applications/pardot. The numbers of activity
types are Pardot's: https://developer.salesforce.com/docs/marketing/pardot/guide/visitor-activity-v5.html
"""

from mqlml.sources.casting import words
from mqlml.sources.mapping import FileMapping, Join, Named, System
from mqlml.sources.row_sql import (
    EACH_NAME,
    EACH_VALUE,
    address,
    each_of,
    renamed,
    says_yes,
    without_query,
    written,
)
from mqlml.tables.sql import quoted

_LIVE = f"NOT {says_yes('_fivetran_deleted')}"
_PROPERTIES = ("message_id", "url", "ip", "template")

# --- Who they are, and who is who ---

_PROSPECT = ("email", "prospect_account_id", "_fivetran_deleted")
_PROSPECT_IDS = {"pardot": "id", "email": "email"}

_PROSPECTS = FileMapping(
    table="leads",
    file="prospect",
    ids=_PROSPECT_IDS,
    required=("id", "created_at"),
    optional=_PROSPECT,
    derived={"email": address(quoted("email"))},
    columns={"created_at": "created_at", "account_id": "prospect_account_id"},
    where=_LIVE,
)


_OWN, _MAIL = written("pardot", '"id"'), written("email", '"email"')


def _names(alias: str, *, lead: str | None = None) -> FileMapping:
    """Return the mapping of one name that prospects go by, to the lead or to another name."""
    own = {} if lead is None else {"lead_id": lead}
    return FileMapping(
        table="aliases",
        file="prospect",
        ids=_PROSPECT_IDS,
        required=("id", "created_at"),
        optional=_PROSPECT,
        derived={"email": address(quoted("email")), "alias": alias, **own},
        columns={"alias": "alias", "known_at": "created_at"},
        constants={"source": "pardot"},
        # Where leads are another system's, an address leads to nobody of this one's.
        is_masters=alias == _MAIL,
        where=f'"alias" <> "lead_id" AND {_LIVE}',
    )


# A visitor's record changes when he becomes a prospect, so this is never too early.
_VISITORS = FileMapping(
    table="aliases",
    file="visitor",
    ids={"pardot": "prospect_id"},
    required=("id", "updated_at"),
    optional=("prospect_id",),
    derived={"alias": written("pardot_visitor", '"id"')},
    columns={"alias": "alias", "known_at": "updated_at"},
    constants={"source": "pardot"},
    where='"prospect_id" IS NOT NULL',
)

# --- Activities ---

_IS_MAIL = "starts_with(coalesce(type_name, ''), 'Email')"
# Types whose name depends on what they were done with come before the others.
_CANONICAL = {
    "1 Email": "email_clicked",
    "1 Email Tracker": "email_clicked",
    "1 File": "content_download",
    "1 Paid Search Ad": "ad_click",
    "2 File": "content_download",
    "2 Landing Page": "page_view",
    "4": "form_submit",
    "6": "email_sent",
    "11": "email_opened",
    "12": "email_unsubscribed",
    "13": "email_bounced",
    "14": "email_complained",
    "16": "email_resubscribed",
    "24": "webinar_attended",
    "25": "webinar_registered",
    # Another prospect with the same address did it, or it happened to him.
    "35": "email_unsubscribed",
    "36": "email_bounced",
    "37": "email_resubscribed",
}
# What has no canonical name keeps Pardot's, instead of its number.
_OWN_NAMES = {
    "2 Form": "form_view",
    "1": "click",
    "17": "click",
    "21": "click",
    "2": "view",
    "3": "form_error",
    "5": "session",
    "7": "site_search",
    "15": "email_preferences",
    "20": "visit",
    "22": "chat",
    "23": "webinar_invited",
    "26": "social_click",
    "27": "video_view",
    "28": "event_registered",
    "29": "event_attended",
    "30": "video_conversion",
    "34": "video_watched",
    **dict.fromkeys(("31", "32", "33"), "feedback"),
}
_KINDS = words(tuple(kind for kind in (*_CANONICAL, *_OWN_NAMES) if " " in kind))
_STAGES = {"8": "opportunity", "9": "customer", "10": "disqualified", "18": "opportunity"}
_OF_SALES = words((*_STAGES, "19", "38"))
# These are done by a person whom Pardot knows while he does them: a form that is sent in, or a
# link that was made for one address.
_NAMES_HIM = f"(\"type\" = '4' OR \"type\" IN ('12', '15') OR (\"type\" = '1' AND {_IS_MAIL}))"
_ACTIVITY = ("prospect_id", "visitor_id", "type_name", "campaign_id", "details", "email_id")
_ACTIVITY_MORE = ("list_email_id", "email_template_id")
_LINK = "starts_with(lower(coalesce(details, '')), 'http')"

_EVENTS = FileMapping(
    table="events",
    file="visitor_activity",
    ids={"pardot": "known_prospect", "pardot_visitor": "visitor_id"},
    required=("id", "created_at", "type"),
    optional=(*_ACTIVITY, *_ACTIVITY_MORE),
    joins=(
        Join("campaign", own='"campaign_id"', key='"id"', columns=("name",), is_required=False),
        Join("visitor", own='"visitor_id"', key='"id"', columns=("ip_address",), is_required=False),
    ),
    derived={
        "event_id": written("pardot", '"id"'),
        # Pardot writes the prospect into what the visitor did before he was one: there the
        # visitor counts, and from when he is known.
        "known_prospect": f"CASE WHEN {_IS_MAIL} OR {_NAMES_HIM} OR visitor_id IS NULL"
        " THEN prospect_id END",
        "channel": f"CASE WHEN {_IS_MAIL} THEN 'email' ELSE 'web' END",
        "campaign": 'coalesce("campaign.name", "campaign_id")',
        "url": f"CASE WHEN {_LINK} THEN details END",
        "page": without_query('"url"'),
        # What was searched for may be anything.
        "asset": f"CASE WHEN NOT {_LINK} AND \"type\" <> '7' THEN details END",
        "message_id": "coalesce(list_email_id, email_id)",
        "kind": f"CASE WHEN concat_ws(' ', \"type\", type_name) IN ({_KINDS})"
        ' THEN concat_ws(\' \', "type", type_name) ELSE "type" END',
        "own_type": renamed('"kind"', _OWN_NAMES),
    },
    columns={
        **{n: n for n in ("event_id", "channel", "campaign", "url", "page", "asset")},
        "occurred_at": "created_at",
        "type": "own_type",
        "message_id": "message_id",
        "ip": "visitor.ip_address",
        "template": "email_template_id",
    },
    constants={"source": "pardot"},
    values={"type": _CANONICAL},
    properties=dict.fromkeys(_PROPERTIES, "text"),
    where=f'"type" IS NULL OR "type" NOT IN ({_OF_SALES})',
)

_SEEN_VISITORS = FileMapping(
    table="aliases",
    file="visitor_activity",
    ids={"pardot": "prospect_id"},
    required=("id", "created_at", "type"),
    optional=_ACTIVITY,
    derived={"alias": written("pardot_visitor", '"visitor_id"')},
    columns={"alias": "alias", "known_at": "created_at"},
    constants={"source": "pardot"},
    where=f"prospect_id IS NOT NULL AND visitor_id IS NOT NULL AND {_NAMES_HIM}",
)

_SALES = FileMapping(
    table="stages",
    file="visitor_activity",
    ids={"pardot": "prospect_id"},
    required=("id", "created_at", "type"),
    optional=_ACTIVITY,
    names={"stage": Named(('"type"',), _STAGES)},
    columns={"stage": "stage", "entered_at": "created_at"},
    where=f'"type" IN ({words(tuple(_STAGES))})',
)

# --- Opportunities and lists ---

_CLOSED = {"won": "customer", "lost": "disqualified", "(open)": "opportunity"}

_OPPORTUNITIES = FileMapping(
    table="stages",
    file="opportunity",
    ids={"pardot": "opportunity_prospect.prospect_id"},
    required=("id", "created_at"),
    optional=("closed_at", "status", "stage", "_fivetran_deleted"),
    joins=(
        Join(
            "opportunity_prospect",
            own='"id"',
            key='"opportunity_id"',
            columns=("prospect_id",),
            is_many=True,
        ),
    ),
    each=each_of({"(open)": "created_at", "closed": "closed_at"}),
    derived={
        "entered_at": EACH_VALUE,
        "own_stage": f"CASE WHEN {EACH_NAME} = '(open)' THEN '(open)' ELSE \"stage\" END",
        "own_status": f"CASE WHEN {EACH_NAME} = '(open)' THEN '(open)' ELSE \"status\" END",
    },
    names={"stage": Named(('"own_stage"', '"own_status"'), _CLOSED)},
    columns={"stage": "stage", "entered_at": "entered_at"},
    # The closing date of one that is open is a plan.
    where=f"{_LIVE} AND NOT coalesce(lower(\"own_status\") = 'open', false)",
)

_LISTS = FileMapping(
    table="events",
    file="list_membership",
    ids={"pardot": "prospect_id"},
    required=("id", "created_at", "list_id", "prospect_id"),
    optional=("opted_out", "updated_at", "_fivetran_deleted"),
    joins=(Join("list", own='"list_id"', key='"id"', columns=("name",), is_required=False),),
    each=each_of({"list_joined": "created_at", "email_unsubscribed": "updated_at"}),
    derived={
        "kind": EACH_NAME,
        "occurred_at": EACH_VALUE,
        "event_id": written("pardot_list", '"id" || \':\' || "kind"'),
        "list": 'coalesce("list.name", "list_id")',
    },
    columns={"event_id": "event_id", "type": "kind", "occurred_at": "occurred_at", "list": "list"},
    constants={"source": "pardot"},
    properties={"list": "text"},
    where=f"\"kind\" = 'list_joined' OR {says_yes('opted_out')}",
)

PARDOT = System(
    "pardot",
    (
        *(_PROSPECTS, _names(_MAIL), _names(_OWN), _names(_OWN, lead=_MAIL)),
        *(_VISITORS, _SEEN_VISITORS, _EVENTS, _SALES, _OPPORTUNITIES, _LISTS),
    ),
    lead_id="pardot",
)
