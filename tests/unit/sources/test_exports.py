"""Folders of exports among the sources: which files are read, and what is wrong in words."""

import pytest

from mqlml.errors import ConfigError, DataError, SchemaError
from mqlml.sources.generic import source_files
from mqlml.sources.settings import SourceSettings

ROW = '{"event_timestamp": "1714564800000000", "event_name": "page_view", "user_id": "a"}\n'
GA4 = {"system": "ga4", "folder": "web"}


def test_exports_stand_beside_sources_written_by_hand(read):
    files = {
        "web/events.json": ROW,
        "own.csv": "event_id,lead_id,occurred_at,type\n1,b,2024-05-01T00:00Z,scroll\n",
    }
    done = read(files, events=[{"file": "own.csv"}], exports=[GA4])
    assert done.column("events", "lead_id") == ["b", "a"]
    assert [c.file for c in done.ingested.counts if c.table == "events"] == [
        "own.csv",
        "web/events.json",
    ]
    # Types of one's own sources are one's own: nothing is said of them.
    assert not any("canonical" in note for note in done.notes)


def test_files_without_a_use_are_named_and_hidden_ones_are_not(read):
    files = {"web/deep/events.json": ROW, "web/notes.txt": "x", "web/a.csv": "x\n1\n"}
    done = read({**files, "web/.hidden.json": "x"}, exports=[GA4])
    assert "web: not read, nothing that mqlml uses: a.csv, notes.txt" in done.notes
    assert done.count("events") == (1, 1, 0, 0, 0)


def test_the_files_of_an_export_are_among_the_files_that_are_read(tmp_path):
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "events.json").write_text(ROW)
    (tmp_path / "leads.csv").write_text("lead_id,created_at\n")
    settings = SourceSettings.model_validate(
        {
            "leads": [{"file": "leads.csv", "columns": {"created_at": "created_at"}}],
            "exports": [GA4],
        }
    )
    assert source_files(settings, tmp_path) == (
        tmp_path / "leads.csv",
        tmp_path / "web" / "events.json",
    )


def test_what_is_wrong_with_exports_is_said_all_at_once(read):
    exports = [
        {"system": "ga5", "folder": "web"},
        {**GA4, "lead_id": "params."},
        {**GA4, "timezone": "Europe/Berlim"},
    ]
    with pytest.raises(ConfigError) as raised:
        read({}, exports=exports)
    assert [(f.what, f.where, f.found) for f in raised.value.faults] == [
        ("unknown system", "sources.exports.0.system", "'ga5'"),
        ("not a column of the export", "sources.exports.1.lead_id", "params."),
        ("unknown time zone", "sources.exports.2.timezone", "'Europe/Berlim'"),
    ]
    assert "ga4" in raised.value.faults[0].mend


def test_folders_that_are_missing_or_hold_nothing_of_the_system_are_named_together(read):
    exports = [{**GA4, "folder": "none"}, {**GA4, "folder": "empty"}]
    with pytest.raises(DataError) as raised:
        read({"empty/x.csv": "a\n1\n"}, exports=exports)
    assert [(f.what, f.where) for f in raised.value.faults] == [
        ("no such folder", "none"),
        ("no file of an export of ga4", "empty"),
    ]


def test_a_column_that_every_export_has_is_missed_by_name(read):
    with pytest.raises(SchemaError, match="event_timestamp"):
        read({"web/e.json": '{"event_name": "x", "time": "1"}\n'}, exports=[GA4])


def test_without_leads_there_is_nothing_to_do():
    with pytest.raises(ValueError, match="give 'leads', or 'exports' that hold them"):
        SourceSettings.model_validate({"events": [{"file": "e.csv"}]})


def test_exports_without_people_need_leads(tmp_path):
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "events.json").write_text(ROW)
    settings = SourceSettings.model_validate({"exports": [GA4]})
    with pytest.raises(ConfigError, match="no export holds leads"):
        source_files(settings, tmp_path)


def test_an_order_in_place_of_time_does_not_go_with_an_exports_events(tmp_path):
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "events.json").write_text(ROW)
    settings = SourceSettings.model_validate(
        {"leads": [{"file": "leads.csv", "order": "file"}], "exports": [GA4]}
    )
    with pytest.raises(ConfigError, match="an order cannot be compared with times"):
        source_files(settings, tmp_path)
