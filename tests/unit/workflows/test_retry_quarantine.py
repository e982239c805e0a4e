"""Quarantined rows after a mapping fix: read again alone, balanced, equal to a full ingest."""

import pandas as pd
import pytest

from mqlml.errors import DataError, UsageError
from mqlml.storage.snapshot import read_quarantine, read_tables
from mqlml.workflows.ingest import current_tables, ingest, retry_quarantine
from mqlml.workflows.project import open_project

CONFIG = """\
name: ours
timezone: UTC
sources:
  leads: {file: leads.csv, columns: {lead_id: id, created_at: at}}
  events: {file: events.ndjson, columns: {event_id: id, lead_id: lead, occurred_at: at, type: type}}
  stages: {file: stages.csv, columns: {lead_id: id, entered_at: at}}
target: {stage: customer, horizon_days: 30}
"""
FIXED = CONFIG.replace("entered_at: at}}", "entered_at: at}, values: {stage: {SQLified: sql}}}")
LEADS = "id,at,size,code\na,2025-01-01,10,007\nb,2025-01-02,2.5,7\n,2025-01-03,3,1\n"
STAGES = (
    "id,at,stage\na,2025-01-05,mql\na,2025-01-06,SQLified\nb,2025-01-06,SQLified\nb,later,mql\n"
)
EVENTS = """\
{"id": 1, "lead": "a", "at": "2025-01-02", "type": "open"}
{"id": 2, "lead"
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "leads.csv").write_text(LEADS, encoding="utf-8")
    (tmp_path / "events.ndjson").write_text(EVENTS, encoding="utf-8")
    (tmp_path / "stages.csv").write_text(STAGES, encoding="utf-8")
    return opened(tmp_path, CONFIG)


def opened(folder, text, workspace="w"):
    (folder / "our.yaml").write_text(text, encoding="utf-8")
    return open_project(folder / "our.yaml", workspace=folder / workspace)


def silent(_text):
    """Take a step's progress."""


def account(result):
    return {c.table: (c.rows, c.kept, c.duplicates, c.quarantined) for c in result.counts}


def test_rows_that_the_mended_mapping_reads_leave_the_quarantine(project, tmp_path):
    assert account(ingest(project, say=silent))["stages"] == (4, 1, 0, 3)
    again = retry_quarantine(opened(tmp_path, FIXED), say=silent)
    assert account(again) == {
        "leads": (3, 2, 0, 1),
        "events": (2, 1, 0, 1),
        "stages": (4, 3, 0, 1),
    }
    refused = read_quarantine(tmp_path / "w")
    assert list(zip(refused["file"], refused["line"], refused["column"], strict=True)) == [
        ("events.ndjson", 2, ""),
        ("leads.csv", 4, "lead_id"),
        ("stages.csv", 5, "entered_at"),
    ]


def test_the_tables_are_those_of_a_full_ingest_with_the_mended_mapping(project, tmp_path):
    ingest(project, say=silent)
    again = retry_quarantine(opened(tmp_path, FIXED), say=silent)
    full = ingest(opened(tmp_path, FIXED, "fresh"), say=silent)
    assert again.snapshot == full.snapshot
    assert again.counts == full.counts
    pd.testing.assert_frame_equal(
        read_quarantine(tmp_path / "w"), read_quarantine(tmp_path / "fresh")
    )


def test_training_uses_what_was_retried_without_reading_the_sources_again(project, tmp_path):
    ingest(project, say=silent)
    fixed = opened(tmp_path, FIXED)
    again = retry_quarantine(fixed, say=silent)
    said = []
    assert current_tables(fixed, say=said.append).digest == again.snapshot
    assert said == []


def test_sources_that_changed_meanwhile_are_read_by_the_next_step(project, tmp_path):
    ingest(project, say=silent)
    (tmp_path / "stages.csv").write_text(STAGES + "b,2025-01-07,opportunity\n", encoding="utf-8")
    fixed = opened(tmp_path, FIXED)
    assert account(retry_quarantine(fixed, say=silent))["stages"][0] == 4
    assert len(current_tables(fixed, say=silent).stages) == 4


def test_a_row_that_repeats_a_kept_one_is_a_duplicate_or_stays_refused(project, tmp_path):
    text = STAGES + "a,2025-01-05,MQL!\n"  # the same once MQL! means mql
    (tmp_path / "stages.csv").write_text(text, encoding="utf-8")
    ingest(project, say=silent)
    fixed = FIXED.replace("SQLified: sql", "SQLified: sql, MQL!: mql")
    assert account(retry_quarantine(opened(tmp_path, fixed), say=silent))["stages"] == (5, 3, 1, 1)


def test_rows_of_a_source_that_is_gone_from_the_config_stay(project, tmp_path):
    ingest(project, say=silent)
    gone = "\n".join(line for line in CONFIG.splitlines() if "stages.csv" not in line) + "\n"
    again = retry_quarantine(opened(tmp_path, gone), say=silent)
    assert account(again)["stages"] == (4, 1, 0, 3)
    assert len(read_tables(tmp_path / "w").stages) == 1
    assert sum(read_quarantine(tmp_path / "w")["table"] == "stages") == 3


def test_a_second_retry_changes_nothing(project, tmp_path):
    ingest(project, say=silent)
    fixed = opened(tmp_path, FIXED)
    first = retry_quarantine(fixed, say=silent)
    assert retry_quarantine(fixed, say=silent) == first


def test_leads_known_by_their_row_stay_in_the_quarantine(project, tmp_path):
    text = CONFIG.replace(
        "columns: {lead_id: id, created_at: at}}", "columns: {created_at: at}}", 1
    )
    (tmp_path / "leads.csv").write_text("at,size\n2025-01-01,1\nlater,2\n2025-01-02,2\n", "utf-8")
    (tmp_path / "stages.csv").write_text("id,at,stage\n1,2025-01-05,mql\n", encoding="utf-8")
    numbered = opened(tmp_path, text)
    assert account(ingest(numbered, say=silent))["leads"] == (3, 2, 0, 1)
    fixed = opened(
        tmp_path, text.replace("{created_at: at}}", "{created_at: at}, missing: [later]}")
    )
    assert account(retry_quarantine(fixed, say=silent))["leads"] == (3, 2, 0, 1)


def test_an_order_in_place_of_time_needs_all_rows(tmp_path):
    (tmp_path / "leads.csv").write_text("id,won\na,yes\nb,maybe\nc,no\n", encoding="utf-8")
    text = """\
name: ours
sources:
  leads:
    file: leads.csv
    order: file
    columns: {lead_id: id}
    outcome: {column: won, positive: ['yes'], negative: ['no']}
target: {stage: outcome}
"""
    project = opened(tmp_path, text)
    ingest(project, say=silent)
    with pytest.raises(DataError, match="an order in place of time needs all rows"):
        retry_quarantine(project, say=silent)


def test_a_retry_before_the_first_ingest_says_what_to_do(project):
    with pytest.raises(DataError, match="no tables in this workspace"):
        retry_quarantine(project, say=silent)


def test_full_and_retry_contradict_each_other(project, tmp_path):
    from mqlml.cli.prepare import ingest as command

    with pytest.raises(UsageError, match="--full reads everything"):
        command(tmp_path / "our.yaml", full=True, retry=True)


EXPORT = """\
name: ours
timezone: UTC
sources:
  leads: {file: leads.csv, columns: {lead_id: id, created_at: at}}
  exports: [{system: hubspot, folder: hs}]
target: {stage: customer, horizon_days: 30}
"""


def test_rows_whose_partner_was_missing_are_joined_with_it_then(project, tmp_path):
    (tmp_path / "hs").mkdir()
    stages = "deal_id,value,date_entered\n1,closedwon,2025-01-05\n1,odd,2025-01-04\n"
    (tmp_path / "hs" / "deal_stage.csv").write_text(stages, encoding="utf-8")
    assert account(ingest(opened(tmp_path, EXPORT), say=silent))["stages"] == (2, 0, 0, 2)
    partner = tmp_path / "hs" / "deal_contact.csv"
    partner.write_text("deal_id,contact_id\n1,a\n1,b\n", encoding="utf-8")
    # Each row becomes two; the odd one's are refused still, now for their stage.
    again = retry_quarantine(opened(tmp_path, EXPORT), say=silent)
    (count,) = [one for one in again.counts if one.table == "stages"]
    assert (count.rows, count.made, count.kept, count.quarantined) == (2, 2, 2, 2)
    told = EXPORT.replace("folder: hs", "folder: hs, stages: {odd: opportunity}")
    last = retry_quarantine(opened(tmp_path, told), say=silent)
    (count,) = [one for one in last.counts if one.table == "stages"]
    assert (count.rows, count.made, count.kept, count.quarantined) == (2, 2, 4, 0)
    full = ingest(opened(tmp_path, told, "fresh"), say=silent)
    assert last.snapshot == full.snapshot
