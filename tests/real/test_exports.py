"""Files in the shape of real exports: known figures, every row accounted for."""

import json
import shutil
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
    def through_the_door(folder=tmp_path, **sources):
        (tmp_path / "leads.csv").write_text("lead_id,created_at\nnobody,2010-01-01T00:00Z\n")
        settings = SourceSettings.model_validate({"leads": [LEADS], **sources})
        done = read_sources(settings, folder, timezone=None, workdir=tmp_path / "work")
        assert all(count.is_balanced for count in done.counts)
        return done

    return through_the_door


def rows(done, table):
    return pq.read_table(done.path(table)).to_pylist()


def counted(done, table="events"):
    """Return rows, kept, duplicates, quarantined, filtered of the table's files together."""
    parts = [
        (c.rows, c.kept, c.duplicates, c.quarantined, c.filtered)
        for c in done.counts
        if c.table == table
    ]
    return tuple(sum(column) for column in zip(*parts, strict=True))


# --- Google Analytics 4 -----------------------------------------------------------------------


def test_google_analytics_rows_with_a_visitor_are_kept_and_the_rest_have_their_reason(
    ingest, tmp_path
):
    shutil.copytree(RAW / "ga4", tmp_path / "ga4")
    done = ingest(exports=[{"system": "ga4", "folder": "ga4", "lead_id": "user_pseudo_id"}])
    # 4 excerpts of which 2 have no visitor, 1 whole event, 9 stubs and 1 staged row without one.
    assert counted(done) == (15, 3, 0, 12, 0)
    assert {r["reason"] for r in rows(done, "quarantine")} == {"lead_id is missing"}
    kept = [
        (r["type"], r["occurred_at"].isoformat(), r["duration_s"]) for r in rows(done, "events")
    ]
    assert kept == [
        ("page_view", "2021-01-28T01:40:22.695757+00:00", 0.007),
        ("product_signup", "2023-01-16T08:40:01.132002+00:00", None),
        ("session_start", "2022-05-27T19:30:18.347831+00:00", None),
    ]


def test_every_parameter_of_every_google_analytics_row_survives(ingest, tmp_path):
    written = {}
    with (tmp_path / "all.json").open("w") as file:
        for path in sorted((RAW / "ga4").glob("*.ndjson")):
            for line in filter(str.strip, path.read_text().splitlines()):
                row = json.loads(line) | {"user_pseudo_id": f"v{len(written)}"}
                written[row["user_pseudo_id"]] = row["event_params"]
                file.write(json.dumps(row) + "\n")
    (tmp_path / "ga4").mkdir()
    (tmp_path / "all.json").rename(tmp_path / "ga4" / "all.json")
    done = ingest(exports=[{"system": "ga4", "folder": "ga4", "lead_id": "user_pseudo_id"}])
    read = {r["lead_id"]: json.loads(r["params"]) for r in rows(done, "events")}
    assert len(read) == 15
    assert read == {visitor: plain(params) for visitor, params in written.items()}


def plain(params):
    """Return key → value of a repeated record, whole numbers as numbers."""
    values = {}
    for one in params:
        given = {kind: v for kind, v in one["value"].items() if v is not None}
        ((kind, value),) = given.items()
        values[one["key"]] = value if kind == "string_value" else int(value)
    return values


# --- HubSpot and Salesforce -------------------------------------------------------------------


def where_rows_went(done):
    """Return, per file and table, rows + made = kept + duplicates + filtered + quarantined."""
    return {
        (c.file.split("/")[-1].removesuffix("_data.csv"), c.table): (
            *(c.rows, c.made, c.kept, c.duplicates, c.filtered, c.quarantined),
        )
        for c in done.counts
        if c.file != "leads.csv"
    }


def test_every_row_of_hubspots_connector_is_accounted_for(ingest, tmp_path):
    shutil.copytree(RAW / "hubspot", tmp_path / "hubspot")
    done = ingest(exports=[{"system": "hubspot", "folder": "hubspot"}])
    went = where_rows_went(done)
    assert went["contact", "leads"] == (22, 0, 22, 0, 0, 0)
    # Names of properties are masked, so none is one of ours.
    assert went["contact_property_history", "attributes"] == (100, 0, 0, 0, 100, 0)
    assert went["contact_form_submission", "events"] == (5, 0, 5, 0, 0, 0)
    assert went["email_event", "events"] == (100, 0, 100, 0, 0, 0)
    assert went["engagement_call", "events"] == (1, 0, 1, 0, 0, 0)
    assert went["contact_merge_audit", "aliases"] == (4, 0, 4, 0, 0, 0)
    # No deal of the masked stages is among the deals with contacts, and no part of an email
    # event belongs to one of its rows.
    assert went["deal_stage", "stages"] == (14, 0, 0, 0, 0, 14)
    assert went["email_event_open", "events"] == (100, 0, 0, 0, 0, 100)
    reasons = {(r["table"], r["column"], r["reason"]) for r in rows(done, "quarantine")}
    assert reasons == {
        ("stages", "deal_contact", "deal_contact has no row for it"),
        ("events", "email_event", "email_event has no row for it"),
        ("events", "engagement_contact", "engagement_contact has no row for it"),
    }
    # Counted by hand in the column `type`: 90 OPEN, 4 SENT, 3 DELIVERED, 3 PROCESSED.
    assert Counter(r["type"] for r in rows(done, "events")) == {
        "email_opened": 90,
        "email_sent": 4,
        "email_delivered": 3,
        "email_processed": 3,
        "form_submit": 5,
        "list_joined": 100,
        "call": 1,
    }


def test_every_row_of_salesforces_connector_is_accounted_for(ingest, tmp_path):
    shutil.copytree(RAW / "salesforce", tmp_path / "salesforce")
    done = ingest(exports=[{"system": "salesforce", "folder": "salesforce"}])
    went = where_rows_went(done)
    assert went["sf_lead", "leads"] == (1, 0, 1, 0, 0, 0)
    assert went["sf_contact", "leads"] == (4, 0, 4, 0, 0, 0)
    assert went["sf_task", "events"] == (10, 0, 10, 0, 0, 0)
    assert went["sf_event", "events"] == (10, 0, 10, 0, 0, 0)
    # All ten opportunities are deleted ones.
    assert went["sf_opportunity", "stages"] == (10, 10, 0, 0, 20, 0)
    assert went["sf_opportunity_history", "stages"] == (10, 0, 0, 0, 10, 0)
    (lead,) = [r for r in rows(done, "leads") if r["lead_id"].startswith("00Q")]
    assert (lead["lead_id"], lead["industry"]) == (
        "00Q1G00000nDnM5UAK",
        "Internet Software & Services",
    )
    assert [r["stage"] for r in rows(done, "stages") if r["lead_id"] == lead["lead_id"]] == [
        "lead",
        "sql",
    ]
    # An account that no contact belongs to.
    assert {r["reason"] for r in rows(done, "quarantine")} == {"contact has no row for it"}
