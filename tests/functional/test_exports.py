"""Exports in a config, as `mqlml ingest` reads them."""

import json

CONFIG = """\
name: small
sources:
  leads: {file: leads.csv, columns: {created_at: created_at}}
  exports: {system: ga4, folder: web}
target: {stage: customer, horizon_days: 30}
"""


def write(folder, config=CONFIG):
    (folder / "leads.csv").write_text("lead_id,created_at\na,2024-01-01T00:00Z\n")
    (folder / "web").mkdir()
    rows = [
        {"event_timestamp": "1714564800000000", "event_name": "page_view", "user_id": "a"},
        {"event_timestamp": "1714564800000001", "event_name": "scroll", "user_id": "a"},
        {"event_timestamp": "1714564800000002", "event_name": "page_view"},
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "web" / "events_20240501.json").write_text(text)
    (folder / "c.yaml").write_text(config)
    return ("--config", folder / "c.yaml", "--workspace", folder / "w")


def test_ingest_reads_the_files_of_an_export_and_says_what_became_of_them(mqlml, tmp_path):
    answer = mqlml("ingest", *write(tmp_path), "--json")
    assert answer.code == 0
    (web,) = [f for f in answer.document["files"] if f["table"] == "events"]
    assert (web["file"], web["rows"]) == ("web/events_20240501.json", 3)
    assert (web["kept"], web["duplicates"], web["quarantined"]) == (2, 0, 1)
    assert (
        "events, ga4, type: 'scroll' is no canonical event type, kept under its own name (1 rows)"
        in answer.document["notes"]
    )


def test_a_misspelt_system_is_a_fault_of_the_config_with_its_line(mqlml, tmp_path):
    words = write(tmp_path, CONFIG.replace("system: ga4", "system: ga"))
    answer = mqlml("ingest", *words)
    assert answer.code == 3
    assert f"{tmp_path / 'c.yaml'}:4: sources.exports.0.system: unknown system" in answer.err
    assert "did you mean 'ga4'?" in answer.err
