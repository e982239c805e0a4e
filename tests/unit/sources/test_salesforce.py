"""Hand-written rows in the layout of Salesforce's connector, through its door."""

import duckdb
import pytest
from tests.unit.sources.conftest import csv_text

# One record, by its long id and by the short one that reports show.
LONG, SHORT = "00Q1G00000nDnM5UAK", "00Q1G00000nDnM5"
CONTACT, OTHER = "0031G00001QtDPlQAN", "0031G00001Pji7ZQAR"
LEAD = {"id": LONG, "created_date": "2024-01-05 09:30:00", "is_deleted": "FALSE"}
SALESFORCE = {"system": "salesforce", "folder": "sf"}


@pytest.fixture
def through(read):
    """Return a function that reads tables, by name, as files of a Salesforce export."""

    def tables(_settings=None, **rows):
        files = {f"sf/sf_{name}_data.csv": csv_text(*given) for name, given in rows.items()}
        return read(files, exports=[SALESFORCE | (_settings or {})])

    return tables


def of_export(found):
    """Return the rows that are not those of leads.csv."""
    return [row for row in found if row[0] not in {"a", "b"}]


def test_leads_and_contacts_that_were_none_are_leads_under_their_long_ids(through):
    done = through(
        lead=[
            LEAD | {"id": SHORT, "title": "CTO", "converted_contact_id": CONTACT, "own_c": "x"},
            LEAD | {"id": "00Q000000000001AAA", "is_deleted": "1"},
        ],
        contact=[
            {"id": CONTACT[:15], "created_date": "2024-03-01"},
            {"id": OTHER, "created_date": "2024-03-02", "mailing_country": "Chile"}
            | {"account_id": "001"},
        ],
        account=[{"id": "001", "industry": "Mining", "is_deleted": "false"}],
        _settings={"attributes": ["own_c"]},
    )
    assert of_export(done.texts("leads", "lead_id", "created_at", "account_id")) == [
        (OTHER, "2024-03-02T00:00:00", "001"),
        (LONG, "2024-01-05T09:30:00", None),
    ]
    assert done.attributes(OTHER) == {"country": "Chile", "account_industry": "Mining"}
    assert done.attributes(LONG) == {"title": "CTO", "own_c": "x"}
    assert done.count("leads") == (6, 4, 0, 0, 2)


def test_a_conversion_is_a_stage_and_the_contact_an_alias_since_then(through):
    done = through(
        lead=[
            LEAD
            | {
                "email": "Ann@X.com",
                "is_converted": "TRUE",
                "converted_date": "2024-02-01",
                "converted_contact_id": CONTACT,
                "converted_opportunity_id": "006",
                "status": "Qualified",
                "last_modified_date": "2024-09-09",
                "owner_id": "005",
            },
            LEAD | {"id": "00Q2", "status": "Nurture", "last_modified_date": "2024-04-01"},
        ]
    )
    assert sorted(done.texts("stages", "lead_id", "entered_at", "stage")) == [
        (LONG, "2024-01-05T09:30:00", "lead"),
        (LONG, "2024-02-01T00:00:00", "opportunity"),
        (LONG, "2024-02-01T00:00:00", "sql"),
        ("00Q2", "2024-01-05T09:30:00", "lead"),
        ("00Q2", "2024-04-01T00:00:00", "recycled"),
    ]
    assert done.texts("verdicts", "lead_id", "verdict", "reason", "given_at", "who") == [
        (LONG, "accepted", None, "2024-02-01T00:00:00", "005"),
        ("00Q2", "rejected", "not_now", "2024-04-01T00:00:00", None),
    ]
    assert set(done.texts("aliases", "alias", "lead_id", "known_at")) == {
        ("email:ann@x.com", LONG, "2024-01-05T09:30:00"),
        (f"salesforce:{LONG}", LONG, "2024-01-05T09:30:00"),
        (f"salesforce:{CONTACT}", LONG, "2024-02-01T00:00:00"),
        (CONTACT, LONG, "2024-02-01T00:00:00"),
        ("salesforce:00Q2", "00Q2", "2024-01-05T09:30:00"),
    }


def test_tracked_changes_of_fields_are_dated_attributes_stages_and_verdicts(through):
    def change(field, value, at, **more):
        row = {"lead_id": SHORT, "field": field, "new_value": value, "created_date": at}
        return row | {"created_by_id": "005"} | more

    done = through(
        lead=[LEAD | {"title": "VP", "status": "Unqualified", "why_c": "No money"}],
        lead_history=[
            change("Title", "Intern", "2024-01-06"),
            change("NumberOfEmployees", "12", "2024-01-07"),
            change("Shoe_Size__c", "44", "2024-01-08"),
            change("Phone", "1", "2024-01-08"),
            change("Status", "Working - Contacted", "2024-02-01"),
            change("Status", "Unqualified", "2024-03-01"),
            change("Status", "Unqualified", "2024-03-02", is_deleted="TRUE"),
            change("Status", "Zombie", "2024-03-03"),
        ],
        _settings={
            "attributes": ["shoe_size_c"],
            "reason": "why_c",
            "reasons": {"No money": "no_budget"},
        },
    )
    assert done.texts("attributes", "lead_id", "name", "value", "known_at") == [
        (LONG, "title", "Intern", "2024-01-06T00:00:00"),
        (LONG, "number_of_employees", "12.0", "2024-01-07T00:00:00"),
        (LONG, "shoe_size_c", "44.0", "2024-01-08T00:00:00"),
    ]
    assert sorted(done.texts("stages", "entered_at", "stage")) == [
        ("2024-01-05T09:30:00", "lead"),
        ("2024-02-01T00:00:00", "sal"),
        ("2024-03-01T00:00:00", "disqualified"),
    ]
    assert done.texts("verdicts", "verdict", "reason", "given_at", "who") == [
        ("accepted", None, "2024-02-01T00:00:00", "005"),
        ("rejected", "no_budget", "2024-03-01T00:00:00", "005"),
    ]
    # An unknown status is refused, as a stage and as a verdict, with the setting to name it in.
    assert sorted((r["table"], r["remedy"].split(", in ")[1]) for r in done.rows("quarantine")) == [
        ("stages", "exports.stages"),
        ("verdicts", "exports.verdicts"),
    ]


def test_versions_of_rows_give_what_changed_with_each(through):
    def version(at, title, status, **more):
        row = LEAD | {"_fivetran_start": at, "title": title, "status": status}
        return row | {"_fivetran_active": "FALSE"} | more

    done = through(
        lead=[
            version("2024-01-05 09:30:00", "Intern", "New"),
            version("2024-02-01 10:00:00", "Intern", "Working"),
            version("2024-02-01 9:00:00", "Intern", "New"),
            version("2024-03-01 00:00:00", "", "Working"),
            version("2024-04-01 00:00:00", "VP", "Working", _fivetran_active="TRUE"),
        ]
    )
    assert of_export(done.texts("leads", "lead_id")) == [(LONG,)]
    assert done.texts("attributes", "name", "value", "known_at") == [
        ("title", "Intern", "2024-01-05T09:30:00"),
        ("title", None, "2024-03-01T00:00:00"),
        ("title", "VP", "2024-04-01T00:00:00"),
    ]
    assert sorted(done.texts("stages", "entered_at", "stage")) == [
        ("2024-01-05T09:30:00", "lead"),
        ("2024-02-01T10:00:00", "sal"),
    ]
    assert done.texts("verdicts", "verdict", "given_at") == [("accepted", "2024-02-01T10:00:00")]
    assert not done.reasons


def test_an_accounts_history_is_that_of_its_contacts(through):
    done = through(
        contact=[{"id": c, "created_date": "2024-01-01", "account_id": "001"} for c in ("1", "2")],
        account_history=[
            {"account_id": "001", "field": "Industry", "new_value": "Mining"}
            | {"created_date": "2024-02-01"}
        ],
    )
    assert done.texts("attributes", "lead_id", "name", "value") == [
        ("1", "account_industry", "Mining"),
        ("2", "account_industry", "Mining"),
    ]


OPPORTUNITY = {
    "id": "006A",
    "created_date": "2024-02-01",
    "close_date": "2024-06-01",
    "stage_name": "Negotiation/Review",
    "is_closed": "false",
    "is_won": "false",
}


def test_opportunities_are_stages_of_the_lead_that_became_one_else_of_its_contacts(through):
    done = through(
        lead=[LEAD | {"converted_opportunity_id": "006A"}],
        opportunity=[
            OPPORTUNITY | {"stage_name": "Signed", "is_closed": "1", "is_won": "1"},
            OPPORTUNITY | {"id": "006B"},
            OPPORTUNITY | {"id": "006C", "stage_name": "Off", "is_closed": "TRUE"},
            OPPORTUNITY | {"id": "006D"},
            OPPORTUNITY | {"id": "006E", "is_deleted": "TRUE"},
        ],
        opportunity_contact_role=[
            {"opportunity_id": "006A", "contact_id": CONTACT},
            {"opportunity_id": "006B", "contact_id": OTHER},
            {"opportunity_id": "006C", "contact_id": CONTACT},
            {"opportunity_id": "006C", "contact_id": OTHER, "is_deleted": "TRUE"},
        ],
    )
    found = done.texts("stages", "lead_id", "stage", "entered_at")
    assert [row for row in found if row[1] != "lead"] == [
        (LONG, "opportunity", "2024-02-01T00:00:00"),
        (LONG, "customer", "2024-06-01T00:00:00"),
        (OTHER, "opportunity", "2024-02-01T00:00:00"),
        (CONTACT, "opportunity", "2024-02-01T00:00:00"),
        (CONTACT, "disqualified", "2024-06-01T00:00:00"),
    ]
    (refused,) = done.rows("quarantine")
    assert refused["reason"] == "lead_id is missing"
    assert refused["remedy"].startswith("export opportunity_contact_role and lead too")


@pytest.mark.parametrize(
    "history",
    [
        [
            {"opportunity_id": "006A", "stage_name": "Qualification", "created_date": "2024-02-01"},
            {"opportunity_id": "006A", "stage_name": "Qualification", "created_date": "2024-02-09"},
            {"opportunity_id": "006A", "stage_name": "Closed Lost", "created_date": "2024-05-01"},
        ],
        [
            {"id": "006A", "stage_name": "Qualification", "_fivetran_start": "2024-02-01"},
            {"id": "006A", "stage_name": "Qualification", "_fivetran_start": "2024-02-09"},
            {"id": "006A", "stage_name": "Closed Lost", "_fivetran_start": "2024-05-01"},
        ],
    ],
)
def test_with_a_history_an_opportunitys_stages_have_their_own_dates(through, history):
    done = through(
        lead=[LEAD | {"converted_opportunity_id": "006A"}],
        opportunity=[OPPORTUNITY | {"stage_name": "Closed Lost", "is_closed": "true"}],
        opportunity_history=history,
    )
    assert sorted(done.texts("stages", "entered_at", "stage")) == [
        ("2024-01-05T09:30:00", "lead"),
        ("2024-02-01T00:00:00", "opportunity"),
        ("2024-05-01T00:00:00", "disqualified"),
    ]


def test_tasks_meetings_and_campaigns_are_events(through):
    done = through(
        lead=[LEAD],
        task=[
            {"id": "00T1", "who_id": SHORT, "created_date": "2024-02-01", "task_subtype": "Call"}
            | {"call_duration_in_seconds": "60", "call_disposition": "Connected"},
            {"id": "00T2", "who_id": LONG, "created_date": "2024-02-02", "task_subtype": "Email"},
            {"id": "00T3", "who_id": LONG, "created_date": "2024-02-03", "task_subtype": "Task"}
            | {"completed_date_time": "2024-02-13 10:00:00", "status": "Completed"},
            {"id": "00T4", "who_id": "", "created_date": "2024-02-04"},
        ],
        event=[
            {"id": "00U1", "who_id": LONG, "start_date_time": "2024-02-05 10:00:00"}
            | {"duration_in_minutes": "30", "is_child": "FALSE"},
            {"id": "00U2", "who_id": LONG, "start_date_time": "2024-02-05 10:00:00"}
            | {"is_child": "TRUE"},
        ],
        campaign=[{"id": "701", "name": "Lean days", "type": "Webinar"}],
        campaign_member=[
            {"id": "00v1", "lead_id": LONG, "campaign_id": "701", "created_date": "2024-02-06"}
            | {"status": "Attended", "has_responded": "TRUE"},
            {"id": "00v2", "contact_id": OTHER, "campaign_id": "702", "created_date": "2024-02-07"}
            | {"status": "Clicked", "has_responded": "TRUE", "first_responded_date": "2024-02-08"},
        ],
    )
    names = ("lead_id", "type", "occurred_at", "duration_s", "outcome", "campaign")
    assert sorted(done.texts("events", *names), key=lambda row: row[2]) == [
        (LONG, "call", "2024-02-01T00:00:00", 60.0, "connected", None),
        (LONG, "email_sent", "2024-02-02T00:00:00", None, None, None),
        (LONG, "meeting", "2024-02-05T10:00:00", 1800.0, None, None),
        (LONG, "webinar_attended", "2024-02-06T00:00:00", None, "attended", "Lean days"),
        (OTHER, "campaign_responded", "2024-02-08T00:00:00", None, "clicked", "702"),
        (LONG, "task", "2024-02-13T10:00:00", None, "completed", None),
    ]
    assert done.reasons == ["lead_id is missing"]


def test_a_merged_record_is_an_alias_of_the_one_that_took_it_in(through):
    done = through(
        lead=[
            LEAD,
            LEAD
            | {"id": "00Q000000000001AAA", "is_deleted": "TRUE"}
            | {"master_record_id": SHORT, "last_modified_date": "2024-05-01"},
        ]
    )
    found = [
        row for row in done.texts("aliases", "alias", "lead_id", "known_at") if "5-01" in row[2]
    ]
    assert found == [
        ("salesforce:00Q000000000001AAA", LONG, "2024-05-01T00:00:00"),
        ("00Q000000000001AAA", LONG, "2024-05-01T00:00:00"),
    ]
    assert of_export(done.texts("leads", "lead_id")) == [(LONG,)]


def test_where_leads_are_another_systems_an_id_leads_to_the_address(through):
    done = through(lead=[LEAD | {"email": "Ann@X.com"}], _settings={"master": False})
    assert of_export(done.texts("leads", "lead_id")) == []
    assert done.texts("aliases", "alias", "lead_id") == [(f"salesforce:{LONG}", "email:ann@x.com")]


def test_in_a_warehouse_a_historys_layout_shows_when_it_is_read(read, tmp_path):
    with duckdb.connect(str(tmp_path / "lake.duckdb")) as connection:
        lead = f"SELECT '{SHORT}' AS id, TIMESTAMP '2024-01-05' AS created_date"
        change = f"SELECT '{SHORT}' AS lead_id, 'Status' AS field, 'Working' AS new_value"
        connection.execute("CREATE SCHEMA sf")
        connection.execute(f"CREATE TABLE sf.lead AS {lead}")
        at = "TIMESTAMP '2024-02-01' AS created_date"
        connection.execute(f"CREATE TABLE sf.lead_history AS {change}, {at}")
    done = read(
        {"lake.duckdb": (tmp_path / "lake.duckdb").read_bytes()},
        warehouse={"crm": {"kind": "duckdb", "path": "lake.duckdb"}},
        exports=[{"system": "salesforce", "warehouse": "crm", "schema": "sf"}],
    )
    assert of_export(done.texts("leads", "lead_id")) == [(LONG,)]
    assert sorted(done.texts("stages", "entered_at", "stage", "lead_id")) == [
        ("2024-01-05T00:00:00", "lead", LONG),
        ("2024-02-01T00:00:00", "sal", LONG),
    ]
    assert done.texts("verdicts", "verdict") == [("accepted",)]
