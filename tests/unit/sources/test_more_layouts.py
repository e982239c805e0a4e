"""Layouts beside the connectors' main tables: interfaces' own names, streams, lists and letters."""

import pytest
from tests.unit.sources.conftest import csv_text

from mqlml.sources.found_exports import found_exports
from mqlml.sources.vendors.snowplow import ENRICHED

LEAD, CONTACT = "00Q1G00000nDnM5UAK", "0031G00001QtDPlQAN"
SALESFORCE = [{"system": "salesforce", "folder": "sf"}]


def api_files():
    """Return a folder as Salesforce's Data Loader and its weekly export write it."""
    lead = {"Id": LEAD, "IsDeleted": "0", "CreatedDate": "2024-01-05T09:30:00.000Z"}
    lead |= {"Email": "Ann@X.com", "LeadSource": "Web", "NumberOfEmployees": "50", "Own__c": "x"}
    history = {"Id": "017", "LeadId": LEAD, "CreatedDate": "2024-02-01T10:00:00.000Z"}
    member = {"Id": "00v1", "CampaignId": "7011", "LeadId": LEAD, "Status": "Responded"}
    member |= {"HasResponded": "1", "FirstRespondedDate": "2024-02-02", "CreatedDate": "2024-01-31"}
    return {
        "sf/Lead.csv": csv_text(lead),
        "sf/LeadHistory.csv": csv_text(
            history | {"Field": "Status", "OldValue": "Open", "NewValue": "Working"}
        ),
        "sf/CampaignMember.csv": csv_text(member),
        "sf/Campaign.csv": csv_text({"Id": "7011", "Name": "Spring", "Type": "Email"}),
    }


def test_salesforces_objects_may_have_the_names_of_its_own_interface(read):
    export = SALESFORCE[0] | {"attributes": ["own_c"]}
    done = read(api_files(), leads=[], exports=[export])
    assert done.texts("leads", "lead_id", "created_at") == [(LEAD, "2024-01-05T09:30:00")]
    found = done.attributes(LEAD)
    assert (found["lead_source"], found["number_of_employees"], found["own_c"]) == ("Web", 50, "x")
    assert sorted(done.texts("stages", "stage", "entered_at")) == [
        ("lead", "2024-01-05T09:30:00"),
        ("sal", "2024-02-01T10:00:00"),
    ]
    assert done.texts("verdicts", "verdict", "given_at") == [("accepted", "2024-02-01T10:00:00")]
    assert done.texts("events", "lead_id", "type", "campaign", "occurred_at") == [
        (LEAD, "campaign_responded", "Spring", "2024-02-02T00:00:00")
    ]
    assert all(count.is_balanced for count in done.ingested.counts)


def test_init_knows_a_folder_of_data_loaders_files(read, tmp_path):
    for name, text in api_files().items():
        path = tmp_path / "given" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (export,), rest = found_exports(tmp_path / "given")
    assert (export.system.name, rest) == ("salesforce", ())
    assert sorted(export.files) == ["sf/CampaignMember.csv", "sf/Lead.csv", "sf/LeadHistory.csv"]


def test_an_email_of_salesforces_is_an_event_of_everyone_it_was_sent_to_and_of_its_opening(read):
    mail = {"id": "02s1", "message_date": "2024-03-01 10:00:00", "status": "3"}
    files = {
        "sf/lead.csv": csv_text({"id": LEAD, "created_date": "2024-01-05"}),
        "sf/contact.csv": csv_text({"id": CONTACT, "created_date": "2024-01-06"}),
        "sf/email_message.csv": csv_text(
            mail | {"incoming": "false", "first_opened_date": "2024-03-02 08:00:00"},
            mail | {"id": "02s2", "incoming": "true", "message_date": "2024-03-03 09:00:00"},
            mail | {"id": "02s3", "status": "5"},
            mail | {"id": "02s4", "is_bounced": "true"},
        ),
        "sf/email_message_relation.csv": csv_text(
            {"email_message_id": "02s1", "relation_id": LEAD, "relation_type": "ToAddress"},
            {"email_message_id": "02s1", "relation_id": CONTACT, "relation_type": "ToAddress"},
            {"email_message_id": "02s1", "relation_id": "005u", "relation_type": "FromAddress"}
            | {"relation_object_type": "User"},
            {"email_message_id": "02s2", "relation_id": LEAD, "relation_type": "FromAddress"},
            {"email_message_id": "02s4", "relation_id": LEAD, "relation_type": "ToAddress"},
        ),
    }
    done = read(files, leads=[], exports=SALESFORCE)
    day = "2024-03-{}:00:00".format
    assert sorted(done.texts("events", "lead_id", "type", "occurred_at")) == [
        (CONTACT, "email_opened", day("02T08")),
        (CONTACT, "email_sent", day("01T10")),
        (LEAD, "email_bounced", day("01T10")),
        (LEAD, "email_opened", day("02T08")),
        (LEAD, "email_replied", day("03T09")),
        (LEAD, "email_sent", day("01T10")),
    ]
    assert done.count("events") == (4, 6, 0, 0, 1)


def test_hubspots_lists_and_notes_are_events(read):
    files = {
        "hs/contact.csv": csv_text({"id": "42", "property_createdate": "2024-01-03"}),
        "hs/contact_list_member.csv": csv_text(
            {"contact_id": "42", "contact_list_id": "7", "added_at": "2024-02-01 10:00:00"},
            {"contact_id": "42", "contact_list_id": "8", "added_at": "2024-02-02 10:00:00"},
        ),
        "hs/contact_list.csv": csv_text({"id": "7", "name": "Trade fair"}),
        "hs/engagement_note.csv": csv_text(
            {"engagement_id": "5", "property_hs_timestamp": "2024-02-03 10:00:00"}
            | {"property_hs_note_body": "called Ann"}
        ),
        "hs/engagement_contact.csv": csv_text({"engagement_id": "5", "contact_id": "42"}),
    }
    done = read(files, leads=[], exports=[{"system": "hubspot", "folder": "hs"}])
    assert sorted(done.texts("events", "occurred_at", "type", "asset", "lead_id")) == [
        ("2024-02-01T10:00:00", "list_joined", "Trade fair", "42"),
        ("2024-02-02T10:00:00", "list_joined", "8", "42"),
        ("2024-02-03T10:00:00", "note", None, "42"),
    ]
    assert "called Ann" not in str(done.rows("events"))


def test_a_change_of_marketos_lead_status_is_a_stage_and_what_sales_said(read):
    change = {"lead_id": "1", "primary_attribute_value": "Lead Status", "activity_date": ""}
    days = {"MQL": 1, "Working": 2, "Disqualified": 3, "Recycled": 4, "New": 5, "Odd": 6}
    rows = [
        change | {"new_value": name, "activity_date": f"2024-02-0{day} 10:00:00"}
        for name, day in days.items()
    ]
    files = {
        "mk/lead.csv": csv_text({"id": "1", "created_at": "2024-01-01", "why": "No budget"}),
        "mk/activity_change_data_value.csv": csv_text(*rows),
    }
    marketo = {"system": "marketo", "folder": "mk", "reason": "why"}
    marketo |= {"reasons": {"No budget": "no_budget"}, "verdicts": {"odd": "ignore"}}
    done = read(files, leads=[], exports=[marketo])
    at = "2024-02-0{}T10:00:00".format
    assert done.texts("stages", "stage", "entered_at") == [
        ("mql", at(1)), ("sal", at(2)), ("disqualified", at(3)), ("recycled", at(4))
    ]  # fmt: skip
    assert done.texts("verdicts", "verdict", "reason", "given_at") == [
        ("accepted", None, at(2)),
        ("rejected", "no_budget", at(3)),
        ("rejected", "no_budget", at(4)),
    ]
    (refused,) = done.rows("quarantine")
    assert refused["remedy"] == "give its own name one of ours, or 'ignore', in exports.stages"


def enriched(**values):
    """Return a line of Snowplow's enriched stream."""
    return "\t".join(values.get(name, "") for name in ENRICHED) + "\n"


@pytest.fixture
def stream():
    at = {"collector_tstamp": "2024-02-01 10:00:05.000", "domain_userid": "v"}
    robot = '{"data":[{"schema":"iglu:x","data":{"spiderOrRobot":true}}]}'
    return {
        "sp/run-1.tsv": enriched(**at, event="page_view", event_id="e1", user_id="a")
        + enriched(**at, event="page_view", event_id="e2", page_title='"Quoted" title')
        + enriched(**at, event="page_view", event_id="e3", derived_contexts=robot)
        + "torn\tline\n",
        "sp/events.tsv": enriched(**at, event="unstruct", event_name="submit_form", event_id="e4"),
    }


def test_snowplows_stream_has_131_values_a_line_and_no_header(read, stream):
    assert len(ENRICHED) == 131
    done = read(stream, exports=[{"system": "snowplow", "folder": "sp"}])
    assert sorted(done.texts("events", "event_id", "lead_id", "type", "is_bot"), key=str) == [
        ("snowplow:e1", "a", "page_view", None),
        ("snowplow:e2", "a", "page_view", None),
        ("snowplow:e3", "a", "page_view", True),
        ("snowplow:e4", "a", "form_submit", None),
    ]
    assert set(done.reasons) == {"2 values instead of 131"}
    assert all(count.is_balanced for count in done.ingested.counts)


def test_init_knows_snowplows_stream_by_its_width(stream, tmp_path):
    for name, text in stream.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (export,), rest = found_exports(tmp_path)
    assert (export.system.name, len(export.files), rest) == ("snowplow", 2, ())
