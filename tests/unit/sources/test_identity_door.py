"""Aliases, merges and their ends, from files to features."""

import pandas as pd
import pytest
from tests.builders import at, make_points

from mqlml.dataset.points import training_points
from mqlml.dataset.settings import PointSettings, TargetSettings
from mqlml.engines.local import LocalEngine
from mqlml.errors import ConfigError
from mqlml.features.plan import make_plan
from mqlml.features.reference import reference_features
from mqlml.features.settings import PlanSettings
from mqlml.storage.erasing import erase_tables, find_people
from mqlml.storage.seen import seen_data
from mqlml.storage.snapshot import read_tables, write_tables
from mqlml.tables.contracts import EVENTS
from mqlml.tables.tombstones import Tombstones

LEADS = "lead_id,created_at,team\nann,2026-01-01,red\nbob,2026-01-02,blue\n"
EVENTS_TEXT = (
    "event_id,lead_id,occurred_at,type\n"
    "e1,ann,2026-01-03,view\n"
    "e2,bob,2026-01-04,view\n"
    "e3,ga4:1,2026-01-05,view\n"
    "e4,bob,2026-01-25,view\n"
)
MERGE = "bob,ann,2026-01-20,\n"
UNMERGED = "bob,ann,2026-01-20,2026-02-01\n"
HEAD = "alias,lead_id,known_at,ended_at\n"
COUNT = {
    "features": [
        {"kinds": ["count", "days_since_last"], "signals": ["any"]},
        {"kinds": ["count"], "signals": ["any"], "windows_days": [14]},
    ]
}


@pytest.fixture
def tables(read, tmp_path):
    """Return the tables of a company with the given aliases."""

    def made(aliases="", name="one", **more):
        files = {"leads.csv": LEADS, "events.csv": EVENTS_TEXT, "aliases.csv": HEAD + aliases}
        settings = {"events": [{"file": "events.csv"}], "aliases": [{"file": "aliases.csv"}]}
        tables = {key: text for key, text in more.items() if isinstance(text, str)}
        files |= {f"{key}.csv": text for key, text in tables.items()}
        settings |= {key: [{"file": f"{key}.csv"}] for key in tables if key != "leads"}
        settings |= {key: value for key, value in more.items() if not isinstance(value, str)}
        settings.setdefault("data_end", "2026-06-01")
        got = read(files, timezone="UTC", **settings)
        return write_tables(tmp_path / name, got.ingested), got

    return made


def features(tables, *points):
    asked = make_points(*points)
    columns = (*EVENTS.columns, *tables.events.properties)
    plan = make_plan(PlanSettings.model_validate(COUNT), [], event_columns=columns)
    matrix = LocalEngine().compute(tables, asked, plan)
    pd.testing.assert_frame_equal(matrix, reference_features(tables, asked, plan))
    return matrix


def counts(tables, *points):
    return features(tables, *points)["any__count__ever"].tolist()


def test_what_an_anonymous_visitor_did_counts_from_when_the_link_was_known(tables):
    made, _ = tables("ga4:1,ann,2026-01-10,\n")
    points = [("ann", day) for day in ("2026-01-06", "2026-01-10", "2026-01-10 00:00:01")]
    assert counts(made, *points) == [1, 1, 2]
    # The visit is dated at the link, of 10 January.
    since = features(made, ("ann", "2026-01-12"))["any__days_since_last__ever"]
    assert since.tolist() == [2.0]


def test_a_merge_adds_the_events_of_the_merged_lead_from_its_date_on(tables):
    made, _ = tables(MERGE)
    days = ("2026-01-06", "2026-01-20", "2026-01-21", "2026-01-26")
    assert counts(made, *[("ann", day) for day in days]) == [1, 1, 2, 3]
    assert counts(made, ("bob", "2026-01-06"), ("bob", "2026-01-20")) == [1, 1]


def test_merge_and_end_return_every_feature_to_its_value(tables):
    plain, _ = tables("", name="plain")
    both, _ = tables(UNMERGED, name="both")
    later = [(lead, day) for lead in ("ann", "bob") for day in ("2026-02-01 00:01", "2026-05-01")]
    pd.testing.assert_frame_equal(features(plain, *later), features(both, *later))


@pytest.mark.parametrize("rows", [(MERGE, UNMERGED), (UNMERGED, MERGE, MERGE)])
def test_a_merge_that_is_delivered_again_with_its_end_is_the_same_merge_corrected(tables, rows):
    both, got = tables(UNMERGED, name="both")
    again, more = tables("".join(rows), name="again")
    assert more.count("aliases") == (len(rows), 1, len(rows) - 1, 0, 0)
    assert more.texts("aliases", "alias", "ended_at") == [("bob", "2026-02-01T00:00:00")]
    days = ("2026-01-19", "2026-01-21", "2026-01-31", "2026-02-01 00:01", "2026-05-01")
    points = [(lead, day) for lead in ("ann", "bob") for day in days]
    pd.testing.assert_frame_equal(features(both, *points), features(again, *points))
    assert got.rows("quarantine") == more.rows("quarantine") == []


def test_of_two_ends_of_one_merge_the_one_delivered_last_counts(tables):
    later = UNMERGED.replace("2026-02-01", "2026-03-01")
    _, got = tables(UNMERGED + later + MERGE)
    assert got.texts("aliases", "ended_at") == [("2026-03-01T00:00:00",)]


def test_merges_again_after_an_end_are_merges_of_their_own(tables):
    _, got = tables(UNMERGED + "bob,ann,2026-03-05,\n")
    assert got.count("aliases") == (2, 2, 0, 0, 0)


def test_the_end_of_a_merge_changes_no_day_before_it(tables):
    merged, _ = tables(MERGE, name="merged")
    both, _ = tables(UNMERGED, name="both")
    earlier = [("ann", f"2026-01-{day:02}") for day in range(3, 32)] + [("ann", "2026-02-01")]
    pd.testing.assert_frame_equal(features(merged, *earlier), features(both, *earlier))


def test_a_merge_changes_no_day_before_it(tables):
    plain, _ = tables("", name="plain")
    merged, _ = tables(MERGE, name="merged")
    earlier = [(x, f"2026-01-{day:02}") for x in ("ann", "bob") for day in range(3, 21)]
    pd.testing.assert_frame_equal(features(plain, *earlier), features(merged, *earlier))


def test_what_was_seen_of_the_data_has_the_digest_that_it_had_then(tables):
    plain, _ = tables("", name="plain")
    merged, _ = tables(MERGE, name="merged")
    both, _ = tables(UNMERGED, name="both")
    before, between, after = at("2026-01-20"), at("2026-01-27"), at("2026-03-01")
    assert seen_data(plain, before) == seen_data(merged, before) == seen_data(both, before)
    assert seen_data(merged, between) == seen_data(both, between) != seen_data(plain, between)
    assert seen_data(both, after) == seen_data(plain, after)


def test_nobody_has_an_event_twice_at_one_moment(tables):
    both, _ = tables(UNMERGED + "ga4:1,bob,2026-01-06,\n")
    # The visit ga4:1 is bob's from 6 January on; bob is ann from the 20th to 1 February.
    for day, of_ann, of_bob in (("01-08", 1, 2), ("01-26", 4, 0), ("02-02", 1, 3)):
        found = counts(both, ("ann", f"2026-{day}"), ("bob", f"2026-{day}"))
        assert found == [of_ann, of_bob]


def test_an_address_is_one_in_capitals_and_with_blanks_and_plus_tags_are_kept_apart(tables):
    events = (
        "event_id,lead_id,occurred_at,type\n"
        'e1,"Email: Ann@X.org ",2026-01-03,view\ne2,email:ann+news@x.org,2026-01-03,view\n'
    )
    link = "EMAIL:ann@x.org,ann,2026-01-02,\n"
    apart, _ = tables(link, name="apart", events=events)
    assert counts(apart, ("ann", "2026-02-01")) == [1]
    together, _ = tables(link, name="together", events=events, identity={"plus_tags": "together"})
    assert counts(together, ("ann", "2026-02-01")) == [2]


def test_a_shared_mailbox_fuses_nobody_from_when_the_second_lead_is_known(tables):
    links = "ga4:1,ann,2026-01-06,\nga4:1,bob,2026-01-12,\n"
    made, got = tables(links)
    days = ("2026-01-08", "2026-01-12", "2026-01-13")
    assert counts(made, *[("ann", day) for day in days]) == [2, 2, 1]
    assert counts(made, ("bob", "2026-01-14")) == [1]
    assert got.column("conflicts", "reason") == ["means several leads at once"]
    assert got.column("conflicts", "known_at") == ["2026-01-12T00:00:00+00:00"]
    assert "aliases: not followed: means several leads at once (1 rows)" in got.notes


@pytest.mark.parametrize(
    ("links", "reason"),
    [
        ("ga4:1,ga4:1,2026-01-06,\n", "links to itself"),
        ("ga4:1,crm:9,2026-01-06,\n", "leads to no known lead"),
        ("ga4:1,ann,2026-01-06,2026-01-05\n", "ends before it is known"),
        ("ann,bob,2026-01-06,\nbob,ann,2026-01-07,\n", "closes a cycle"),
    ],
)
def test_a_link_that_cannot_be_followed_is_listed(tables, links, reason):
    _, got = tables(links)
    assert got.column("conflicts", "reason") == [reason]
    assert got.count("aliases")[1] == links.count("\n")


def test_a_link_known_before_the_lead_was_created_is_followed(tables):
    made, _ = tables("ga4:1,ann,2025-12-01,\n")
    assert counts(made, ("ann", "2026-01-06")) == [2]


def test_a_lead_may_be_survivor_and_merged(tables):
    leads = LEADS + "cleo,2026-01-02,red\n"
    made, got = tables("bob,ann,2026-01-10,\nann,cleo,2026-01-15,\n", leads=leads)
    days = ("2026-01-10", "2026-01-16", "2026-01-26")
    assert counts(made, *[("cleo", day) for day in days]) == [0, 2, 3]
    assert got.column("merges", "survivor") == ["cleo", "ann", "cleo"]


def test_a_merged_lead_has_no_points_while_it_is_another(tables):
    made, _ = tables(UNMERGED)
    target = TargetSettings(stage="customer", horizon_days=7)
    points = training_points(
        made, target, PointSettings.model_validate({"rule": "weekly", "until_days": 40})
    )
    days = pd.to_datetime(points[points["lead_id"] == "bob"]["as_of"], unit="us")
    assert days.dt.strftime("%m-%d").tolist() == ["01-02", "01-09", "01-16", "02-06"]


def test_a_merged_lead_enters_what_its_survivor_enters(tables):
    stages = "lead_id,stage,entered_at\nann,customer,2026-01-21\n"
    made, _ = tables(MERGE, stages=stages)
    target = TargetSettings(stage="customer", horizon_days=7)
    points = training_points(made, target, PointSettings(rule="weekly"))
    of_bob = points[points["lead_id"] == "bob"]
    assert of_bob["label"].tolist() == [0.0, 0.0, 1.0]  # looked at on 2, 9 and 16 January


def test_a_lead_that_takes_over_a_customer_is_closed_and_did_not_convert(tables):
    stages = "lead_id,stage,entered_at\nbob,customer,2026-01-05\n"
    made, _ = tables(MERGE, stages=stages)
    target = TargetSettings(stage="customer", horizon_days=7)
    points = training_points(made, target, PointSettings(rule="weekly"))
    of_ann = points[points["lead_id"] == "ann"]
    assert of_ann["label"].tolist() == [0.0, 0.0, 0.0]  # 1, 8 and 15 January, no point after


def test_stages_of_the_merged_lead_go_to_the_survivor_from_the_merge_on(tables):
    stages = "lead_id,stage,entered_at\nbob,mql,2026-01-05\nbob,sql,2026-01-22\n"
    made, _ = tables(MERGE, stages=stages)
    rows = made.stages[["lead_id", "stage"]].to_numpy().tolist()
    assert rows == [["ann", "sql"], ["bob", "mql"]]


def test_attributes_pass_at_the_merge_if_newer_and_return_at_its_end(tables):
    attributes = (
        "lead_id,name,value,known_at\n"
        "ann,title,Clerk,2026-01-04\nbob,title,Head,2026-01-06\nbob,city,Bonn,2026-01-07\n"
        "ann,city,Ulm,2026-01-09\n"
    )
    made, _ = tables(UNMERGED, attributes=attributes)
    rows = made.attributes[made.attributes["lead_id"] == "ann"]
    shown = [
        (row["name"], row["value"], f"{row['known_at']:%m-%d}") for row in rows.to_dict("records")
    ]
    assert sorted(shown) == [
        ("city", "Ulm", "01-09"),
        ("title", "Clerk", "01-04"),
        ("title", "Clerk", "02-01"),
        ("title", "Head", "01-20"),
    ]


def test_accounts_are_made_of_domains_but_not_of_free_mail(tables):
    leads = (
        "lead_id,created_at,mail,account_id\n"
        "a,2026-01-01, Ann@Acme.COM ,\nb,2026-01-01,b@gmail.com,\nc,2026-01-01,c@acme.com,crm-7\n"
        "d,2026-01-01,nobody,\ne,2026-01-01,e@own.example,\n"
    )
    identity = {"account_email": "mail", "free_mail": ["own.example"]}
    made, _ = tables(leads=leads, identity=identity)
    accounts = dict(zip(made.leads["lead_id"], made.leads["account_id"], strict=True))
    accounts = {k: v for k, v in accounts.items() if isinstance(v, str)}
    assert accounts == {"a": "domain:acme.com", "c": "crm-7"}


def test_a_column_of_addresses_that_is_not_there_is_named(tables):
    with pytest.raises(ConfigError, match=r"leads have no such column(.|\n)*team"):
        tables(identity={"account_email": "teem"})


def test_ids_may_be_hashed_with_a_key_at_the_door(read):
    files = {"leads.csv": LEADS, "events.csv": EVENTS_TEXT, "aliases.csv": HEAD + MERGE}
    settings = {
        "leads": [{"file": "leads.csv", "columns": {"created_at": "created_at"}}],
        "events": [{"file": "events.csv"}],
        "aliases": [{"file": "aliases.csv"}],
        "identity": {"hash_key_env": "KEY"},
    }
    got = read(files, timezone="UTC", secrets={"KEY": "k1"}, **settings)
    ids = got.column("leads", "lead_id")
    assert all(len(one) == 32 and int(one, 16) for one in ids)
    assert set(got.column("events", "lead_id")) >= set(ids)
    assert got.column("aliases", "alias") == [ids[1]]
    assert (
        read(files, timezone="UTC", secrets={"KEY": "k2"}, **settings).column("leads", "lead_id")
        != ids
    )
    with pytest.raises(ConfigError, match="the environment variable is not set"):
        read(files, timezone="UTC", **settings)


ATTRIBUTES = (
    "lead_id,name,value,known_at\nbob,title,Head,2026-01-06\n"
    "ann,city,Ulm,2026-01-09\nann,city,Bonn,2026-02-05\n"
)


def test_who_was_merged_for_a_while_goes_with_what_the_other_took_over(tables, tmp_path):
    tables(UNMERGED, name="both", attributes=ATTRIBUTES)
    person, unknown = find_people(tmp_path / "both", ["bob"])
    assert (person.ids, person.leads, unknown) == (("bob",), 1, frozenset())
    erase_tables(tmp_path / "both", Tombstones("salt").with_ids(person.ids))
    left = read_tables(tmp_path / "both")
    assert left.leads["lead_id"].tolist() == ["ann"]
    assert left.attributes["value"].dropna().tolist() == ["Ulm", "Bonn"]
    assert counts(left, ("ann", "2026-01-26"), ("ann", "2026-02-02")) == [1, 1]
    assert len(left.merges) == left.aliases.rows == 0


def test_a_person_is_all_its_ids_but_not_who_shares_one_of_them(tables, tmp_path):
    links = "email:a@x.org,ann,2026-01-02,\nga4:1,email:a@x.org,2026-01-03,\n"
    links += "ga4:2,ann,2026-01-03,\nga4:2,bob,2026-01-03,\n"
    tables(links, name="shared")
    person, unknown = find_people(tmp_path / "shared", ["ga4:1", "nobody"])
    assert person.ids == ("ann", "email:a@x.org", "ga4:1", "ga4:2")
    assert person.texts == ("a@x.org",)
    assert unknown == {"nobody"}


def test_who_was_erased_is_left_out_when_the_sources_are_read_again(read):
    files = {"leads.csv": LEADS, "events.csv": EVENTS_TEXT, "aliases.csv": HEAD + MERGE}
    settings = {"events": [{"file": "events.csv"}], "aliases": [{"file": "aliases.csv"}]}
    gone = Tombstones("salt").with_ids(["bob"])
    got = read(files, timezone="UTC", erased=gone, **settings)
    assert got.column("leads", "lead_id") == ["ann"]
    assert got.column("events", "event_id") == ["e1", "e3"]
    assert got.count("events") == (4, 2, 0, 0, 2)
    assert got.rows("aliases") == got.rows("merges") == []
