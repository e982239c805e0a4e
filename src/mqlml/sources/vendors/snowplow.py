"""Snowplow: the table `atomic.events`, as CSV, NDJSON or Parquet with its column names.

Layout: https://docs.snowplow.io/docs/fundamentals/canonical-event, read in
docs/exports/snowplow.md. Times are UTC.
"""

from mqlml.sources.mapping import FileMapping, System
from mqlml.sources.row_sql import json_text, renamed, says_yes, without_query, written
from mqlml.tables.sql import literal

_TYPES = {
    "submit_form": "form_submit",
    "transaction": "product_purchase",
    "file_download": "content_download",
}
_ROBOTS = "contexts_com_iab_snowplow_spiders_and_robots_1"
_GCLID = f"nullif(regexp_extract(\"page_url\", {literal('[?&]gclid=([^&#]+)')}, 1), '')"
_COLLECTED = 'coalesce("derived_tstamp", "dvce_created_tstamp", "collector_tstamp")'

_EVENTS = FileMapping(
    table="events",
    file="events",
    ids={"user_id": "user_id", "snowplow": "domain_userid"},
    required=("event_id", "collector_tstamp", "event"),
    optional=(
        *("user_id", "domain_userid", "derived_tstamp", "dvce_created_tstamp", "event_name"),
        *("page_url", "mkt_campaign", "mkt_medium", "mkt_source", "mkt_clickid", "se_action"),
        *(
            "se_label",
            "se_value",
            "useragent",
            "user_ipaddress",
            "domain_sessionid",
            "domain_sessionidx",
        ),
        *("dvce_type", "geo_country", "tr_total", _ROBOTS),
    ),
    derived={
        "id": written("snowplow", '"event_id"'),
        "kind": (
            "CASE \"event\" WHEN 'struct' THEN coalesce(\"se_action\", 'struct')"
            " WHEN 'unstruct' THEN coalesce(\"event_name\", 'unstruct') ELSE \"event\" END"
        ),
        "type": renamed('"kind"', _TYPES),
        "page": without_query('"page_url"'),
        "gclid": f'coalesce({_GCLID}, "mkt_clickid")',
        "amount": 'coalesce("se_value", "tr_total")',
        # Snowplow's enrichment by the list of spiders and robots.
        "is_robot": (
            f"coalesce({json_text(_ROBOTS, 0, 'spiderOrRobot')},"
            f" {json_text(_ROBOTS, 0, 'spider_or_robot')})"
        ),
        "is_bot": f"CASE WHEN {says_yes('is_robot')} THEN 'true' END",
        "bot_reason": "CASE WHEN \"is_bot\" = 'true' THEN 'on the list of spiders and robots' END",
    },
    times={"occurred_at": _COLLECTED, "arrived_at": '"collector_tstamp"'},
    columns={
        **{name: name for name in ("occurred_at", "arrived_at", "type", "page", "gclid")},
        **{name: name for name in ("is_bot", "bot_reason", "domain_sessionid")},
        "event_id": "id",
        "campaign": "mkt_campaign",
        "channel": "mkt_medium",
        "traffic_source": "mkt_source",
        "asset": "se_label",
        "value": "amount",
        "user_agent": "useragent",
        "ip": "user_ipaddress",
        "session_number": "domain_sessionidx",
        "device_category": "dvce_type",
        "country": "geo_country",
    },
    constants={"source": "snowplow"},
    properties={
        **dict.fromkeys(("gclid", "traffic_source", "user_agent", "domain_sessionid"), "text"),
        **dict.fromkeys(("device_category", "country", "ip"), "text"),
        "session_number": "number",
    },
)

_VISITORS = FileMapping(
    table="aliases",
    file="events",
    ids={"user_id": "user_id"},
    required=("event_id", "collector_tstamp"),
    optional=("user_id", "domain_userid"),
    derived={"alias": written("snowplow", '"domain_userid"')},
    times={"known_at": '"collector_tstamp"'},
    windows={
        "is_first": (
            'CASE WHEN row_number() OVER (PARTITION BY "alias", "lead_id"'
            " ORDER BY TRY_CAST(\"known_at\" AS TIMESTAMPTZ), __row) = 1 THEN 'true' END"
        )
    },
    columns={"alias": "alias", "known_at": "known_at"},
    constants={"source": "snowplow"},
    where='"user_id" IS NOT NULL AND "alias" IS NOT NULL AND "is_first" IS NOT NULL',
)

SNOWPLOW = System("snowplow", (_EVENTS, _VISITORS), lead_id="user_id", prefixes=("atomic_",))
