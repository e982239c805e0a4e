"""Hand-written rows of Segment's, RudderStack's and Snowplow's tables, through their doors."""

import json

import pytest
from tests.unit.sources.conftest import csv_text

SEGMENT = [{"system": "segment", "folder": "seg"}]
SNOWPLOW = [{"system": "snowplow", "folder": "sp"}]
TRACK = {"id": "1", "anonymous_id": "v", "user_id": "a", "event": "signed_up"}
AT = {"timestamp": "2024-02-01 10:00:00", "received_at": "2024-02-01 10:00:05"}


def test_tracks_and_pages_are_events_of_users_and_of_visitors(read):
    done = read(
        {
            "seg/tracks.csv": csv_text(
                TRACK | AT | {"revenue": "9.5", "context_campaign_medium": "cpc"},
                TRACK | AT | {"id": "2", "user_id": "", "event": "pricing_calculated"},
                TRACK | AT | {"id": "3", "user_id": "", "anonymous_id": ""},
                TRACK | AT | {"id": "5", "user_id": "", "anonymous_id": "w", "event": "scrolled"},
            ),
            "seg/pages.csv": csv_text(
                AT | {"id": "4", "user_id": "b", "url": "https://x.io/p?gclid=G1&x=1#top"}
            ),
        },
        exports=SEGMENT,
    )
    names = ("event_id", "lead_id", "type", "occurred_at", "arrived_at", "page", "gclid", "value")
    day = "2024-02-01T10:00:"
    assert sorted(done.texts("events", *names)) == [
        ("segment:1", "a", "product_signup", day + "00", day + "05", None, None, 9.5),
        # The visitor is the user by the first row; the other one is nobody yet.
        ("segment:2", "a", "pricing_calculated", day + "00", day + "05", None, None, None),
        ("segment:4", "b", "page_view", day + "00", day + "05", "https://x.io/p", "G1", None),
        ("segment:5", "segment:w", "scrolled", day + "00", day + "05", None, None, None),
    ]
    assert done.reasons == ["lead_id is missing"]
    assert "set exports.lead_id" in done.rows("quarantine")[0]["remedy"]


def test_the_first_row_with_two_ids_says_since_when_a_visitor_is_known(read):
    def identify(number, day, **more):
        row = {"id": number, "anonymous_id": "v", "user_id": "a"}
        return row | {"timestamp": f"2024-02-0{day}", "received_at": f"2024-02-0{day}"} | more

    done = read(
        {
            "seg/identifies.csv": csv_text(
                identify("1", 3, email=" Ann@X.com ", title="CTO"),
                identify("2", 2, title="Intern"),
                identify("3", 4, email="ann@x.com", title="", plan="pro"),
                identify("4", 5, title="CTO"),
                identify("5", 1, user_id=""),
            ),
            "seg/aliases.csv": csv_text(
                {"id": "6", "previous_id": "old", "user_id": "a", "timestamp": "2024-02-07"}
            ),
        },
        exports=SEGMENT,
    )
    assert sorted(done.texts("aliases", "alias", "lead_id", "known_at")) == [
        ("email:ann@x.com", "a", "2024-02-03T00:00:00"),
        ("segment:v", "a", "2024-02-02T00:00:00"),
        ("user_id:old", "a", "2024-02-07T00:00:00"),
    ]
    assert sorted(done.texts("attributes", "known_at", "lead_id", "name", "value")) == [
        ("2024-02-02T00:00:00", "a", "title", "Intern"),
        ("2024-02-03T00:00:00", "a", "title", "CTO"),
        ("2024-02-04T00:00:00", "a", "plan", "pro"),
    ]


def test_where_leads_are_another_systems_a_user_leads_to_his_address(read):
    row = {"id": "1", "anonymous_id": "v", "user_id": "u", "email": "Ann@X.com"} | AT
    exports = [{**SEGMENT[0], "master": False}]
    done = read({"seg/identifies.csv": csv_text(row)}, exports=exports)
    assert sorted(done.texts("aliases", "alias", "lead_id")) == [
        ("segment:v", "user_id:u"),
        ("user_id:u", "email:ann@x.com"),
    ]


def test_rudderstack_has_the_same_tables_under_its_own_name(read):
    exports = [{"system": "rudderstack", "folder": "r"}]
    done = read({"r/tracks.csv": csv_text(TRACK | AT)}, exports=exports)
    assert done.texts("events", "event_id", "source") == [("rudderstack:1", "rudderstack")]
    assert done.column("aliases", "alias") == ["rudderstack:v"]


EVENT = {
    "event_id": "e1",
    "collector_tstamp": "2024-02-01 10:00:05",
    "derived_tstamp": "2024-02-01 10:00:00.123",
    "event": "page_view",
    "domain_userid": "v",
}
ROBOTS = "contexts_com_iab_snowplow_spiders_and_robots_1"


@pytest.mark.parametrize("name", ["atomic_events.csv", "events.ndjson"])
def test_snowplows_events_have_their_own_names_times_and_robots(read, name):
    rows = [
        EVENT | {"page_url": "https://x.io/p?gclid=G", "user_id": "a", "domain_sessionidx": "3"},
        EVENT | {"event_id": "e2", "event": "struct", "se_action": "watch", "se_value": "7"},
        EVENT | {"event_id": "e3", "event": "unstruct", "event_name": "submit_form"},
        EVENT | {"event_id": "e4", "event": "page_ping", ROBOTS: '[{"spiderOrRobot":true}]'},
        EVENT | {"event_id": "e5", "domain_userid": "w", "derived_tstamp": "", ROBOTS: "broken {"},
    ]
    lines = csv_text(*rows) if name.endswith("csv") else "\n".join(map(json.dumps, rows))
    done = read({f"sp/{name}": lines}, exports=SNOWPLOW)
    names = ("event_id", "lead_id", "type", "occurred_at", "is_bot", "value", "session_number")
    assert done.texts("events", *names) == [
        ("snowplow:e1", "a", "page_view", "2024-02-01T10:00:00", None, None, 3.0),
        ("snowplow:e2", "a", "watch", "2024-02-01T10:00:00", None, 7.0, None),
        ("snowplow:e3", "a", "form_submit", "2024-02-01T10:00:00", None, None, None),
        ("snowplow:e4", "a", "page_ping", "2024-02-01T10:00:00", True, None, None),
        ("snowplow:e5", "snowplow:w", "page_view", "2024-02-01T10:00:05", None, None, None),
    ]
    assert done.texts("events", "page", "gclid")[0] == ("https://x.io/p", "G")
    assert done.texts("aliases", "alias", "lead_id", "known_at") == [
        ("snowplow:v", "a", "2024-02-01T10:00:05")
    ]
