"""CSV files as the screens of HubSpot and Salesforce export them, hand-written."""

import pytest
from tests.unit.sources.conftest import csv_text

from mqlml.errors import ConfigError

HUBSPOT = {"system": "hubspot", "folder": "crm", "timezone": "Europe/Berlin"}
CONTACT = {
    "Record ID": "42",
    "Email": " Ann@X.com",
    "Create Date": "2024-07-01 10:00",
    "Job Title": "CTO",
    "Primary Associated Company ID": "7",
    "Became a Lead Date": "2024-07-01 10:00",
    "Became a Customer Date": "2024-08-01 00:00",
    "Lead Status": "Bad timing",
    "Last Modified Date": "2024-09-01 00:00",
    "Shoe size": "44",
}
DEAL = {
    "Record ID": "1",
    "Deal Name": "Big",
    "Deal Stage": "Closed won",
    "Create Date": "2024-07-10 00:00",
    "Close Date": "2024-08-10 00:00",
    "Associated Contact IDs": "42;43",
}


def of_export(found):
    return [row for row in found if row[0] not in {"a", "b"}]


def test_files_of_hubspots_screens_are_known_by_their_columns_and_read_in_their_zone(read):
    done = read(
        {
            "crm/hubspot-crm-exports-all-contacts-2024-09-02.csv": csv_text(CONTACT),
            "crm/my deals.csv": csv_text(
                DEAL, DEAL | {"Record ID": "2", "Deal Stage": "Contract sent"}
            ),
        },
        exports=[{**HUBSPOT, "attributes": ["Shoe size"]}],
    )
    assert of_export(done.texts("leads", "lead_id", "created_at", "account_id")) == [
        ("42", "2024-07-01T08:00:00", "7")
    ]
    assert done.attributes("42") == {"jobtitle": "CTO", "Shoe size": 44.0}
    assert sorted(done.texts("stages", "lead_id", "entered_at", "stage")) == [
        ("42", "2024-07-01T08:00:00", "lead"),
        ("42", "2024-07-09T22:00:00", "opportunity"),
        ("42", "2024-07-31T22:00:00", "customer"),
        ("42", "2024-08-09T22:00:00", "customer"),
        ("43", "2024-07-09T22:00:00", "opportunity"),
        ("43", "2024-08-09T22:00:00", "customer"),
    ]
    assert done.texts("verdicts", "verdict", "reason", "given_at") == [
        ("rejected", "not_now", "2024-08-31T22:00:00")
    ]
    assert done.texts("aliases", "alias", "lead_id") == [("email:ann@x.com", "42")]
    assert all(count.is_balanced for count in done.ingested.counts)


def test_times_of_a_screen_need_a_zone_in_the_config(read):
    exports = [{name: value for name, value in HUBSPOT.items() if name != "timezone"}]
    with pytest.raises(ConfigError, match="times without an offset need a time zone"):
        read({"crm/c.csv": csv_text(CONTACT)}, exports=exports)


def test_salesforces_reports_are_known_by_their_columns_with_times_as_declared(read):
    lead = {
        "Lead ID": "00Q1G00000nDnM5",
        "Email": "Ann@X.com",
        "Title": "CTO",
        "Lead Status": "Unqualified",
        "Create Date": "05.01.2024",
        "Converted Date": "",
        "Last Modified": "07.02.2024",
        "Why": "Rival",
    }
    opportunity = {
        "Opportunity ID": "006A",
        "Contact ID": "0031G00001QtDPl",
        "Stage": "Closed Lost",
        "Created Date": "01.02.2024",
        "Close Date": "01.03.2024",
    }
    done = read(
        {
            "sf/report1714.csv": csv_text(lead),
            "sf/report1715.csv": csv_text(opportunity, opportunity | {"Stage": "Prospecting"}),
        },
        exports=[
            {
                "system": "salesforce",
                "folder": "sf",
                "timezone": "UTC",
                "time_format": "%d.%m.%Y",
                "reason": "Why",
                "reasons": {"rival": "competitor"},
            }
        ],
    )
    assert of_export(done.texts("leads", "lead_id", "created_at")) == [
        ("00Q1G00000nDnM5UAK", "2024-01-05T00:00:00")
    ]
    assert sorted(done.texts("stages", "lead_id", "entered_at", "stage")) == [
        ("0031G00001QtDPlQAN", "2024-02-01T00:00:00", "opportunity"),
        ("0031G00001QtDPlQAN", "2024-03-01T00:00:00", "disqualified"),
        ("00Q1G00000nDnM5UAK", "2024-01-05T00:00:00", "lead"),
        ("00Q1G00000nDnM5UAK", "2024-02-07T00:00:00", "disqualified"),
    ]
    assert done.texts("verdicts", "verdict", "reason", "given_at") == [
        ("rejected", "competitor", "2024-02-07T00:00:00")
    ]
    assert done.texts("aliases", "alias", "lead_id") == [("email:ann@x.com", "00Q1G00000nDnM5UAK")]


def test_headers_count_whatever_their_case(read):
    changed = {"Create Date": "Create date", "Job Title": "Job title", "Lead Status": "Lead status"}
    row = {changed.get(name, name): value for name, value in CONTACT.items()}
    done = read({"crm/contacts.csv": csv_text(row)}, exports=[HUBSPOT])
    assert done.attributes("42") == {"jobtitle": "CTO"}
    assert done.column("verdicts", "verdict") == ["rejected"]
    assert done.reasons == []


def test_a_report_of_contacts_gives_leads_and_one_of_opportunities_does_not(read):
    contact = {"Contact ID": "0031G00001QtDPl", "Created Date": "2024-01-05", "Title": "CTO"}
    contact |= {"Email": "Ann@X.com"}
    sale = {"Opportunity ID": "006x", "Stage": "Closed Won", "Close Date": "2024-03-01"}
    files = {
        "sf/contacts.csv": csv_text(contact),
        "sf/sales.csv": csv_text(contact | sale | {"Created Date": "2024-02-01"}),
    }
    exports = [{"system": "salesforce", "folder": "sf", "timezone": "UTC"}]
    done = read(files, leads=[], exports=exports)
    person = "0031G00001QtDPlQAN"
    assert done.texts("leads", "lead_id", "created_at") == [(person, "2024-01-05T00:00:00")]
    assert done.attributes(person) == {"title": "CTO"}
    assert done.texts("aliases", "alias", "lead_id") == [("email:ann@x.com", person)]
    assert sorted(done.texts("stages", "stage", "entered_at")) == [
        ("customer", "2024-03-01T00:00:00"),
        ("opportunity", "2024-02-01T00:00:00"),
    ]
