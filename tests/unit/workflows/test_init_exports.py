"""`mqlml init FOLDER`: exports are told by names and columns of their files."""

import json
import os

import pandas as pd
import pytest

from mqlml.config import load_settings
from mqlml.errors import DataError, SchemaError
from mqlml.sources.found_exports import columns_of, found_exports
from mqlml.storage.snapshot import current_snapshot
from mqlml.workflows.ingest import ingest
from mqlml.workflows.init import write_config
from mqlml.workflows.project import open_project

GA4 = {
    "event_timestamp": "1735812000000000",
    "event_name": "page_view",
    "user_id": "a",
    "event_params": [
        {"key": "page_location", "value": {"string_value": "https://x.io/Pricing?utm=1"}}
    ],
}
CONTACTS = "id,property_email,property_createdate\na,ann@x.io,2025-01-01 00:00:00\n"
DEAL_STAGES = "deal_id,value,date_entered\n1,closedwon,2025-02-01 00:00:00\n"
DEAL_CONTACTS = "deal_id,contact_id\n1,a\n"
LEADS = "lead_id,created_at\na,2025-01-01\n"
STAGES = "lead_id,stage,entered_at\na,customer,2025-02-01\n"


@pytest.fixture
def folder(tmp_path):
    """Return a function that writes files below the folder `data` and returns it."""

    def written(**files):
        for name, text in files.items():
            path = tmp_path / "data" / name.replace("__", "/").replace("_csv", ".csv")
            path = path.with_name(path.name.replace("_ndjson", ".ndjson"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path / "data"

    return written


def proposed(path, tmp_path):
    out = tmp_path / "my.yaml"
    proposal = write_config([path], out)
    return load_settings(out), proposal


def test_a_folder_of_two_systems_becomes_a_config_that_ingests(folder, tmp_path):
    data = folder(
        web__day_ndjson=json.dumps(GA4) + "\n",
        crm__contact_csv=CONTACTS,
        crm__deal_stage_csv=DEAL_STAGES,
        crm__deal_contact_csv=DEAL_CONTACTS,
    )
    settings, proposal = proposed(data, tmp_path)
    assert [(e.system, e.folder) for e in settings.sources.exports] == [
        ("hubspot", "data/crm"),
        ("ga4", "data/web"),
    ]
    assert "crm holds an export of hubspot, master of the leads' ids: 2 files" in proposal.guesses
    project = open_project(tmp_path / "my.yaml", workspace=tmp_path / "w")
    counts = {c.table: c.kept for c in ingest(project, say=lambda _text: None).counts if c.kept}
    assert (counts["leads"], counts["events"], counts["stages"]) == (1, 1, 1)


def test_the_id_that_web_and_people_share_is_found_in_the_data(folder, tmp_path):
    param = {"key": "crm", "value": {"int_value": "42"}}
    event = GA4 | {"user_id": "hash-1", "user_properties": [param]}
    data = folder(
        web__day_ndjson=json.dumps(GA4 | {"user_id": None}) + "\n" + json.dumps(event) + "\n",
        crm__contact_csv=CONTACTS.replace("\na,", "\n42,"),
        crm__deal_stage_csv=DEAL_STAGES,
        crm__deal_contact_csv=DEAL_CONTACTS.replace(",a", ",42"),
    )
    settings, _ = proposed(data, tmp_path)
    (ga4,) = [e for e in settings.sources.exports if e.system == "ga4"]
    assert ga4.lead_id == "user_properties.crm"


def test_visits_are_a_contacts_whose_form_handed_over_googles_client_id(folder, tmp_path):
    head = "id,property_email,property_createdate,property_ga_client_id\n"
    visit = GA4 | {"user_id": None, "user_pseudo_id": "12.34"}
    data = folder(
        web__day_ndjson=json.dumps(visit) + "\n",
        crm__contact_csv=head + "a,ann@x.io,2025-01-05 00:00:00,GA1.2.12.34\n",
        crm__deal_stage_csv=DEAL_STAGES,
        crm__deal_contact_csv=DEAL_CONTACTS,
    )
    proposed(data, tmp_path)
    project = open_project(tmp_path / "my.yaml", workspace=tmp_path / "w")
    ingest(project, say=lambda _text: None)
    events = pd.read_parquet(current_snapshot(tmp_path / "w") / "events")
    assert events["lead_id"].tolist() == ["a"]
    # Anonymous on the second of January, known since the contact was made on the fifth.
    assert [str(at.date()) for at in events["occurred_at"]] == ["2025-01-02"]
    assert [str(at.date()) for at in events["arrived_at"]] == ["2025-01-05"]


def test_high_intent_pages_are_a_signal_by_pattern(folder, tmp_path):
    data = folder(
        web__day_ndjson=json.dumps(GA4) + "\n",
        contact_csv=CONTACTS,
        deal_stage_csv=DEAL_STAGES,
        deal_contact_csv=DEAL_CONTACTS,
    )
    settings, _ = proposed(data, tmp_path)
    where = settings.plan.signals["high_intent_page"].where
    from mqlml.tables.expressions import check_expressions

    check_expressions({"high_intent_page": where}, ["type", "page"])
    import duckdb

    rows = "(VALUES ('page_view', 'https://x.io/Pricing'), ('page_view', 'https://x.io/blog'))"
    query = f"SELECT {where} FROM {rows} AS t(type, page)"
    assert duckdb.sql(query).fetchall() == [(True,), (False,)]


def test_an_export_without_people_stands_beside_own_files_of_leads_and_stages(folder, tmp_path):
    data = folder(web__day_ndjson=json.dumps(GA4) + "\n", leads_csv=LEADS, stages_csv=STAGES)
    settings, _ = proposed(data, tmp_path)
    assert [e.system for e in settings.sources.exports] == ["ga4"]
    assert [s.file for s in settings.sources.leads] == ["data/leads.csv"]
    assert [s.file for s in settings.sources.stages] == ["data/stages.csv"]


def test_files_that_nobody_knows_are_named_in_the_config(folder, tmp_path):
    data = folder(
        contact_csv=CONTACTS,
        deal_stage_csv=DEAL_STAGES,
        deal_contact_csv=DEAL_CONTACTS,
        weather_csv="day,rain\n1,2\n",
    )
    proposed(data, tmp_path)
    assert "if they matter: weather.csv" in (tmp_path / "my.yaml").read_text(encoding="utf-8")


def test_a_file_called_like_an_exports_table_without_its_columns_is_none_of_it(folder):
    exports, rest = found_exports(folder(contact_csv="name,phone\nAnn,1\n"))
    assert exports == ()
    assert [path.name for path in rest] == ["contact.csv"]


def test_a_folder_without_exports_is_looked_at_file_by_file(folder, tmp_path):
    settings, _ = proposed(folder(leads_csv=LEADS, stages_csv=STAGES), tmp_path)
    assert settings.sources.exports == ()
    assert len(settings.sources.stages) == 1


def test_an_empty_folder_and_an_export_without_people_say_what_is_missing(folder, tmp_path):
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="no data file in the folder"):
        write_config([tmp_path / "none"], tmp_path / "my.yaml")
    with pytest.raises(SchemaError, match="no file holds the leads"):
        write_config([folder(crm__email_event_csv=EMAILS)], tmp_path / "y")


EMAILS = "id,created,type,recipient\n1,2025-01-01 00:00:00,OPEN,ann@x.io\n"


def test_columns_of_a_file_that_cannot_be_read_are_none(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    (tmp_path / "a.ndjson.gz").write_bytes(os.urandom(50))
    (tmp_path / "b.ndjson").write_text('{"a": 1}\n{"b"\n[{"c": 2}]\n', encoding="utf-8")
    assert list(columns_of(tmp_path / "a.parquet")) == []
    assert list(columns_of(tmp_path / "a.ndjson.gz")) == []
    assert list(columns_of(tmp_path / "b.ndjson")) == ["a", "c"]


def test_files_of_a_screen_get_a_zone_to_correct(folder, tmp_path):
    contacts = (
        "Record ID,Email,Create Date,Became a Customer Date\n"
        "42,ann@x.io,2025-01-01 10:00,2025-02-01 10:00\n"
    )
    settings, _ = proposed(folder(crm__contacts_csv=contacts), tmp_path)
    (export,) = settings.sources.exports
    assert (export.system, export.timezone) == ("hubspot", "UTC")


PEOPLE = (
    "id,property_email,property_createdate,property_jobtitle,property_company_size,"
    "property_industry,property_first_campaign,property_last_campaign,property_favourite_colour\n"
    "a,ann@x.io,2025-01-01 00:00:00,CFO,51-200,software,spring,autumn,blue\n"
)


def crm_of(people, folder):
    return folder(crm__contact_csv=people, crm__deal_stage_csv=DEAL_STAGES)


def test_own_columns_that_say_who_somebody_is_become_attributes_and_name_the_icp(folder, tmp_path):
    settings, _ = proposed(crm_of(PEOPLE, folder), tmp_path)
    assert settings.sources.exports[0].attributes == ("company_size", "first_campaign")
    icp = settings.plan.icp
    assert (icp.title, icp.size, icp.industry, icp.country) == (
        "jobtitle",
        "company_size",
        "industry",
        None,
    )


def test_own_columns_that_are_not_taken_are_named_beside_them(folder, tmp_path):
    _, proposal = proposed(crm_of(PEOPLE, folder), tmp_path)
    assert "# not taken: last_campaign, favourite_colour\n" in proposal.text


def test_files_of_a_hidden_folder_such_as_the_workspace_are_no_export(folder, tmp_path):
    data = crm_of(PEOPLE, folder)
    (data / ".mqlml").mkdir()
    (data / ".mqlml" / "ingested.json").write_text("{}")
    _, proposal = proposed(data, tmp_path)
    assert "ingested" not in proposal.text
