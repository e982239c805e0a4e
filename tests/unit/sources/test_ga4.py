"""Rows as BigQuery exports them, hand-made, through the door of Google Analytics 4."""

import gzip
import json

import pyarrow as pa
import pyarrow.json as pa_json
import pyarrow.parquet as pq
import pytest

GA4 = [{"system": "ga4", "folder": "ga4", "lead_id": "user_pseudo_id"}]
MAY_1_NOON = 1_714_564_800_000_000  # 2024-05-01T12:00:00Z


def param(key, **value):
    return {"key": key, "value": value}


def event(name="page_view", *params, at=MAY_1_NOON, **columns):
    row = {"event_date": "20240501", "event_timestamp": str(at), "event_name": name}
    row |= {"event_params": list(params), "user_pseudo_id": "a", "stream_id": "1"}
    return row | columns


def ndjson(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def through(read):
    def rows_of(*rows, **settings):
        return read({"ga4/events_20240501.json": ndjson(*rows)}, exports=GA4, **settings)

    return rows_of


def test_a_page_view_keeps_its_microsecond_its_page_and_where_it_came_from(through):
    done = through(
        event(
            "page_view",
            param("page_location", string_value="https://x.io/pricing?gclid=Ab-1&utm_id=7#top"),
            param("engagement_time_msec", int_value="1250"),
            param("ga_session_id", int_value="1714564000"),
            param("ga_session_number", int_value="3"),
            param("source", string_value="google"),
            param("medium", string_value="cpc"),
            param("campaign", string_value="spring"),
            at=MAY_1_NOON + 1,
            device={"category": "mobile"},
            geo={"country": "France"},
        )
    )
    (row,) = done.rows("events")
    assert row["occurred_at"].isoformat() == "2024-05-01T12:00:00.000001+00:00"
    assert (row["lead_id"], row["type"], row["source"]) == ("a", "page_view", "ga4")
    assert (row["page"], row["duration_s"]) == ("https://x.io/pricing", 1.25)
    assert (row["ga_session_id"], row["ga_session_number"]) == ("1714564000", 3.0)
    assert (row["traffic_source"], row["channel"], row["campaign"]) == ("google", "cpc", "spring")
    assert (row["gclid"], row["device_category"], row["country"]) == ("Ab-1", "mobile", "France")
    assert done.count("events") == (1, 1, 0, 0, 0)


def test_where_the_event_does_not_say_the_collected_source_does(through):
    collected = {
        "manual_campaign_name": "autumn",
        "manual_medium": "email",
        "manual_source": "news",
        "gclid": "G2",
    }
    (row,) = through(event(collected_traffic_source=collected)).rows("events")
    assert (row["campaign"], row["channel"], row["traffic_source"]) == ("autumn", "email", "news")
    assert row["gclid"] == "G2"


def test_every_parameter_survives_with_its_kind(through):
    done = through(
        event(
            "scroll",
            param("text", string_value="1"),
            param("empty", string_value=""),
            param("whole", int_value="-5164663614086310235"),
            param("float", float_value="0.5"),
            param("double", double_value=2.25),
            param("no number", double_value="NaN"),
            param("nulls", string_value=None, int_value=7, float_value=None, double_value=None),
            param("nothing"),
            {"key": "left out"},
            param("whole", int_value="8"),
        )
    )
    (text,) = done.column("events", "params")
    assert json.loads(text) == {
        "text": "1",
        "empty": "",
        "whole": -5164663614086310235,
        "float": 0.5,
        "double": 2.25,
        "no number": "NaN",
        "nulls": 7,
        "nothing": None,
        "left out": None,
    }


def test_parameters_that_are_no_list_are_kept_as_they_are(through):
    done = through(event() | {"event_params": "broken"}, event() | {"event_params": {"a": 1}})
    assert sorted(done.column("events", "params")) == ["broken", '{"a": 1}']
    assert done.count("events") == (2, 2, 0, 0, 0)


def test_columns_that_the_exporter_left_out_are_nulls(through):
    bare = {"event_timestamp": str(MAY_1_NOON), "event_name": "page_view", "user_pseudo_id": "a"}
    (row,) = through(bare).rows("events")
    assert (row["page"], row["duration_s"], row["params"]) == (None, None, None)


def test_a_row_without_any_id_is_quarantined_and_told_what_to_do(read):
    nobody = event() | {"user_pseudo_id": None}
    files = {"ga4/events.json": ndjson(nobody, event(user_id="a", at=MAY_1_NOON + 1))}
    done = read(files, exports=[{"system": "ga4", "folder": "ga4"}])
    assert done.count("events") == (2, 1, 0, 1, 0)
    (refused,) = done.rows("quarantine")
    assert (refused["file"], refused["line"]) == ("ga4/events.json", 1)
    assert (refused["column"], refused["reason"]) == ("lead_id", "lead_id is missing")
    assert refused["remedy"] == (
        "set exports.lead_id to an id that these rows have, or fill"
        ' "user_id" or "user_pseudo_id" in the source'
    )


def test_a_visitor_who_signs_in_is_the_lead_from_then_on_with_what_he_did_before(read):
    minute = 60_000_000
    files = {
        "ga4/events.json": ndjson(
            event(at=MAY_1_NOON),
            event(user_id="a", at=MAY_1_NOON + minute),
            event(user_id="a", at=MAY_1_NOON + 2 * minute),
            event(user_pseudo_id="z", at=MAY_1_NOON),
        )
    }
    done = read(files, exports=[{"system": "ga4", "folder": "ga4"}])
    assert done.texts("aliases", "alias", "lead_id", "known_at") == [
        ("ga4:a", "a", "2024-05-01T12:01:00")
    ]
    assert sorted(done.texts("events", "lead_id", "occurred_at", "arrived_at")) == [
        ("a", "2024-05-01T12:00:00", "2024-05-01T12:01:00"),
        ("a", "2024-05-01T12:01:00", "2024-05-01T12:01:00"),
        ("a", "2024-05-01T12:02:00", "2024-05-01T12:02:00"),
        ("ga4:z", "2024-05-01T12:00:00", "2024-05-01T12:00:00"),
    ]
    assert all(count.is_balanced for count in done.ingested.counts)


def test_internal_traffic_and_the_debug_view_are_marked_as_google_marks_them(through):
    done = through(
        event("page_view", param("traffic_type", string_value="internal")),
        event("scroll", param("debug_mode", int_value="1")),
        event("click", param("note", string_value='"debug_mode":1')),
    )
    assert sorted(done.texts("events", "type", "is_bot", "bot_reason"), key=str) == [
        ("click", None, None),
        ("page_view", True, "internal traffic"),
        ("scroll", True, "debug mode"),
    ]


@pytest.mark.parametrize("path", ["params.crm", "user_properties.crm"])
def test_the_lead_may_be_named_by_a_parameter_or_a_user_property(read, path):
    crm = [param("crm", string_value="b")]
    row = event("page_view", *crm, user_properties=crm)
    done = read(
        {"ga4/e.json": ndjson(row)}, exports=[{"system": "ga4", "folder": "ga4", "lead_id": path}]
    )
    assert done.column("events", "lead_id") == ["b"]


def test_an_event_of_the_day_and_of_the_intraday_file_counts_once(read):
    early = event("page_view", param("page_location", string_value="https://x.io/"))
    late = event("page_view", param("page_location", string_value="https://x.io/"), user_ltv={})
    other = event("page_view", param("page_location", string_value="https://x.io/b"))
    done = read(
        {
            "ga4/events_20240501.json": ndjson(late, other),
            "ga4/events_intraday_20240501.json": ndjson(early),
        },
        exports=GA4,
    )
    assert done.count("events") == (3, 2, 1, 0, 0)
    assert sorted(done.column("events", "page")) == ["https://x.io/", "https://x.io/b"]


def test_parquet_and_compressed_ndjson_give_the_same_events(read, tmp_path):
    rows = [
        event("page_view", param("page_location", string_value="https://x.io/"), param("n")),
        event("form_submit", param("form_id", string_value="f1"), param("v", double_value=0.5)),
    ]
    for row in rows:
        row["event_timestamp"] = int(row["event_timestamp"])
    lines = tmp_path / "lines.json"
    lines.write_text(ndjson(*rows))
    pq.write_table(pa_json.read_json(lines), tmp_path / "e.parquet")
    assert pa.types.is_list(pq.read_schema(tmp_path / "e.parquet").field("event_params").type)
    kept = [
        read({name: content}, exports=[{**GA4[0], "folder": folder}]).rows("events")
        for folder, name, content in (
            ("z", "z/e.json.gz", gzip.compress(ndjson(*rows).encode())),
            ("p", "p/e.parquet", (tmp_path / "e.parquet").read_bytes()),
        )
    ]
    assert kept[0] == kept[1]
    assert [row["asset"] for row in kept[0]] == [None, "f1"]


def test_types_get_canonical_names_and_others_keep_theirs_and_are_counted(through):
    names = ["file_download", "generate_lead", "sign_up", "scroll", "scroll", "my_event"]
    done = through(*(event(name, at=MAY_1_NOON + n) for n, name in enumerate(names)))
    assert done.column("events", "type") == [
        *("content_download", "form_submit", "product_signup", "scroll", "scroll", "my_event")
    ]
    what = "is no canonical event type, kept under its own name"
    assert done.notes[:2] == [
        f"events, ga4, type: 'scroll' {what} (2 rows)",
        f"events, ga4, type: 'my_event' {what} (1 rows)",
    ]


def test_of_very_many_types_the_most_frequent_are_named_and_the_rest_counted(through):
    names = [f"own_{n:02}" for n in range(25)]
    done = through(*(event(name, at=MAY_1_NOON + n) for n, name in enumerate([*names, "own_24"])))
    told = [note for note in done.notes if "canonical" in note]
    assert len(told) == 21
    assert "'own_24'" in told[0]
    assert told[-1].endswith(
        "5 further types are no canonical ones, kept under their own names (5 rows)"
    )


def test_a_time_in_the_wrong_unit_is_refused(through):
    done = through(event(), event(at=MAY_1_NOON // 1_000_000), event(at="soon"))
    assert done.count("events") == (3, 1, 0, 2, 0)
    assert sorted(done.reasons) == [
        "occurred_at is not a time",
        "occurred_at lies before 1990-01-01",
    ]
