"""Hand-written rows in the layout of HubSpot's connector, through its door."""

import pytest
from tests.unit.sources.conftest import csv_text

CONTACT = {
    "id": "42",
    "property_createdate": "2024-01-05 09:30:00",
    "property_email": " Ann@Example.COM ",
    "_fivetran_deleted": "FALSE",
}
HUBSPOT = {"system": "hubspot", "folder": "hubspot"}


@pytest.fixture
def through(read):
    """Return a function that reads tables, by name, as files of a HubSpot export."""

    def tables(_settings=None, **rows):
        files = {f"hubspot/{name}_data.csv": csv_text(*given) for name, given in rows.items()}
        return read(files, exports=[HUBSPOT | (_settings or {})])

    return tables


def history(name, value, at, contact="42", **more):
    return {"contact_id": contact, "name": name, "value": value, "timestamp": at, **more}


# --- People ---


def test_contacts_are_leads_with_their_company_and_its_figures(through):
    done = through(
        contact=[
            CONTACT
            | {
                "property_jobtitle": "Head of Sales",
                "property_associatedcompanyid": "7",
                "property_shoe_size": "44",
            },
            CONTACT | {"id": "43", "_fivetran_deleted": "true"},
        ],
        company=[{"id": "7", "property_industry": "STEEL", "property_numberofemployees": "250"}],
        _settings={"attributes": ["shoe_size"]},
    )
    lead = next(r for r in done.rows("leads") if r["lead_id"] == "42")
    assert lead["created_at"].isoformat() == "2024-01-05T09:30:00+00:00"
    assert lead["account_id"] == "7"
    assert done.attributes("42") == {
        "jobtitle": "Head of Sales",
        "shoe_size": 44.0,
        "company_industry": "STEEL",
        "company_numberofemployees": 250.0,
    }
    # leads.csv has two; of the contacts one is kept and the deleted one is left out.
    assert done.count("leads") == (4, 3, 0, 0, 1)
    assert "hubspot: looked up by rows of other files: company_data.csv" in done.notes


@pytest.mark.parametrize("at", ["1704447000000", "2024-01-05T09:30:00Z", "2024-01-05 9:30:00"])
def test_times_come_as_milliseconds_or_as_text(through, at):
    done = through(contact=[CONTACT | {"property_createdate": at}])
    assert ("42", "2024-01-05T09:30:00") in done.texts("leads", "lead_id", "created_at")


def test_seconds_are_refused_unless_they_are_declared(through):
    rows = [CONTACT | {"property_createdate": "1704447000"}]
    done = through(contact=rows)
    assert "created_at lies before 1990-01-01" in done.reasons
    done = through(contact=rows, _settings={"epoch": "s"})
    assert ("42", "2024-01-05T09:30:00") in done.texts("leads", "lead_id", "created_at")


def test_a_property_with_a_history_counts_only_as_dated(through):
    done = through(
        contact=[
            CONTACT | {"property_jobtitle": "VP", "property_country": "France"},
            CONTACT | {"id": "43", "property_jobtitle": "CEO"},
        ],
        contact_property_history=[
            history("jobtitle", "Intern", "2024-01-05 09:30:00"),
            history("jobtitle", "VP", "2024-06-01 00:00:00"),
            history("favourite_dish", "soup", "2024-06-01 00:00:00"),
        ],
    )
    assert done.texts("attributes", "lead_id", "name", "value", "known_at") == [
        ("42", "jobtitle", "Intern", "2024-01-05T09:30:00"),
        ("42", "jobtitle", "VP", "2024-06-01T00:00:00"),
        # One without a history has it since his creation.
        ("43", "jobtitle", "CEO", "2024-01-05T09:30:00"),
    ]
    assert done.attributes("42") == {"country": "France"}
    assert done.count("attributes") == (3, 2, 0, 0, 1)
    what = "counts as its history says, and from creation for leads without one"
    assert f"leads, jobtitle: {what} (1 rows)" in done.notes


def test_a_companys_history_is_that_of_all_its_contacts(through):
    done = through(
        contact=[
            CONTACT | {"property_associatedcompanyid": "7"},
            CONTACT | {"id": "43", "property_associatedcompanyid": "7"},
        ],
        company=[{"id": "7", "property_industry": "NOW"}],
        company_property_history=[
            {"company_id": "7", "name": "industry", "value": "STEEL", "timestamp": "2023-05-01"},
            {"company_id": "8", "name": "industry", "value": "COAL", "timestamp": "2023-05-01"},
        ],
    )
    assert done.texts("attributes", "lead_id", "name", "value") == [
        ("42", "company_industry", "STEEL"),
        ("43", "company_industry", "STEEL"),
    ]
    assert done.count("attributes") == (2, 2, 0, 1, 0)  # and one more was made of the first
    (count,) = [c for c in done.ingested.counts if c.table == "attributes"]
    assert (count.made, count.is_balanced) == (1, True)
    (refused,) = done.rows("quarantine")
    assert (refused["reason"], refused["line"]) == ("contact has no row for it", 3)
    assert refused["remedy"] == "export contact too, whole and of the same time"


# --- Stages and verdicts ---


def test_lifecycle_stages_come_from_the_history_and_from_their_dates(through):
    done = through(
        contact=[
            CONTACT
            | {
                "property_hs_lifecyclestage_lead_date": "2024-01-05 09:30:00",
                "property_hs_lifecyclestage_customer_date": "2024-03-01 00:00:00",
            }
        ],
        contact_property_history=[
            history("lifecyclestage", "lead", "2024-01-05 09:30:00"),
            history("lifecyclestage", "MarketingQualifiedLead", "2024-02-01 00:00:00"),
            history("lifecyclestage", "subscriber", "2024-01-01 00:00:00"),
            history("lifecyclestage", "4711", "2024-02-02 00:00:00"),
            history("hs_lead_status", "UNQUALIFIED", "2024-04-01 00:00:00"),
            history("hs_lead_status", "", "2024-04-02 00:00:00"),
        ],
    )
    assert sorted(done.texts("stages", "entered_at", "stage")) == [
        ("2024-01-05T09:30:00", "lead"),
        ("2024-02-01T00:00:00", "mql"),
        ("2024-03-01T00:00:00", "customer"),
        ("2024-04-01T00:00:00", "disqualified"),
    ]
    # The date of the first stage says again what the history says.
    assert done.count("stages") == (7, 4, 1, 1, 2)
    (refused,) = done.rows("quarantine")
    assert refused["reason"] == "stage is not a valid name"
    assert refused["remedy"] == "give its own name one of ours, or 'ignore', in exports.stages"


def test_own_names_of_stages_are_told_in_the_config(through):
    done = through(
        contact=[CONTACT],
        contact_property_history=[
            history("lifecyclestage", "4711", "2024-02-02 00:00:00"),
            history("lifecyclestage", "Partner", "2024-02-03 00:00:00"),
        ],
        _settings={"stages": {"4711": "sal", "partner": "ignore"}},
    )
    assert done.texts("stages", "stage") == [("sal",)]


def test_lead_statuses_are_verdicts_with_the_reason_of_a_property(through):
    done = through(
        contact=[CONTACT | {"property_lost_because": "Too small"}, CONTACT | {"id": "43"}],
        contact_property_history=[
            history("hs_lead_status", "OPEN", "2024-02-01 00:00:00"),
            history("hs_lead_status", "CONNECTED", "2024-02-02 00:00:00", source_id="x@us.com"),
            history("hs_lead_status", "UNQUALIFIED", "2024-02-03 00:00:00"),
            history("hs_lead_status", "BAD_TIMING", "2024-02-04 00:00:00", contact="43"),
            history("hs_lead_status", "UNQUALIFIED", "2024-02-05 00:00:00", contact="43"),
        ],
        _settings={"reason": "lost_because", "reasons": {"too small": "not_icp"}},
    )
    assert done.texts("verdicts", "lead_id", "verdict", "reason", "given_at") == [
        ("42", "accepted", None, "2024-02-02T00:00:00"),
        ("42", "rejected", "not_icp", "2024-02-03T00:00:00"),
        ("43", "rejected", "not_now", "2024-02-04T00:00:00"),
        ("43", "rejected", None, "2024-02-05T00:00:00"),
    ]
    who = done.column("verdicts", "who")
    assert "@" not in who[0]
    assert len(who[0]) == 20


def test_every_contact_of_a_deal_enters_its_stages(through):
    done = through(
        contact=[CONTACT],
        deal=[{"deal_id": "1", "is_deleted": "FALSE"}, {"deal_id": "2", "is_deleted": "TRUE"}],
        deal_contact=[
            {"deal_id": "1", "contact_id": "42"},
            {"deal_id": "1", "contact_id": "42"},
            {"deal_id": "1", "contact_id": "43"},
            {"deal_id": "2", "contact_id": "42"},
        ],
        deal_pipeline_stage=[
            {"stage_id": "10", "label": "Pilot", "closed_won": "FALSE", "is_closed": "FALSE"},
            {"stage_id": "11", "label": "Signed", "closed_won": "TRUE", "is_closed": "TRUE"},
            {"stage_id": "12", "label": "Gone", "closed_won": "FALSE", "is_closed": "TRUE"},
            {"stage_id": "13", "label": "Handshake", "closed_won": "FALSE", "is_closed": "FALSE"},
        ],
        deal_stage=[
            {"deal_id": "1", "value": "10", "date_entered": "2024-02-01 00:00:00"},
            {"deal_id": "1", "value": "13", "date_entered": "2024-02-02 00:00:00"},
            {"deal_id": "1", "value": "12", "date_entered": "2024-02-03 00:00:00"},
            {"deal_id": "1", "value": "11", "date_entered": "2024-02-04 00:00:00"},
            {"deal_id": "1", "value": "99", "date_entered": "2024-02-05 00:00:00"},
            {"deal_id": "2", "value": "11", "date_entered": "2024-02-06 00:00:00"},
            {"deal_id": "3", "value": "11", "date_entered": "2024-02-07 00:00:00"},
        ],
        _settings={"stages": {"handshake": "sql"}},
    )
    of_ann = [s for lead, s in done.texts("stages", "lead_id", "stage") if lead == "42"]
    assert of_ann == ["opportunity", "sql", "disqualified", "customer"]
    (count,) = [c for c in done.ingested.counts if "deal_stage" in c.file]
    # The five rows of deal 1 are ten, of which the unknown stage is refused twice.
    assert (count.rows, count.made) == (7, 5)
    assert (count.kept, count.filtered, count.quarantined) == (8, 1, 3)
    assert sorted(done.reasons) == [
        "deal_contact has no row for it",
        *["stage is not a valid name"] * 2,
    ]


def test_a_deal_without_a_history_was_opened_when_it_was_made_and_may_be_closed(through):
    deal = {"property_createdate": "2024-02-01", "property_closedate": "2024-05-01"}
    done = through(
        contact=[CONTACT],
        deal=[
            deal | {"deal_id": "1", "deal_pipeline_stage_id": "closedwon"},
            deal | {"deal_id": "2", "deal_pipeline_stage_id": "contractsent"},
        ],
        deal_contact=[
            {"deal_id": "1", "contact_id": "42"},
            {"deal_id": "2", "contact_id": "43"},
        ],
    )
    assert done.texts("stages", "lead_id", "stage", "entered_at") == [
        ("42", "opportunity", "2024-02-01T00:00:00"),
        ("42", "customer", "2024-05-01T00:00:00"),
        ("43", "opportunity", "2024-02-01T00:00:00"),
    ]


# --- Events ---

EVENT = {"recipient": "Ann@example.com", "created": "2024-02-01 10:00:00", "filtered_event": "0"}


def test_an_email_event_is_told_more_by_the_table_of_its_type(through):
    done = through(
        contact=[CONTACT],
        email_campaign=[{"id": "5", "name": "Spring"}],
        email_event=[
            EVENT | {"id": "s", "type": "SENT", "email_campaign_id": "5"},
            EVENT | {"id": "o", "type": "OPEN", "email_campaign_id": "6"},
            EVENT | {"id": "c", "type": "CLICK", "filtered_event": "TRUE"},
            EVENT | {"id": "b", "type": "BOUNCE"},
            EVENT | {"id": "p", "type": "SPAMREPORT"},
            EVENT | {"id": "u", "type": "STATUSCHANGE"},
            EVENT | {"id": "r", "type": "STATUSCHANGE"},
            EVENT | {"id": "x", "type": "OPEN", "obsoleted_by_id": "o"},
        ],
        email_event_open=[
            {"id": "o", "duration": "2500", "user_agent": "Mozilla"},
            {"id": "gone", "duration": "1", "user_agent": ""},
        ],
        email_event_click=[{"id": "c", "url": "https://x.io/pricing?utm=1", "user_agent": "Bot"}],
        email_event_bounce=[{"id": "b", "category": "MAILBOX_FULL"}],
        email_event_status_change=[
            {"id": "u", "portal_subscription_status": "UNSUBSCRIBED", "subscriptions": "[]"},
            {
                "id": "r",
                "portal_subscription_status": "",
                "subscriptions": '[{"id":1,"status":"SUBSCRIBED"}]',
            },
        ],
    )
    rows = {row["event_id"]: row for row in done.rows("events")}
    assert {name: row["type"] for name, row in rows.items()} == {
        "hubspot:s": "email_sent",
        "hubspot:o": "email_opened",
        "hubspot:c": "email_clicked",
        "hubspot:b": "email_bounced",
        "hubspot:p": "email_complained",
        "hubspot:u": "email_unsubscribed",
        "hubspot:r": "email_resubscribed",
    }
    # These rows know the lead by an address, which leads to the contact who has it.
    assert {row["lead_id"] for row in rows.values()} == {"42"}
    assert (rows["hubspot:s"]["campaign"], rows["hubspot:o"]["campaign"]) == ("Spring", "6")
    assert (rows["hubspot:o"]["duration_s"], rows["hubspot:o"]["user_agent"]) == (2.5, "Mozilla")
    click = rows["hubspot:c"]
    assert (click["page"], click["user_agent"]) == ("https://x.io/pricing", "Bot")
    assert (click["is_bot"], click["bot_reason"]) == (True, "filtered by HubSpot")
    assert (rows["hubspot:o"]["is_bot"], rows["hubspot:b"]["bounce_type"]) == (None, "MAILBOX_FULL")
    # Rows of the further tables are events' parts; one that belongs to none is refused.
    assert done.count("events") == (14, 7, 0, 1, 6)
    (refused,) = done.rows("quarantine")
    assert (refused["file"], refused["reason"]) == (
        "hubspot/email_event_open_data.csv",
        "email_event has no row for it",
    )
    assert '"duration":"1"' in refused["raw"]


def test_a_form_is_submitted_by_its_name(through):
    sent = {"contact_id": "42", "form_id": "f", "timestamp": "2024-02-01 10:00:00"}
    done = through(
        contact=[CONTACT],
        contact_form_submission=[
            sent | {"conversion_id": "1", "page_url": "https://x.io/demo?a=1"},
            sent | {"conversion_id": "1", "page_url": "https://x.io/demo?a=1"},
            sent | {"conversion_id": "2", "form_id": "g", "page_url": ""},
        ],
        form=[{"guid": "f", "name": "Book a demo"}],
    )
    assert done.texts("events", "lead_id", "type", "asset", "page") == [
        ("42", "form_submit", "Book a demo", "https://x.io/demo"),
        ("42", "form_submit", "g", None),
    ]
    assert done.count("events") == (3, 2, 1, 0, 0)


def test_what_sales_does_is_an_event_of_every_contact_who_was_part_of_it(through):
    done = through(
        contact=[CONTACT],
        engagement=[{"id": "5", "timestamp": "2024-02-05 00:00:00"}],
        engagement_contact=[
            *({"engagement_id": n, "contact_id": "42"} for n in "123457"),
            {"engagement_id": "2", "contact_id": "43"},
        ],
        engagement_call=[
            {
                "engagement_id": "1",
                "property_hs_timestamp": "2024-02-01 00:00:00",
                "property_hs_call_duration": "90000",
                "property_hs_call_status": "COMPLETED",
            },
            {"engagement_id": "5", "property_hs_timestamp": ""},
            {"engagement_id": "6", "property_hs_timestamp": "2024-02-01 00:00:00"},
        ],
        engagement_meeting=[
            {
                "engagement_id": "2",
                "start_time": "2024-02-02 00:00:00",
                "meeting_outcome": "NO_SHOW",
            }
        ],
        engagement_email=[
            {
                "engagement_id": "3",
                "property_hs_timestamp": "2024-02-03 00:00:00",
                "property_hs_email_direction": "INCOMING_EMAIL",
            }
        ],
        engagement_task=[
            {
                "engagement_id": "4",
                "property_hs_timestamp": "2029-01-01 00:00:00",
                "property_hs_createdate": "2024-02-04 00:00:00",
            }
        ],
        engagement_communication=[
            {
                "engagement_id": "7",
                "property_hs_timestamp": "2024-02-06 00:00:00",
                "property_hs_communication_channel_type": "LINKEDIN_MESSAGE",
            }
        ],
    )
    found = done.texts("events", "lead_id", "type", "occurred_at", "outcome", "duration_s")
    assert sorted(found, key=str) == [
        ("42", "call", "2024-02-01T00:00:00", "completed", 90.0),
        ("42", "call", "2024-02-05T00:00:00", None, None),
        ("42", "email_replied", "2024-02-03T00:00:00", None, None),
        ("42", "meeting", "2024-02-02T00:00:00", "no_show", None),
        ("42", "social_message", "2024-02-06T00:00:00", None, None),
        ("42", "task", "2024-02-04T00:00:00", None, None),
        ("43", "meeting", "2024-02-02T00:00:00", "no_show", None),
    ]
    assert done.reasons == ["engagement_contact has no row for it"]


# --- Who is who ---


def test_addresses_own_ids_and_merged_contacts_are_aliases(through):
    done = through(
        contact=[
            CONTACT
            | {
                "property_hs_additional_emails": "a@old.com; ANN@old.com",
                "property_hs_calculated_merged_vids": "7:1706745600000;8:1706832000000",
                "_fivetran_synced": "2024-09-01 00:00:00",
            },
            CONTACT | {"id": "43", "property_email": ""},
        ],
        contact_property_history=[
            history("email", "Bo@x.com", "2024-03-01 00:00:00", contact="43"),
        ],
        contact_merge_audit=[
            {"canonical_vid": "43", "vid_to_merge": "9", "timestamp": "2024-04-01 00:00:00"}
        ],
    )
    found = set(done.texts("aliases", "alias", "lead_id", "known_at"))
    assert found == {
        ("email:ann@example.com", "42", "2024-01-05T09:30:00"),
        ("email:a@old.com", "42", "2024-09-01T00:00:00"),
        ("email:ann@old.com", "42", "2024-09-01T00:00:00"),
        ("email:bo@x.com", "43", "2024-03-01T00:00:00"),
        ("hubspot:42", "42", "2024-01-05T09:30:00"),
        ("hubspot:43", "43", "2024-01-05T09:30:00"),
        ("hubspot:7", "42", "2024-02-01T00:00:00"),
        ("hubspot:8", "42", "2024-02-02T00:00:00"),
        ("hubspot:9", "43", "2024-04-01T00:00:00"),
        # What HubSpot itself calls the ones that are gone.
        ("7", "42", "2024-02-01T00:00:00"),
        ("8", "42", "2024-02-02T00:00:00"),
        ("9", "43", "2024-04-01T00:00:00"),
    }


def test_an_address_whose_history_is_there_is_not_claimed_for_earlier(through):
    done = through(
        contact=[CONTACT],
        contact_property_history=[history("email", "ann@example.com", "2024-03-01 00:00:00")],
    )
    of_email = [a for a in done.texts("aliases", "alias", "known_at") if a[0].startswith("email")]
    assert of_email == [("email:ann@example.com", "2024-03-01T00:00:00")]


def test_where_another_system_is_the_master_no_contact_is_a_lead_and_ids_are_written_in_full(
    through,
):
    done = through(
        contact=[CONTACT | {"property_hs_lifecyclestage_lead_date": "2024-01-05 09:30:00"}],
        contact_merge_audit=[
            {"canonical_vid": "42", "vid_to_merge": "9", "timestamp": "2024-04-01 00:00:00"}
        ],
        _settings={"master": False},
    )
    assert done.column("leads", "lead_id") == ["a", "b"]
    assert done.texts("stages", "lead_id", "stage") == [("hubspot:42", "lead")]
    # The contact's id leads to the address, and this to whoever the other system says.
    assert done.texts("aliases", "alias", "lead_id") == [
        ("hubspot:42", "email:ann@example.com"),
        ("hubspot:9", "hubspot:42"),
    ]


def test_addresses_may_be_the_leads_ids(through):
    done = through(
        contact=[CONTACT],
        email_event=[EVENT | {"id": "s", "type": "SENT"}],
        _settings={"lead_id": "email"},
    )
    assert done.texts("events", "lead_id") == [("ann@example.com",)]
    assert set(done.texts("aliases", "alias", "lead_id")) == {
        ("email:ann@example.com", "ann@example.com"),
        ("hubspot:42", "ann@example.com"),
    }


def test_names_that_are_no_canonical_ones_are_said_before_any_file_is_read(through):
    from mqlml.errors import ConfigError

    settings = {"stages": {"x": "custmer"}, "verdicts": {"y": "no"}, "time_format": "soon"}
    with pytest.raises(ConfigError) as raised:
        through(contact=[CONTACT], _settings=settings)
    assert [(f.what, f.where, f.found) for f in raised.value.faults] == [
        ("not a valid name", "sources.exports.0.stages.x", "'custmer'"),
        ("not a valid name", "sources.exports.0.verdicts.y", "'no'"),
        ("not a time format", "sources.exports.0.time_format", "'soon'"),
    ]
    assert "customer" in raised.value.faults[0].mend


def test_an_attribute_that_is_nowhere_is_said(through):
    done = through(
        contact=[CONTACT | {"property_shoe_size": "44"}],
        _settings={"attributes": ["property_shoe_size", "shoe_sise"]},
    )
    assert done.attributes("42") == {"shoe_size": 44.0}
    assert [note for note in done.notes if "attribute" in note] == [
        "hubspot: attribute 'shoe_sise' is in no file"
    ]


def test_lines_of_a_looked_up_file_that_are_no_rows_are_said(read):
    files = {
        "hubspot/contact.csv": csv_text(CONTACT | {"property_associatedcompanyid": "7"}),
        "hubspot/company.csv": "id,property_industry\n7,STEEL\n8,COAL,extra,more\n9,OIL\n",
    }
    done = read(files, exports=[HUBSPOT])
    assert done.attributes("42") == {"company_industry": "STEEL"}
    what = "lines of hubspot/company.csv that are no rows, not looked up: 1"
    assert f"leads, hubspot/contact.csv: {what}" in done.notes


def test_shards_of_a_looked_up_file_are_one_table(read):
    parts = {f"hubspot/company_{n}.csv": f"id,property_industry\n{n},I{n}\n" for n in (7, 8)}
    people = [CONTACT | {"id": n, "property_associatedcompanyid": n} for n in ("7", "8")]
    done = read({**parts, "hubspot/contact.csv": csv_text(*people)}, exports=[HUBSPOT])
    assert (done.attributes("7"), done.attributes("8")) == (
        {"company_industry": "I7"},
        {"company_industry": "I8"},
    )
