"""What vendors really send: each is kept, quarantined with its reason, or an error in words."""

import csv
import json

import pytest

from mqlml.errors import SchemaError

HEAD = "event_id,lead_id,occurred_at,type\n"
ROW = "{},a,2024-02-01T00:00:00Z,open\n"
SOUND = "".join(ROW.format(n) for n in range(10))
EVENTS = [{"file": "e*.csv"}]


def test_the_header_of_another_export_in_the_middle_costs_its_own_row_only(read):
    other = "id,person,when,kind\n"
    done = read({"e.csv": HEAD + SOUND + other + ROW.format(11)}, events=EVENTS)
    assert done.count("events") == (12, 11, 0, 1, 0)
    assert done.reasons == ["occurred_at is not a time"]


def test_lines_of_another_width_are_quarantined_whole(read):
    done = read({"e.csv": HEAD + SOUND + "12,a,b,2024-02-01,open,7\n"}, events=EVENTS)
    assert done.count("events") == (11, 10, 0, 1, 0)
    assert json.loads(done.rows("quarantine")[0]["raw"]) == "12,a,b,2024-02-01,open,7"


def test_columns_in_another_order_change_nothing(read):
    first = read({"e.csv": HEAD + SOUND}, events=EVENTS).rows("events")
    rows = list(csv.reader((HEAD + SOUND).splitlines()))
    turned = "\n".join(",".join(reversed(row)) for row in rows) + "\n"
    assert read({"e.csv": turned}, events=EVENTS).rows("events") == first


@pytest.mark.parametrize(
    ("unit", "good", "bad", "reason"),
    [
        ("epoch_s", "1706745600", "1706745600000", "occurred_at lies after 2098"),
        ("epoch_ms", "1706745600000", "1706745600", "occurred_at lies before 1990-01-01"),
    ],
)
def test_seconds_beside_milliseconds_are_refused_under_either_unit(read, unit, good, bad, reason):
    rows = "".join(f"{n},a,{good},open\n" for n in range(5)) + f"9,a,{bad},open\n"
    done = read({"e.csv": HEAD + rows}, events=[{"file": "e.csv", "time_format": unit}])
    assert done.count("events") == (6, 5, 0, 1, 0)
    assert set(done.column("events", "occurred_at")) == {"2024-02-01T00:00:00+00:00"}
    assert done.reasons == [reason]


def test_seconds_since_1970_are_no_times_unless_declared(read):
    with pytest.raises(SchemaError, match="most values of occurred_at are not a time"):
        read({"e.csv": HEAD + "1,a,1706745600,open\n"}, events=EVENTS)


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "@SUM(1+1)", "+1-800", "-2+3", "=1+1"])
def test_a_formula_is_a_text_like_any_other(read, text):
    body = f'1,a,2024-02-01T00:00:00Z,"{text}"\n'
    assert read({"e.csv": HEAD + body}, events=EVENTS).column("events", "type") == [text]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_one_field_of_fifty_megabytes_is_kept_or_quarantined_whole(read, kind):
    text = "x" * 50_000_000
    row = {"event_id": "b", "lead_id": "a", "occurred_at": "2024-02-01T00:00:00Z", "type": text}
    plain = row | {"event_id": "c", "type": "open"}
    lines = [json.dumps(row), json.dumps(plain)]
    body = HEAD + SOUND + ",".join(row.values()) + "\n" + ",".join(plain.values()) + "\n"
    name = f"e.{kind}"
    files = {name: "\n".join(lines) if kind == "ndjson" else body}
    done = read(files, events=[{"file": name}])
    rows, kept, _, quarantined, _ = done.count("events")
    assert kept + quarantined == rows
    whole = done.column("events", "type") + done.column("quarantine", "raw")
    assert sum(text.count("x" * 50_000_000) for text in whole) == 1


def test_json_nested_ten_thousand_deep_is_a_row_or_quarantined(read):
    deep = '{"event_id": 2, "lead_id": "a", "occurred_at": "2024-02-01T00:00:00Z", "type": %s}'
    sound = deep % '"open"'
    nested = deep % ("[" * 10_000 + "]" * 10_000)
    files = {
        "e.ndjson": "\n".join([sound.replace("2,", f"{n}0,", 1) for n in range(1, 4)] + [nested])
    }
    rows, kept, _, quarantined, _ = read(files, events=[{"file": "e.ndjson"}]).count("events")
    assert rows == 4
    assert (kept, quarantined) in {(4, 0), (3, 1)}


@pytest.mark.slow
def test_a_million_distinct_event_types_are_kept(read):
    rows = "".join(f"{n},a,2024-02-01T00:00:00Z,t{n}\n" for n in range(1_000_000))
    done = read({"e.csv": HEAD + rows}, events=EVENTS)
    assert done.count("events") == (1_000_000, 1_000_000, 0, 0, 0)
    assert len(done.notes) < 30


def test_an_export_delivered_twice_counts_once(read):
    done = read({"e1.csv": HEAD + SOUND, "e2.csv": HEAD + SOUND}, events=EVENTS)
    assert done.count("events") == (20, 10, 10, 0, 0)


CORRECTED = "1,a,2024-02-01T00:00:00Z,click\n"


def test_a_correction_without_a_word_in_the_config_is_quarantined(read):
    done = read({"e1.csv": HEAD + ROW.format(1), "e2.csv": HEAD + CORRECTED}, events=EVENTS)
    assert done.count("events") == (2, 1, 0, 1, 0)
    assert done.column("events", "type") == ["open"]


def test_of_corrected_rows_the_one_in_the_last_file_counts_when_declared(read):
    files = {"e1.csv": HEAD + SOUND, "e2.csv": HEAD + CORRECTED}
    done = read(files, events=[{"file": "e*.csv", "newest_by": "file"}])
    assert done.count("events") == (11, 10, 1, 0, 0)
    kinds = dict(zip(done.column("events", "event_id"), done.column("events", "type"), strict=True))
    assert (kinds["1"], kinds["2"]) == ("click", "open")


@pytest.mark.parametrize(
    ("old", "new"), [("2024-02-02T10:00:00Z", "2024-02-02T10:00:00.5Z"), ("9", "10")]
)
def test_of_corrected_rows_the_newest_by_a_column_counts_wherever_it_stands(read, old, new):
    head = HEAD.replace("\n", ",changed\n")
    newer = CORRECTED.replace("\n", f",{new}\n")
    older = ROW.format(1).replace("\n", f",{old}\n")
    unknown = ROW.format(1).replace("open", "lost").replace("\n", ",\n")
    done = read(
        {"e.csv": head + newer + older + unknown},
        events=[{"file": "e.csv", "newest_by": "changed"}],
    )
    assert done.column("events", "type") == ["click"]
    assert done.count("events") == (3, 1, 1, 1, 0)


def test_a_column_to_tell_the_newest_by_must_be_there(read):
    with pytest.raises(SchemaError, match="no column 'changed'"):
        read({"e.csv": HEAD + SOUND}, events=[{"file": "e.csv", "newest_by": "changed"}])
