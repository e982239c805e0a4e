"""Google Analytics 4: the BigQuery export, as NDJSON or Parquet.

Layout: https://support.google.com/analytics/answer/7029846, read in docs/exports/ga4.md.
"""

from mqlml.sources.mapping import FileMapping, System
from mqlml.sources.row_sql import digest, json_of, json_text, utc_time, without_query, written
from mqlml.tables.sql import literal, quoted

_KINDS = ("string_value", "int_value", "float_value", "double_value")
_NUMBER = r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?"
_FIELDS = ", ".join(f'"{kind}": "VARCHAR"' for kind in _KINDS)
_LISTED = f'[{{"key": "VARCHAR", "value": {{{_FIELDS}}}}}]'


_WHOLE = r"0|-?[1-9]\d*"
# One parameter as a member of a JSON object, `"key":value`; numbers as JSON spells them.
_OTHER = "coalesce(p.value.int_value, p.value.float_value, p.value.double_value)"
_PAIR = f"""to_json(p.key) || ':' || CASE
    WHEN p.value.string_value IS NOT NULL THEN CAST(to_json(p.value.string_value) AS VARCHAR)
    WHEN {_OTHER} IS NULL THEN 'null'
    WHEN regexp_full_match({_OTHER}, {literal(_WHOLE)}) THEN {_OTHER}
    WHEN regexp_full_match({_OTHER}, {literal(_NUMBER)})
        THEN CAST(json_extract({_OTHER}, '$') AS VARCHAR)
    ELSE CAST(to_json({_OTHER}) AS VARCHAR) END"""


def _by_key(column: str) -> str:
    """Return SQL for one JSON object, key → value, of a repeated record of keys and values.

    Values keep their kind: text in quotes, numbers without. Of a key that comes
    again the first counts. What is no such list stays as it is.
    """
    listed = f"from_json({json_of(quoted(column))}, {literal(_LISTED)})"
    pairs = f"array_to_string(list_transform(l, lambda p: {_PAIR}), ',')"
    # No key is missing or stands twice: the text is put together at once.
    is_plain = "len(list_distinct(list_transform(l, lambda p: p.key))) = len(l)"
    whole = f"CASE WHEN {is_plain} THEN '{{' || {pairs} || '}}' END"
    bound = f"list_transform([{listed}], lambda l: {whole})[1]"
    return f"coalesce({bound}, {_first_by_key(listed)}, {quoted(column)})"


def _first_by_key(listed: str) -> str:
    """Return SQL for the object of a list in which keys come again; null if a key is missing."""
    keys = f"list_transform({listed}, lambda p: p.key)"
    first = f"list_filter({listed}, lambda p, i: list_position({keys}, p.key) = i)"
    value = ", ".join(map(_plain, (f"p.value.{kind}" for kind in _KINDS[1:])))
    pair = f"struct_pack(k := p.key, v := coalesce(to_json(p.value.string_value), {value}))"
    pairs = f"list_transform({first}, lambda p: {pair})"
    return f"TRY(CAST(to_json(map_from_entries({pairs})) AS VARCHAR))"


def _plain(number: str) -> str:
    """Return SQL for a number as JSON; one that JSON cannot spell, such as NaN, is its word."""
    is_plain = f"regexp_full_match({number}, {literal(_NUMBER)})"
    return f"CASE WHEN {is_plain} THEN CAST({number} AS JSON) ELSE to_json({number}) END"


def _either(name: str, *manual: str) -> str:
    """Return SQL for a parameter of the event, else a field of `collected_traffic_source`."""
    fields = [json_text("collected_traffic_source", field) for field in manual]
    return f"coalesce({', '.join([json_text('params', name), *fields])})"


_URL = json_text("params", "page_location")
_GCLID = f"nullif(regexp_extract({_URL}, {literal('[?&]gclid=([^&#]+)')}, 1), '')"
_KEY = (
    *("stream_id", "user_pseudo_id", "event_timestamp", "event_name", "event_bundle_sequence_id"),
    *("batch_page_id", "batch_ordering_id", "batch_event_index", "params"),
)

# Google keeps these marks where the property's data filter only tests what it would leave out.
_IS_INTERNAL = """contains("params", '"traffic_type":"internal"')"""
_IS_DEBUG = """contains("params", '"debug_mode":1')"""
_SENT_AGENT = json_text("params", "user_agent")
_AGENT = f"""CASE WHEN contains("params", '"user_agent"') THEN {_SENT_AGENT} END"""

_EVENTS = FileMapping(
    table="events",
    file="",
    # A visitor who is not known yet goes by the browser's id.
    ids={"ga4": "user_pseudo_id"},
    required=("event_timestamp", "event_name"),
    optional=(
        *("event_params", "user_id", "user_pseudo_id", "user_properties", "stream_id", "device"),
        *("geo", "platform", "event_bundle_sequence_id", "batch_page_id", "batch_ordering_id"),
        *("batch_event_index", "collected_traffic_source", "event_value_in_usd"),
    ),
    derived={
        "params": _by_key("event_params"),
        "user_properties": _by_key("user_properties"),
        "event_id": digest(*map(quoted, _KEY)),
        "occurred_at": utc_time('"event_timestamp"', per_second=1_000_000),
        "page": without_query(_URL),
        "asset": f"coalesce({json_text('params', 'file_name')}, {json_text('params', 'form_id')})",
        "campaign": _either("campaign", "manual_campaign_name"),
        "medium": _either("medium", "manual_medium"),
        "traffic_source": _either("source", "manual_source"),
        "gclid": f"coalesce({_either('gclid', 'gclid')}, {_GCLID})",
        "duration_s": f"TRY_CAST({json_text('params', 'engagement_time_msec')} AS DOUBLE) / 1000",
        "ga_session_id": json_text("params", "ga_session_id"),
        "ga_session_number": json_text("params", "ga_session_number"),
        "device_category": json_text("device", "category"),
        "country": json_text("geo", "country"),
        "user_agent": _AGENT,
        "bot_reason": (
            f"CASE WHEN {_IS_INTERNAL} THEN 'internal traffic'"
            f" WHEN {_IS_DEBUG} THEN 'debug mode' END"
        ),
        "is_bot": "CASE WHEN \"bot_reason\" IS NOT NULL THEN 'true' END",
    },
    columns={
        **{n: n for n in ("is_bot", "bot_reason", "user_agent")},
        **{n: n for n in ("event_id", "occurred_at", "page", "asset", "campaign", "duration_s")},
        **{n: n for n in ("params", "user_properties", "traffic_source", "gclid")},
        **{n: n for n in ("ga_session_id", "ga_session_number", "device_category", "country")},
        "type": "event_name",
        "channel": "medium",
        "value": "event_value_in_usd",
    },
    constants={"source": "ga4"},
    values={
        "type": {
            "file_download": "content_download",
            "generate_lead": "form_submit",
            "sign_up": "product_signup",
            "login": "product_login",
            "purchase": "product_purchase",
            "share": "social_share",
        }
    },
    properties={
        "params": "text",
        "user_properties": "text",
        "traffic_source": "text",
        "gclid": "text",
        "ga_session_id": "text",
        "ga_session_number": "number",
        "device_category": "text",
        "country": "text",
        "user_agent": "text",
    },
)

_VISITORS = FileMapping(
    table="aliases",
    file="",
    ids={},
    required=("event_timestamp", "event_name"),
    optional=("user_id", "user_pseudo_id", "event_params", "user_properties"),
    derived={
        "params": _by_key("event_params"),
        "user_properties": _by_key("user_properties"),
        "alias": written("ga4", '"user_pseudo_id"'),
        "known_at": utc_time('"event_timestamp"', per_second=1_000_000),
    },
    windows={
        "is_first": (
            'CASE WHEN "alias" IS NOT NULL AND "lead_id" IS NOT NULL AND row_number() OVER'
            ' (PARTITION BY "alias", "lead_id" ORDER BY "known_at", __row) = 1 THEN \'true\' END'
        )
    },
    columns={"alias": "alias", "known_at": "known_at"},
    constants={"source": "ga4"},
    where='"is_first" IS NOT NULL',
    # Where the browser's id is the lead's, it links to nothing.
    foreign_kind="user_pseudo_id",
)

GA4 = System("ga4", (_EVENTS, _VISITORS), lead_id="user_id", is_any_id=True)
