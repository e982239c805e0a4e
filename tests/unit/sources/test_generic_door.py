import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mqlml.errors import ConfigError, DataError, MissingExtraError, SchemaError
from mqlml.sources.generic import read_sources, source_files
from mqlml.sources.settings import SourceSettings

LEADS = {"file": "leads.csv", "columns": {"created_at": "created_at"}}
EVENTS = [{"file": "events.csv"}]
HEAD = "event_id,lead_id,occurred_at,type\n"


def events(*rows, head=HEAD):
    return {"events.csv": head + "".join(f"{row}\n" for row in rows)}


# --- rows and where they go -------------------------------------------------------------------


def test_a_whole_file_is_kept_and_tables_without_a_source_are_empty(read):
    done = read({})
    assert done.count("leads") == (2, 2, 0, 0, 0)
    assert done.column("leads", "lead_id") == ["a", "b"]
    assert done.column("leads", "created_at") == [
        "2024-01-01T00:00:00+00:00",
        "2024-01-02T00:00:00+00:00",
    ]
    assert [done.rows(t) for t in ("events", "stages", "verdicts", "quarantine")] == [[]] * 4


def test_equal_rows_with_one_key_are_duplicates(read):
    row = "1,a,2024-01-01T00:00Z,open"
    done = read(events(row, row, row), events=EVENTS)
    assert done.count("events") == (3, 1, 2, 0, 0)


def test_of_conflicting_rows_with_one_key_the_first_is_kept(read):
    rows = ("1,a,2024-01-01T00:00Z,open", "1,a,2024-01-01T00:00Z,click")
    done = read(events(*rows), events=EVENTS)
    assert done.count("events") == (2, 1, 0, 1, 0)
    assert done.column("events", "type") == ["open"]
    (bad,) = done.rows("quarantine")
    assert (bad["file"], bad["line"], bad["column"]) == ("events.csv", 3, "event_id")
    assert bad["reason"] == "another row with the same event_id came first and says otherwise"
    assert '"type":"click"' in bad["raw"]


def test_rows_of_the_first_file_come_first(read):
    files = {
        "e1.csv": HEAD + "1,a,2024-01-01T00:00Z,open\n",
        "e2.csv": HEAD + "1,a,2024-01-01T00:00Z,click\n2,a,2024-01-01T00:00Z,click\n",
    }
    done = read(files, events=[{"file": "e?.csv"}])
    assert done.column("events", "type") == ["open", "click"]
    assert [c.file for c in done.ingested.counts if c.table == "events"] == ["e1.csv", "e2.csv"]


def test_a_filter_takes_rows_out_and_counts_them(read):
    rows = ("1,a,2024-01-01T00:00Z,open", "2,a,not a time,bounce", "3,a,,bounce")
    done = read(events(*rows), events=[{"file": "events.csv", "where": "type <> 'bounce'"}])
    assert done.count("events") == (3, 1, 0, 0, 2)


def test_a_row_on_which_the_filter_is_null_is_filtered(read):
    done = read(
        events(
            "1,a,2024-01-01T00:00Z,open,", "2,a,2024-01-01T00:00Z,open,x", head=HEAD[:-1] + ",t\n"
        ),
        events=[{"file": "events.csv", "where": "t = 'x'"}],
    )
    assert done.count("events") == (2, 1, 0, 0, 1)


@pytest.mark.parametrize("where", ["nothing = 1", "now() > 1", "type > 5", "SELECT 1"])
def test_a_filter_that_cannot_be_used_is_a_config_error(read, where):
    with pytest.raises(ConfigError, match=r"events.where"):
        read(events("1,a,2024-01-01T00:00Z,open"), events=[{"file": "events.csv", "where": where}])


def test_ragged_rows_go_to_quarantine_whole(read):
    good = [f"{n},a,2024-01-01T00:00Z,open" for n in range(3)]
    done = read(events(*good, "9,a"), events=EVENTS)
    (bad,) = done.rows("quarantine")
    assert (bad["line"], bad["reason"]) == (5, "ragged row: 2 values where the header has 4")
    assert bad["raw"] == '"9,a"'
    assert done.count("events") == (4, 3, 0, 1, 0)


def test_a_missing_required_value_is_named(read):
    done = read(events("1,,2024-01-01T00:00Z,open", "2,a,2024-01-01T00:00Z,"), events=EVENTS)
    assert done.reasons == ["lead_id is missing", "type is missing"]
    assert done.rows("quarantine")[0]["remedy"] == "fill lead_id in the source"


def test_rows_of_unknown_leads_are_kept_and_counted(read):
    done = read(
        {
            **events("1,zz,2024-01-01T00:00Z,open"),
            "s.csv": "lead_id,stage,entered_at\nq,mql,2024-01-05\n",
        },
        events=EVENTS,
        stages=[{"file": "s.csv", "timezone": "UTC"}],
    )
    assert done.count("events") == (1, 1, 0, 0, 0)
    assert done.ingested.orphans == {"events": 1, "stages": 1}


def test_no_kept_lead_is_a_data_error(read):
    with pytest.raises(DataError, match="no lead could be kept"):
        read({"leads.csv": "lead_id,created_at\n,2024-01-01T00:00Z\n,2024-01-01T00:00Z\n"})


def test_a_lost_row_is_never_silent(read, monkeypatch):
    from mqlml.sources import generic

    real = generic.settle_repeats

    def forgetful(connection, table, key, content, **rule):
        real(connection, table, key, content, **rule)
        connection.execute(f"DELETE FROM {table}_kept")

    monkeypatch.setattr(generic, "settle_repeats", forgetful)
    with pytest.raises(AssertionError, match="rows were lost"):
        read({})


# --- names and words --------------------------------------------------------------------------


def test_columns_are_mapped_constants_fill_and_values_are_renamed(read):
    done = read(
        {"e.csv": "who,when,what\na,2024-01-01T00:00Z,EMAIL_OPEN\na,2024-01-02T00:00Z,\n"},
        events=[
            {
                "file": "e.csv",
                "columns": {"lead_id": "who", "occurred_at": "when", "type": "what"},
                "constants": {"source": "mailer", "type": "unknown"},
                "values": {"type": {"EMAIL_OPEN": "email_open"}},
            }
        ],
    )
    assert done.column("events", "type") == ["email_open", "unknown"]
    assert done.column("events", "source") == ["mailer", "mailer"]


def test_missing_words_and_spaces_are_null(read):
    done = read(
        {"leads.csv": "lead_id,created_at,x,y\na,2024-01-01T00:00Z, Select ,\u00a0n/a\n"},
        leads=[{**LEADS, "missing": ["Select", "n/a"]}],
    )
    assert (done.rows("leads")[0]["x"], done.rows("leads")[0]["y"]) == (None, None)


def test_event_ids_are_made_of_the_content(read):
    files = {
        "one.csv": "lead_id,occurred_at,type\na,2024-01-01T00:00Z,open\na,2024-01-01T00:00Z,open\n",
        "two.csv": "type,occurred_at,lead_id\nopen,2024-01-01T00:00Z,a\n",
        "three.csv": "lead_id,occurred_at\na,2024-01-01T00:00Z\n",
    }
    three = {"file": "three.csv", "constants": {"type": "open"}}
    done = read(files, events=[{"file": "one.csv"}, {"file": "two.csv"}, three])
    assert done.count("events") == (4, 2, 2, 0, 0)
    assert {len(i) for i in done.column("events", "event_id")} == {20}


def test_constants_are_part_of_the_made_event_id(read):
    one = {"file": "e.csv", "constants": {"type": "open"}}
    two = {"file": "e.csv", "constants": {"type": "click"}}
    done = read({"e.csv": "lead_id,occurred_at\na,2024-01-01T00:00Z\n"}, events=[one, two])
    assert done.count("events") == (2, 2, 0, 0, 0)


def test_an_unknown_stage_goes_to_quarantine_with_the_valid_names(read):
    text = "lead_id,stage,entered_at\na,MQL,2024-01-02\na,Hot,2024-01-03\na,won,2024-01-04\n"
    done = read(
        {"s.csv": text},
        timezone="UTC",
        stages=[{"file": "s.csv", "values": {"stage": {"won": "customer"}}}],
    )
    assert done.column("stages", "stage") == ["mql", "customer"]
    (bad,) = done.rows("quarantine")
    assert bad["reason"] == "stage is not a valid name"
    assert "opportunity, customer" in bad["remedy"]


def test_unknown_reasons_become_other_and_are_counted(read):
    text = (
        "lead_id,given_at,verdict,reason\na,2024-01-02,Rejected,No budget\n"
        "a,2024-01-03,rejected,NOT_ICP\na,2024-01-04,maybe,\na,2024-01-05,accepted,\n"
    )
    done = read({"v.csv": text}, timezone="UTC", verdicts=[{"file": "v.csv"}])
    assert done.column("verdicts", "reason") == ["other", "not_icp", None]
    assert done.column("verdicts", "verdict") == ["rejected", "rejected", "accepted"]
    assert done.reasons == ["verdict is not a valid name"]
    assert "verdicts, reason: unknown reasons, taken as 'other' (1 rows)" in done.notes


def test_a_value_mapped_to_nothing_is_missing(read):
    text = "lead_id,given_at,verdict,reason\na,2024-01-02,accepted,-\n"
    source = {"file": "v.csv", "values": {"reason": {"-": ""}}}
    done = read({"v.csv": text}, timezone="UTC", verdicts=[source])
    assert done.column("verdicts", "reason") == [None]
    assert done.notes == []


def test_all_faults_of_the_settings_are_raised_together(read):
    with pytest.raises(ConfigError) as caught:
        read(
            {},
            events=[
                {
                    "file": "e.csv",
                    "columns": {"lead": "x"},
                    "constants": {"sorce": "y"},
                    "time_format": "nonsense",
                    "timezone": "Europe/Berln",
                    "properties": {"score": "number"},
                },
                {"file": "f.csv", "delimiter": "::", "properties": {"score": "text"}},
            ],
            stages=[{"file": "s.csv", "values": {"stage": {"won": "custmer"}}}],
        )
    whats = [fault.what for fault in caught.value.faults]
    assert whats == [
        "events have no column 'lead'",
        "events have no column 'sorce'",
        "not a time format",
        "unknown time zone",
        "not a delimiter",
        "not a valid name",
        "property has another type elsewhere",
    ]
    assert "did you mean 'source'?" in str(caught.value)
    assert "did you mean 'customer'?" in str(caught.value)


def test_faults_of_all_files_are_raised_together(read):
    with pytest.raises(SchemaError) as caught:
        read(
            {"leads.csv": "id,created_at\n1,2024-01-01\n", **events("1,a,x,open")},
            leads=[{**LEADS, "columns": {"lead_id": "ld", "created_at": "created_at"}}],
            events=[{"file": "events.csv"}, {"file": "absent.csv"}],
        )
    assert [fault.what for fault in caught.value.faults] == [
        "no column 'ld'",
        "no such file",
        "most values of occurred_at are not a time",
    ]


# --- times ------------------------------------------------------------------------------------


def times(read, *values, **source):
    rows = [f'{n},a,"{value}",open' for n, value in enumerate(values)]
    zone = source.pop("zone", None)
    sources = {key: source.pop(key) for key in ("data_end", "earliest") if key in source}
    return read(events(*rows), timezone=zone, events=[{"file": "events.csv", **source}], **sources)


def test_offsets_are_resolved_to_utc(read):
    done = times(
        read,
        "2011-10-30T02:30:00+02:00",
        "2011-10-30T02:15:00+01:00",
        "2024-01-01 10:00:00.123456Z",
        "2024/1/2 3:04 +0530",
    )
    assert done.column("events", "occurred_at") == [
        "2011-10-30T00:30:00+00:00",
        "2011-10-30T01:15:00+00:00",
        "2024-01-01T10:00:00.123456+00:00",
        "2024-01-01T21:34:00+00:00",
    ]


def test_a_naive_time_needs_a_zone(read):
    with pytest.raises(ConfigError, match="times without an offset need a time zone"):
        times(read, "2024-01-01 10:00")


def test_a_naive_time_is_local_to_the_sources_zone_before_the_configs(read):
    done = times(
        read, "2024-07-01 10:00", "2024-07-01T10:00Z", zone="UTC", timezone="Europe/Berlin"
    )
    assert done.column("events", "occurred_at") == [
        "2024-07-01T08:00:00+00:00",
        "2024-07-01T10:00:00+00:00",
    ]


def test_a_local_time_that_happens_twice_is_the_first_and_is_noted(read):
    done = times(read, "2024-10-27 02:30", "2024-10-27 03:30", zone="Europe/Berlin")
    assert done.column("events", "occurred_at") == [
        "2024-10-27T00:30:00+00:00",
        "2024-10-27T02:30:00+00:00",
    ]
    assert "taken as the first (1 rows)" in done.notes[0]


def test_a_local_time_that_never_happens_goes_to_quarantine(read):
    done = times(read, "2024-03-31 02:30", "2024-03-31 03:00", zone="Europe/Berlin")
    assert done.column("events", "occurred_at") == ["2024-03-31T01:00:00+00:00"]
    assert done.reasons == ["occurred_at does not exist in Europe/Berlin: clocks go forward there"]


def test_a_day_without_midnight_begins_at_its_first_instant(read):
    done = times(read, "2017-10-15", "2017-10-16", zone="America/Sao_Paulo")
    assert done.column("events", "occurred_at") == [
        "2017-10-15T03:00:00+00:00",
        "2017-10-16T02:00:00+00:00",
    ]


def test_of_two_formats_in_one_column_the_rarer_goes_to_quarantine(read):
    done = times(read, "2024-01-01T00:00Z", "2024-01-02T00:00Z", "03/01/2024")
    assert done.count("events") == (3, 2, 0, 1, 0)
    assert done.reasons == ["occurred_at is not a time"]


def test_a_column_that_mostly_holds_no_times_is_a_schema_error(read):
    with pytest.raises(SchemaError, match="2 of 3, the first is '31/12/2023'") as caught:
        times(read, "2024-01-01T00:00Z", "31/12/2023", "30/12/2023")
    assert "time_format" in caught.value.faults[0].mend


def test_a_declared_time_format_is_used(read):
    done = times(read, "31.12.2023 18:00", time_format="%d.%m.%Y %H:%M", zone="UTC")
    assert done.column("events", "occurred_at") == ["2023-12-31T18:00:00+00:00"]
    with_zone = times(read, "31.12.2023 +0200", time_format="%d.%m.%Y %z")
    assert with_zone.column("events", "occurred_at") == ["2023-12-30T22:00:00+00:00"]


def test_a_time_format_that_fits_nothing_is_named(read):
    with pytest.raises(SchemaError, match=r"now '%d\.%m\.%Y'"):
        times(read, "2024-01-01", time_format="%d.%m.%Y", zone="UTC")


def test_epoch_times_are_read(read):
    done = times(read, "1704067200123", "1e300", time_format="epoch_ms")
    assert done.column("events", "occurred_at") == ["2024-01-01T00:00:00.123000+00:00"]


def test_times_outside_the_declared_range_go_to_quarantine(read):
    done = times(read, "1970-01-01T00:00Z", "2099-01-01T00:00Z", "2098-12-31T23:59:59Z")
    assert done.reasons == ["occurred_at lies before 1990-01-01", "occurred_at lies after 2098"]
    assert done.count("events") == (3, 1, 0, 2, 0)


def test_a_declared_data_end_is_inclusive_and_later_rows_go_to_quarantine(read):
    done = times(
        read,
        "2024-02-01T00:00:00Z",
        "2024-02-01T00:00:00.000001Z",
        data_end="2024-02-01",
        zone="UTC",
    )
    assert done.reasons == ["occurred_at lies after the data's end, 2024-02-01"]
    assert done.ingested.data_end == 1_706_745_600_000_000


def test_the_earliest_time_can_be_moved(read):
    done = times(read, "1980-01-01T00:00Z", earliest="1975-01-01")
    assert done.count("events") == (1, 1, 0, 0, 0)


def test_the_data_end_is_the_latest_time_of_any_table(read):
    head = HEAD[:-1] + ",arrived_at\n"
    done = read(events("1,a,2024-01-03T00:00Z,open,2024-01-09T00:00Z", head=head), events=EVENTS)
    assert done.ingested.data_end == 1_704_758_400_000_000  # 2024-01-09


def test_a_data_end_without_a_zone_is_a_config_error(read):
    with pytest.raises(ConfigError, match="time without a zone"):
        read({}, data_end="2024-01-01")


def test_a_data_end_that_is_no_time_is_a_config_error(read):
    with pytest.raises(ConfigError, match="not a time"):
        read({}, data_end="soon", timezone="UTC")


def test_an_unknown_default_zone_is_a_config_error(read):
    with pytest.raises(ConfigError, match="did you mean 'Europe/Berlin'"):
        read({}, timezone="Europe/Berln")


def test_an_event_arrives_when_it_occurs_unless_it_says_otherwise(read):
    head = HEAD[:-1] + ",arrived_at\n"
    done = read(
        events(
            "1,a,2024-01-01T00:00Z,open,",
            "2,a,2024-01-01T00:00Z,open,2024-01-03T00:00Z",
            "3,a,2024-01-01T00:00Z,open,soon",
            head=head,
        ),
        events=EVENTS,
    )
    assert done.column("events", "arrived_at") == [
        "2024-01-01T00:00:00+00:00",
        "2024-01-03T00:00:00+00:00",
    ]
    assert done.reasons == ["arrived_at is not a time"]


def test_a_stray_year_at_the_end_of_the_data_is_noted_unless_the_end_is_declared(read):
    sound = [f"2024-01-{day:02}T{hour:02}:00Z" for day in range(1, 29) for hour in range(24)]
    done = times(read, *sound, "2042-01-01T00:00Z")
    (note,) = done.notes
    assert "seem to end on 2042-01-01, but hardly any row lies in the year before" in note
    assert times(read, *sound, "2042-01-01T00:00Z", data_end="2050-01-01", zone="UTC").notes == []


# --- numbers and flags ------------------------------------------------------------------------


def values(read, *cells, kind="value", **source):
    rows = [f'{n},a,2024-01-01T00:00Z,open,"{cell}"' for n, cell in enumerate(cells)]
    return read(
        events(*rows, head=HEAD[:-1] + f",{kind}\n"), events=[{"file": "events.csv", **source}]
    )


def test_numbers_may_group_thousands_with_commas(read):
    done = values(read, "1,234.5", "-1,234,567", "7", "1e3", "")
    assert done.column("events", "value") == [1234.5, -1234567.0, 7.0, 1000.0, None]


def test_a_decimal_comma_is_read_when_declared(read):
    done = values(read, "1.234,5", "0,5", "1 234", "1.234", decimal=",")
    assert done.column("events", "value") == [1234.5, 0.5, 1234.0, 1234.0]


def test_what_is_no_number_goes_to_quarantine(read):
    done = values(read, "1", "2", "1,5")
    assert done.reasons == ["value is not a number"]


def test_nan_is_missing_with_a_note_and_infinity_goes_to_quarantine(read):
    done = values(read, "NaN", "inf", "1e999", "-Infinity", "1")
    assert done.column("events", "value") == [None, 1.0]
    assert done.reasons == ["value is infinite"] * 3
    assert done.notes == ["events, events.csv, value: NaN taken as missing (1 rows)"]
    assert not any(isinstance(v, float) and math.isnan(v) for v in done.column("events", "value"))


def test_a_column_that_mostly_holds_no_numbers_is_a_schema_error(read):
    with pytest.raises(SchemaError, match="most values of value are not a number") as caught:
        values(read, "0,5", "1,5")
    assert "decimal" in caught.value.faults[0].mend


def test_flags_are_read_in_any_spelling(read):
    done = values(read, "TRUE", "no", "1", "0", "", "perhaps", kind="is_bot")
    assert done.column("events", "is_bot") == [True, False, True, False, None]
    assert done.reasons == ["is_bot is not a yes or no"]


def test_a_column_that_mostly_holds_no_flags_is_a_schema_error(read):
    with pytest.raises(SchemaError, match="are not a flag"):
        values(read, "human", "robot", kind="is_bot")


def test_extra_properties_have_their_declared_types(read):
    done = values(read, "3", "4", kind="Score", properties={"Score": "number", "team": "text"})
    assert done.column("events", "Score") == [3.0, 4.0]
    assert done.column("events", "team") == [None, None]
    assert [p.name for p in done.ingested.properties] == ["Score", "team"]


# --- other formats ----------------------------------------------------------------------------


def test_ndjson_is_read_with_keys_that_differ(read):
    lines = (
        '{"event_id": 1, "lead_id": "a", "occurred_at": "2024-01-01T00:00Z", "type": "open"}\n\n'
        '{"type": "open", "lead_id": "a", "occurred_at": "2024-01-02T00:00Z", "event_id": 2,'
        ' "value": 1.50, "is_bot": true, "extra": {"ä": [1]}}\n'
        "{}\nno json\n[1]\n"
        '{"event_id": "3", "lead_id": "\\ud83d", "occurred_at": "2024-01-02T00:00Z", "type": "x"}\n'
    )
    done = read({"e.ndjson": lines}, events=[{"file": "e.ndjson", "properties": {"extra": "text"}}])
    assert done.count("events") == (6, 3, 0, 3, 0)
    assert done.column("events", "value") == [None, 1.5, None]
    assert done.column("events", "is_bot") == [None, True, None]
    assert done.column("events", "extra")[1] == '{"ä": [1]}'
    assert done.column("events", "lead_id") == ["a", "a", "?"]
    by_line = {row["line"]: row["reason"] for row in done.rows("quarantine")}
    assert by_line[4] == "event_id is missing"
    assert by_line[5].startswith("not JSON")
    assert by_line[6] == "not a JSON object"


def test_a_json_array_is_not_ndjson(read):
    with pytest.raises(SchemaError, match="one JSON object per line"):
        read({"e.json": '[\n{"a": 1},\n{"a": 2}\n]\n'}, events=[{"file": "e.json"}])


def test_a_blank_ndjson_file_is_empty(read):
    with pytest.raises(DataError, match="file is empty"):
        read({"e.jsonl": "\n\n"}, events=[{"file": "e.jsonl"}])


def test_parquet_is_read_with_its_own_types(read, tmp_path):
    table = pa.table(
        {
            "event_id": [1, 2],
            "lead_id": ["a", "b"],
            "occurred_at": pa.array(
                [1_700_000_000_000_000, 1_800_000_000_000_000],
                pa.timestamp("us", tz="Europe/Berlin"),
            ),
            "type": ["open", "open"],
            "Type": ["x", "y"],
            "value": [1.5, float("nan")],
            "is_bot": [True, None],
        }
    )
    pq.write_table(table, tmp_path / "e.parquet")
    done = read(
        {"e.parquet": (tmp_path / "e.parquet").read_bytes()}, events=[{"file": "e.parquet"}]
    )
    assert done.column("events", "event_id") == ["1", "2"]
    assert done.column("events", "occurred_at") == [
        "2023-11-14T22:13:20+00:00",
        "2027-01-15T08:00:00+00:00",
    ]
    assert done.column("events", "type") == ["open", "open"]
    assert done.column("events", "value") == [1.5, None]
    assert done.column("events", "is_bot") == [True, None]


def test_a_damaged_parquet_file_is_a_data_error(read):
    with pytest.raises(DataError, match="not a sound Parquet file"):
        read({"e.parquet": b"PAR1"}, events=[{"file": "e.parquet"}])


def test_a_format_that_the_name_does_not_tell_must_be_set(read):
    files = {"e.dat": HEAD + "1,a,2024-01-01T00:00Z,open\n"}
    with pytest.raises(ConfigError, match="format cannot be told"):
        read(files, events=[{"file": "e.dat"}])
    assert read(files, events=[{"file": "e.dat", "format": "csv"}]).count("events")[1] == 1


def test_a_postgres_table_is_read_in_the_order_of_its_text(read, postgres_url):
    import psycopg

    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE SCHEMA crm")
        connection.execute("CREATE TABLE crm.stages (lead text, at timestamptz, s text)")
        connection.execute(
            "INSERT INTO crm.stages VALUES ('b', '2024-01-02 03:00+01', 'mql'),"
            " ('a', '2024-01-02 03:00+01', 'mql'), (NULL, NULL, 'mql')"
        )
    source = {
        "postgres": {"url_env": "CRM", "table": "crm.stages"},
        "columns": {"lead_id": "lead", "stage": "s", "entered_at": "at"},
    }
    done = read({}, stages=[source], secrets={"CRM": postgres_url})
    assert done.column("stages", "lead_id") == ["a", "b"]
    assert done.column("stages", "entered_at") == ["2024-01-02T02:00:00+00:00"] * 2
    assert done.count("stages") == (3, 2, 0, 1, 0)
    wrong = {**source, "postgres": {"url_env": "CRM", "table": "crm.stagess"}}
    with pytest.raises(DataError, match="table cannot be read"):
        read({}, stages=[wrong], secrets={"CRM": postgres_url})


def test_a_postgres_source_without_its_url_is_a_config_error(read):
    with pytest.raises(ConfigError, match="environment variable CRM is not set"):
        read({}, stages=[{"postgres": {"url_env": "CRM", "table": "t"}}])


def test_a_postgres_source_without_psycopg_says_what_to_install(read, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'mqlml\[postgres\]'"):
        read(
            {},
            stages=[{"postgres": {"url_env": "CRM", "table": "t"}}],
            secrets={"CRM": "postgresql://x"},
        )


# --- files ------------------------------------------------------------------------------------


def test_a_missing_file_a_pattern_without_match_and_a_folder_are_named_together(read):
    with pytest.raises(DataError) as caught:
        read(
            {"sub/x.csv": "a\n1\n"},
            events=[{"file": "absent.csv"}, {"file": "no-*.csv"}, {"file": "sub"}],
        )
    assert [fault.what for fault in caught.value.faults] == [
        "no such file",
        "no file matches",
        "is a folder, not a file",
    ]


def test_a_header_without_rows_is_an_error_for_events_and_fine_for_verdicts(read):
    with pytest.raises(DataError, match="file has a header and no rows"):
        read({"events.csv": HEAD}, events=EVENTS)
    head = "lead_id,given_at,verdict\n"
    assert read({"v.csv": head}, verdicts=[{"file": "v.csv"}]).count("verdicts") == (0,) * 5


def test_one_file_may_feed_two_tables(read):
    text = "lead_id,at,what\na,2024-01-02T00:00Z,OPEN\na,2024-01-03T00:00Z,WON\n"
    done = read(
        {"log.csv": text},
        events=[{"file": "log.csv", "columns": {"occurred_at": "at", "type": "what"}}],
        stages=[
            {
                "file": "log.csv",
                "columns": {"entered_at": "at", "stage": "what"},
                "where": "what = 'WON'",
                "values": {"stage": {"WON": "customer"}},
            }
        ],
    )
    assert done.column("events", "type") == ["OPEN", "WON"]
    assert done.column("stages", "stage") == ["customer"]
    assert done.count("stages") == (2, 1, 0, 0, 1)


def test_source_files_are_listed_once_and_databases_have_none(tmp_path):
    for name in ("b.csv", "a.csv"):
        (tmp_path / name).write_text("x\n1\n")
    settings = {"leads": [{"file": "b.csv", "order": "file"}], "events": [{"file": "*.csv"}]}
    chosen = SourceSettings.model_validate(settings)
    assert source_files(chosen, tmp_path) == (tmp_path / "a.csv", tmp_path / "b.csv")
    database = {"postgres": {"url_env": "X", "table": "t"}}
    with_database = SourceSettings.model_validate({**settings, "stages": [database]})
    assert source_files(with_database, tmp_path) is None
    absent = SourceSettings.model_validate({**settings, "stages": [{"file": "absent.csv"}]})
    with pytest.raises(DataError, match="no such file"):
        source_files(absent, tmp_path)


def test_a_work_folder_that_cannot_be_written_is_a_data_error(tmp_path):
    (tmp_path / "leads.csv").write_text("lead_id,created_at\na,2024-01-01T00:00Z\n")
    (tmp_path / "file").write_text("")
    settings = SourceSettings.model_validate(
        {"leads": [{"file": "leads.csv", "columns": {"created_at": "created_at"}}]}
    )
    with pytest.raises(DataError, match="rows cannot be stored"):
        read_sources(settings, tmp_path, timezone=None, workdir=tmp_path / "file" / "work")


def test_nothing_but_the_checked_tables_stays_in_the_work_folder(read, tmp_path):
    read({})
    assert [p.name for p in (tmp_path / "work").iterdir()] == ["checked"]


def test_aliases_are_read_and_a_link_may_end(read):
    text = (
        "alias,lead_id,known_at,ended_at\n"
        "email:a@x.org,a,2024-01-03T00:00:00Z,\n"
        "ga4:1.2,email:a@x.org,2024-01-04T00:00:00Z,2024-02-01T00:00:00Z\n"
        "ga4:1.3,,2024-01-04T00:00:00Z,\n"
    )
    got = read({"aliases.csv": text}, aliases=[{"file": "aliases.csv"}])
    assert got.count("aliases") == (3, 2, 0, 1, 0)
    assert got.column("aliases", "ended_at") == [None, "2024-02-01T00:00:00+00:00"]
    assert got.reasons == ["lead_id is missing"]


def test_the_end_of_a_link_says_nothing_of_the_end_of_the_data(read):
    text = "alias,lead_id,known_at,ended_at\nx:1,a,2024-01-03T00:00:00Z,2030-01-01T00:00:00Z\n"
    got = read({"aliases.csv": text}, aliases=[{"file": "aliases.csv"}])
    assert got.ingested.data_end == 1_704_240_000_000_000  # 2024-01-03
