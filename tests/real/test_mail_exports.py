"""Files in the shape of real exports of email tools: known figures, every row accounted for."""

import json
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mqlml.sources.generic import read_sources
from mqlml.sources.settings import SourceSettings

RAW = Path(__file__).parents[2].parent / "shared" / "data" / "raw_exports"
LEADS = {"file": "leads.csv", "columns": {"created_at": "created_at"}}

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not RAW.is_dir(), reason=f"REAL DATA NOT FOUND in {RAW}: not tested"),
]


@pytest.fixture
def ingest(tmp_path):
    def through_the_door(folder=RAW, **sources):
        settings = SourceSettings.model_validate(sources)
        return read_sources(settings, folder, timezone=None, workdir=tmp_path / "work")

    return through_the_door


def rows(done, table):
    return pq.read_table(done.path(table)).to_pylist()


def accounts(done):
    """Return rows, kept, duplicates, quarantined, filtered of every file and table.

    A file that tells several things of one table stands there several times.
    """
    found = [
        (
            (c.table, Path(c.file).stem.removesuffix("_data")),
            (c.rows + c.made, c.kept, c.duplicates, c.quarantined, c.filtered),
        )
        for c in done.counts
    ]
    assert all(c.is_balanced for c in done.counts)
    return sorted(found)


def reasons(done):
    return Counter(r["reason"] for r in rows(done, "quarantine"))


# --- Email providers' webhooks ----------------------------------------------------------------

# Rows, kept, duplicates, quarantined, filtered; then the reasons of the quarantined.
BODIES = {
    # One delivery stands in two tests.
    "sendgrid": ((10, 9, 1, 0, 0), {}),
    # A bounce and an opening stand twice; one sample has seconds where milliseconds belong.
    "brevo": ((16, 13, 2, 1, 0), {"occurred_at lies before 1990-01-01": 1}),
    # A ping; five samples were cut down to no time, three to no recipient either.
    "sparkpost": ((16, 7, 0, 8, 1), {"lead_id is missing": 3, "occurred_at is missing": 5}),
    # A sample without recipient.
    "postmark": ((9, 8, 0, 1, 0), {"lead_id is missing": 1}),
    # The same delivery with and without a campaign.
    "mailjet": (
        (9, 8, 0, 1, 0),
        {"another row with the same event_id came first and says otherwise": 1},
    ),
    "resend": (
        (8, 7, 0, 1, 0),
        {"several recipients, and no word on which of them it was": 1},
    ),
    "mailersend": ((8, 8, 0, 0, 0), {}),
    # The same sending stands twice, and a change of the deny list.
    "mandrill": ((5, 3, 1, 0, 1), {}),
}


@pytest.mark.parametrize("system", BODIES)
def test_each_providers_bodies_are_events_or_have_their_reason(ingest, tmp_path, system):
    samples = json.loads((RAW / "email_webhooks" / f"{system}.json").read_text())
    (tmp_path / system).mkdir()
    lines = "".join(json.dumps(one["payload"]) + "\n" for one in samples)
    (tmp_path / system / "bodies.ndjson").write_text(lines)
    (tmp_path / "leads.csv").write_text("lead_id,created_at\nnobody,2010-01-01T00:00Z\n")
    done = ingest(tmp_path, leads=[LEADS], exports=[{"system": system, "folder": system}])
    counts, why = BODIES[system]
    assert dict(accounts(done))["events", "bodies"] == counts
    assert reasons(done) == why


# --- Mailchimp --------------------------------------------------------------------------------

BEN, RALPH, TIM = "37cc8cad", "f5114e6e", "31d6eef7"
OPENED = {
    BEN: 3,
    RALPH: 2,
    TIM: 3,
    "c6de178b": 1,
    "b2ac4896": 1,
    "001ab89f": 1,
    "09be851d": 1,
    "4956ae6c": 1,
    "4d1bf0aa": 1,
}
CLICKED = {BEN: 3, RALPH: 2, "4956ae6c": 4, "4d1bf0aa": 2}


def test_each_mailchimp_member_has_the_openings_and_clicks_of_his_file(ingest):
    done = ingest(exports=[{"system": "mailchimp", "folder": "mailchimp"}])
    assert accounts(done) == [
        (("aliases", "member"), (9, 8, 1, 0, 0)),
        (("aliases", "member"), (9, 8, 1, 0, 0)),
        (("aliases", "member"), (9, 8, 1, 0, 0)),
        (("events", "automation_recipient_activity"), (8, 8, 0, 0, 0)),
        (("events", "campaign_recipient"), (10, 10, 0, 0, 0)),
        (("events", "campaign_recipient_activity"), (17, 17, 0, 0, 0)),
        (("events", "unsubscribe"), (1, 1, 0, 0, 0)),
        # One member is in two audiences.
        (("leads", "member"), (9, 8, 1, 0, 0)),
    ]
    told = Counter((r["type"], r["lead_id"][:8]) for r in rows(done, "events"))
    assert {who: n for (kind, who), n in told.items() if kind == "email_opened"} == OPENED
    assert {who: n for (kind, who), n in told.items() if kind == "email_clicked"} == CLICKED
    sent = {r["occurred_at"].isoformat() for r in rows(done, "events") if r["type"] == "email_sent"}
    assert sent == {"2019-11-27T16:59:27+00:00"}
    assert reasons(done) == {}


def test_by_address_all_but_four_of_mailchimps_recipients_are_members(ingest):
    done = ingest(exports=[{"system": "mailchimp", "folder": "mailchimp", "lead_id": "email"}])
    members = {r["lead_id"] for r in rows(done, "leads")}
    others = {r["lead_id"] for r in rows(done, "events")} - members
    assert len(members) == 8
    assert "ben@example.com" in members
    assert all(one.startswith("mailchimp:") for one in others)
    assert {one[10:18] for one in others} == {"1d34bd0f", "8ee3e666", "64ff8c5f", "c6de178b"}


# --- Marketo ----------------------------------------------------------------------------------


def test_marketos_leads_and_activities_are_all_accounted_for(ingest):
    done = ingest(exports=[{"system": "marketo", "folder": "marketo"}])
    assert accounts(done) == [
        # No change of an address; of values one company's name, the others were not chosen.
        (("aliases", "marketo_activity_change_data_value"), (100, 0, 0, 0, 100)),
        (("aliases", "marketo_activity_merge_leads"), (100, 99, 0, 1, 0)),
        (("aliases", "marketo_activity_merge_leads"), (100, 99, 0, 1, 0)),
        (("aliases", "marketo_lead"), (100, 100, 0, 0, 0)),
        (("aliases", "marketo_lead"), (100, 100, 0, 0, 0)),
        (("aliases", "marketo_lead"), (100, 100, 0, 0, 0)),
        (("attributes", "marketo_activity_change_data_value"), (100, 1, 0, 0, 99)),
        *(
            (("events", f"marketo_activity_{kind}"), (100, 100, 0, 0, 0))
            for kind in (
                *("click_email", "email_bounced", "email_delivered"),
                *("open_email", "send_email", "unsubscribe_email"),
            )
        ),
        (("leads", "marketo_lead"), (100, 100, 0, 0, 0)),
        # No change of a lead's status among the changed values.
        (("stages", "marketo_activity_change_data_value"), (100, 0, 0, 0, 100)),
        (("stages", "marketo_activity_delete_lead"), (31, 31, 0, 0, 0)),
        (("verdicts", "marketo_activity_change_data_value"), (100, 0, 0, 0, 100)),
    ]
    assert reasons(done) == {"merge without the leads that were merged": 2}
    assert Counter(r["type"] for r in rows(done, "events")) == {
        **dict.fromkeys(("email_delivered", "email_opened", "email_clicked"), 100),
        **dict.fromkeys(("email_bounced", "email_unsubscribed"), 100),
        "email_sent": 98,
        "email_dropped": 2,
    }
    browsers = [r for r in rows(done, "events") if r["user_agent"]]
    assert {r["type"] for r in browsers} >= {"email_opened", "email_clicked", "email_unsubscribed"}


def test_marketos_own_fields_are_dated_attributes_when_named(ingest):
    named = ["Priority", "Job Level", "Demographic Score Marketing"]
    done = ingest(exports=[{"system": "marketo", "folder": "marketo", "attributes": named}])
    counted = Counter(r["name"] for r in rows(done, "attributes"))
    assert counted == {
        "Demographic Score Marketing": 21,
        "Priority": 11,
        "Job Level": 3,
        "Company Name": 1,
    }


# --- Pardot -----------------------------------------------------------------------------------


def test_pardots_prospects_visitors_activities_and_opportunities_are_all_accounted_for(ingest):
    done = ingest(exports=[{"system": "pardot", "folder": "pardot"}])
    assert accounts(done) == [
        # 78 of 100 prospects were deleted.
        (("aliases", "pardot_prospect"), (100, 22, 0, 0, 78)),
        (("aliases", "pardot_prospect"), (100, 22, 0, 0, 78)),
        (("aliases", "pardot_prospect"), (100, 22, 0, 0, 78)),
        # 78 visitors never became prospects.
        (("aliases", "pardot_visitor"), (100, 22, 0, 0, 78)),
        (("aliases", "pardot_visitor_activity"), (100, 38, 0, 0, 62)),
        # Nobody opted out, so that each membership is one event.
        (("events", "pardot_list_membership"), (200, 100, 0, 0, 100)),
        # 52 activities are opportunities'.
        (("events", "pardot_visitor_activity"), (100, 48, 0, 0, 52)),
        (("leads", "pardot_prospect"), (100, 22, 0, 0, 78)),
        # Made and closed; masking left two opportunities with their prospects, two each.
        (("stages", "pardot_opportunity"), (204, 8, 0, 196, 0)),
        (("stages", "pardot_visitor_activity"), (100, 52, 0, 0, 48)),
    ]
    assert reasons(done) == {"opportunity_prospect has no row for it": 196}
    assert Counter(r["type"] for r in rows(done, "events")) == {
        "list_joined": 100,
        "email_unsubscribed": 42,
        "email_bounced": 5,
        "email_complained": 1,
    }
    of_activities = Counter(r["stage"] for r in rows(done, "stages"))
    assert of_activities == {"opportunity": 33 + 4, "customer": 9 + 4, "disqualified": 10}
