"""Snowplow: the table `atomic.events` with its column names, or the enriched stream's TSV files.

Layout: https://docs.snowplow.io/docs/fundamentals/canonical-event, read in
docs/exports/snowplow.md. Times are UTC.
"""

from dataclasses import replace

from mqlml.sources.mapping import FileMapping, System
from mqlml.sources.row_sql import json_text, renamed, says_yes, without_query, written
from mqlml.tables.sql import literal

# The stream's values in their order, as the page "enriched TSV format" lists them.
_IN_ORDER = (
    "app_id platform etl_tstamp collector_tstamp dvce_created_tstamp event event_id txn_id "
    "name_tracker v_tracker v_collector v_etl user_id user_ipaddress user_fingerprint "
    "domain_userid domain_sessionidx network_userid geo_country geo_region geo_city "
    "geo_zipcode geo_latitude geo_longitude geo_region_name ip_isp ip_organization ip_domain "
    "ip_netspeed page_url page_title page_referrer page_urlscheme page_urlhost page_urlport "
    "page_urlpath page_urlquery page_urlfragment refr_urlscheme refr_urlhost refr_urlport "
    "refr_urlpath refr_urlquery refr_urlfragment refr_medium refr_source refr_term mkt_medium "
    "mkt_source mkt_term mkt_content mkt_campaign contexts se_category se_action se_label "
    "se_property se_value unstruct_event tr_orderid tr_affiliation tr_total tr_tax "
    "tr_shipping tr_city tr_state tr_country ti_orderid ti_sku ti_name ti_category ti_price "
    "ti_quantity pp_xoffset_min pp_xoffset_max pp_yoffset_min pp_yoffset_max useragent "
    "br_name br_family br_version br_type br_renderengine br_lang br_features_pdf "
    "br_features_flash br_features_java br_features_director br_features_quicktime "
    "br_features_realplayer br_features_windowsmedia br_features_gears "
    "br_features_silverlight br_cookies br_colordepth br_viewwidth br_viewheight os_name "
    "os_family os_manufacturer os_timezone dvce_type dvce_ismobile dvce_screenwidth "
    "dvce_screenheight doc_charset doc_width doc_height tr_currency tr_total_base tr_tax_base "
    "tr_shipping_base ti_currency ti_price_base base_currency geo_timezone mkt_clickid "
    "mkt_network etl_tags dvce_sent_tstamp refr_domain_userid refr_device_tstamp "
    "derived_contexts domain_sessionid derived_tstamp event_vendor event_name event_format "
    "event_version event_fingerprint true_tstamp "
)
ENRICHED = tuple(_IN_ORDER.split())

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
        *("dvce_type", "geo_country", "tr_total", "derived_contexts", _ROBOTS),
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
            f" {json_text(_ROBOTS, 0, 'spider_or_robot')},"
            " CASE WHEN contains(\"derived_contexts\", '\"spiderOrRobot\":true') THEN 'true' END)"
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

_STREAM = tuple(replace(one, file="", header=ENRICHED) for one in (_EVENTS, _VISITORS))

SNOWPLOW = System(
    "snowplow", (_EVENTS, _VISITORS, *_STREAM), lead_id="user_id", prefixes=("atomic_",)
)
