"""Mailchimp's tables, written by hand, through their door."""

import pytest

MEMBERS = """\
id,list_id,email_address,timestamp_signup,timestamp_opt,member_rating
m1,l1,Ann@Example.com,2024-02-02 00:00:00,2024-02-03 00:00:00,4
m2,l1,bob@example.com,,2024-02-05 00:00:00,2
m1,l2,Ann@Example.com,2024-01-31 00:00:00,2024-01-31 00:00:00,4
"""
CAMPAIGNS = """\
id,title,subject_line,send_time
c1,Spring,Hello there,2024-03-01 09:00:00
c2,Draft,Not yet,
"""
RECIPIENTS = "campaign_id,member_id,list_id\nc1,m1,l1\nc1,m2,l1\nc2,m1,l1\nc9,m1,l1\n"
ACTIVITY = """\
action,campaign_id,member_id,timestamp,bounce_type,ip,list_id,url
open,c1,m1,2024-03-01 10:00:00,,1.2.3.4,l1,
open,c1,m1,2024-03-01 11:00:00,,1.2.3.4,l1,
click,c1,m1,2024-03-01 11:00:01,,1.2.3.4,l1,https://x.io/demo?utm=1
open,c1,m1,2024-03-01 10:00:00,,1.2.3.4,l1,
bounce,c1,m2,2024-03-01 09:00:05,hard,,l1,
open,c1,m3,2024-03-01 12:00:00,,,l1,
"""
AUTOMATION = """\
action,automation_email_id,member_id,timestamp,bounce_type,ip,list_id,url
open,e1,m1,2024-03-02 10:00:00,,1.2.3.4,l1,
"""
FILES = {
    "mc/member.csv": MEMBERS,
    "mc/campaign.csv": CAMPAIGNS,
    "mc/campaign_recipient.csv": RECIPIENTS,
    "mc/campaign_recipient_activity.csv": ACTIVITY,
    "mc/automation_email.csv": "id,title,subject_line,send_time\ne1,Welcome,Welcome!,\n",
    "mc/automation_recipient_activity.csv": AUTOMATION,
    "mc/unsubscribe.csv": (
        "campaign_id,member_id,list_id,reason,timestamp\nc1,m2,l1,my text,2024-03-05 00:00:00\n"
    ),
}


@pytest.fixture
def through(read):
    def tables(**export):
        return read(FILES, leads=[], exports=[{"system": "mailchimp", "folder": "mc", **export}])

    return tables


def test_who_is_in_two_audiences_is_one_lead_since_the_first(through):
    done = through()
    leads = {row["lead_id"]: row["created_at"].isoformat() for row in done.rows("leads")}
    assert leads == {"m1": "2024-01-31T00:00:00+00:00", "m2": "2024-02-05T00:00:00+00:00"}
    assert done.count("leads") == (3, 2, 1, 0, 0)


def test_each_member_has_his_openings_and_clicks_once(through):
    events = through().rows("events")
    told = [(row["lead_id"], row["type"], row["occurred_at"].isoformat()[:16]) for row in events]
    assert sorted(told) == [
        ("m1", "email_clicked", "2024-03-01T11:00"),
        ("m1", "email_opened", "2024-03-01T10:00"),
        ("m1", "email_opened", "2024-03-01T11:00"),
        ("m1", "email_opened", "2024-03-02T10:00"),
        ("m1", "email_sent", "2024-03-01T09:00"),
        ("m2", "email_bounced", "2024-03-01T09:00"),
        ("m2", "email_sent", "2024-03-01T09:00"),
        ("m2", "email_unsubscribed", "2024-03-05T00:00"),
        ("m3", "email_opened", "2024-03-01T12:00"),
    ]


def test_a_click_keeps_its_link_its_reader_and_what_was_sent(through):
    (row,) = (row for row in through().rows("events") if row["type"] == "email_clicked")
    assert (row["url"], row["page"]) == ("https://x.io/demo?utm=1", "https://x.io/demo")
    assert (row["message_id"], row["campaign"], row["ip"]) == ("c1", "c1", "1.2.3.4")
    assert (row["asset"], row["subject"], row["audience"]) == ("Spring", "Hello there", "l1")
    assert (row["source"], row["channel"]) == ("mailchimp", "email")


def test_recipients_of_what_was_not_sent_or_is_unknown_are_quarantined(through):
    done = through()
    refused = [(row["line"], row["reason"]) for row in done.rows("quarantine")]
    assert refused == [(4, "occurred_at is missing"), (5, "campaign has no row for it")]


def test_the_address_may_be_the_leads_id_and_who_has_none_is_called_by_the_member(through):
    done = through(lead_id="email")
    leads = done.column("events", "lead_id")
    assert set(leads) == {"ann@example.com", "bob@example.com", "mailchimp:m3"}
    assert sorted(done.column("leads", "lead_id")) == ["ann@example.com", "bob@example.com"]
    known = [(row["alias"], row["lead_id"]) for row in done.rows("aliases")]
    assert ("mailchimp:m1", "ann@example.com") in known
    assert ("email:ann@example.com", "ann@example.com") in known


def test_members_are_known_by_their_address_and_their_id_since_they_joined(through):
    aliases = [
        (row["alias"], row["lead_id"], row["known_at"].isoformat()[:10])
        for row in through().rows("aliases")
    ]
    assert sorted(aliases) == [
        ("email:ann@example.com", "m1", "2024-01-31"),
        ("email:bob@example.com", "m2", "2024-02-05"),
        ("mailchimp:m1", "email:ann@example.com", "2024-01-31"),
        ("mailchimp:m1", "m1", "2024-01-31"),
        ("mailchimp:m2", "email:bob@example.com", "2024-02-05"),
        ("mailchimp:m2", "m2", "2024-02-05"),
    ]


def test_files_without_a_time_of_their_own_are_named(read):
    files = FILES | {"mc/automation_recipient.csv": "automation_email_id,member_id\ne1,m1\n"}
    done = read(files, leads=[], exports=[{"system": "mailchimp", "folder": "mc"}])
    assert "mc: not read, nothing that mqlml uses: automation_recipient.csv" in done.notes


def test_what_was_chosen_of_the_members_columns_is_an_attribute(through):
    rows = through(attributes=["member_rating"]).rows("leads")
    assert {row["lead_id"]: row["member_rating"] for row in rows} == {"m1": 4.0, "m2": 2.0}


def test_where_leads_are_another_systems_a_members_address_says_whose_he_is(read):
    done = read(FILES, exports=[{"system": "mailchimp", "folder": "mc", "master": False}])
    assert set(done.column("events", "lead_id")) == {"mailchimp:m1", "mailchimp:m2", "mailchimp:m3"}
    assert sorted((row["alias"], row["lead_id"]) for row in done.rows("aliases")) == [
        ("mailchimp:m1", "email:ann@example.com"),
        ("mailchimp:m2", "email:bob@example.com"),
    ]
