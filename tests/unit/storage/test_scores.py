import csv
import io

import pandas as pd
import pytest
from tests.builders import write_scores

from mqlml.errors import DataError
from mqlml.storage.scores import check_scores, last_scores, read_scores

WEEK = 7 * 86_400_000_000


def scores(as_of, **score_of):
    return pd.DataFrame(
        {
            "lead_id": list(score_of),
            "as_of": pd.to_datetime([as_of] * len(score_of), unit="us", utc=True).as_unit("us"),
            "score": [float(s) for s in score_of.values()],
        }
    )


def test_each_lead_keeps_its_latest_score(tmp_path):
    first = write_scores(tmp_path, scores(WEEK, a=10, b=20), as_of=WEEK, name="m")
    second = write_scores(tmp_path, scores(2 * WEEK, a=15), as_of=2 * WEEK, name="m")
    last = last_scores([first, second])
    assert dict(zip(last["lead_id"], last["score"], strict=True)) == {"a": 15.0, "b": 20.0}
    assert list(last_scores([first], columns=["lead_id"]).columns) == ["lead_id"]


def test_a_run_at_the_moment_itself_is_not_seen(tmp_path):
    write_scores(tmp_path, scores(WEEK, a=10), as_of=WEEK, name="m")
    assert read_scores(tmp_path, before=WEEK).empty


def test_other_scores_of_the_moment_move_aside_and_an_older_csv_follows(tmp_path):
    path = write_scores(tmp_path, scores(WEEK, a=10), as_of=WEEK, name="m", format="csv")
    before = path.with_suffix(".parquet").read_bytes()
    record = write_scores(tmp_path, scores(WEEK, a=12), as_of=WEEK, name="m")
    assert path.read_text().endswith("12.0\n")
    (superseded,) = (tmp_path / "superseded").iterdir()
    assert superseded.read_bytes() == before != record.read_bytes()
    assert read_scores(tmp_path)["score"].tolist() == [12.0]


def test_all_scores_are_read_oldest_run_first(tmp_path):
    write_scores(tmp_path, scores(2 * WEEK, a=15), as_of=2 * WEEK, name="m")
    write_scores(tmp_path, scores(WEEK, a=10), as_of=WEEK, name="m")
    assert read_scores(tmp_path)["score"].tolist() == [10.0, 15.0]
    assert list(read_scores(tmp_path, columns=["lead_id"]).columns) == ["lead_id"]


def test_scores_of_some_leads_lie_beside_those_of_all_and_are_no_record(tmp_path):
    whole = write_scores(tmp_path, scores(WEEK, a=10, b=20), as_of=WEEK, name="m")
    part = write_scores(tmp_path, scores(WEEK, a=10), as_of=WEEK, name="m", part="leads-1")
    assert part.name == "m-19700108T000000Z-leads-1.parquet"
    assert len(pd.read_parquet(whole)) == 2
    assert len(pd.read_parquet(part)) == 1
    assert read_scores(tmp_path)["lead_id"].tolist() == ["a", "b"]


def test_no_scores_yet_is_an_empty_frame(tmp_path):
    assert read_scores(tmp_path / "none").empty
    assert last_scores([]) is None


def test_the_same_scores_give_the_same_bytes_and_replace_the_file(tmp_path):
    first = write_scores(tmp_path, scores(WEEK, a=10), as_of=WEEK, name="m")
    data = first.read_bytes()
    assert write_scores(tmp_path, scores(WEEK, a=10), as_of=WEEK, name="m") == first
    assert first.read_bytes() == data
    assert [p.name for p in tmp_path.iterdir()] == ["m-19700108T000000Z.parquet"]


def test_a_name_with_a_slash_stays_one_file(tmp_path):
    path = write_scores(tmp_path, scores(WEEK, a=10), as_of=WEEK, name="a/b")
    assert path.name == "a%2Fb-19700108T000000Z.parquet"
    assert len(read_scores(tmp_path)) == 1


def test_csv_is_written_beside_the_record(tmp_path):
    path = write_scores(tmp_path, scores(WEEK, a=10), as_of=WEEK, name="m", format="csv")
    assert path.read_text() == "lead_id,as_of,score\na,1970-01-08T00:00:00Z,10.0\n"
    assert len(read_scores(tmp_path)) == 1


def test_text_that_a_spreadsheet_would_run_is_made_harmless(tmp_path):
    frame = pd.DataFrame(
        {
            "lead_id": ["=1+1", "+1", "-1", "@sum", "\tx", "\rx", "a=b", None],
            "score": [-1.0] * 8,
        }
    )
    path = write_scores(tmp_path, frame, as_of=WEEK, name="m", format="csv")
    with io.StringIO(path.read_bytes().decode(), newline="") as text:
        rows = list(csv.DictReader(text))
    assert [row["lead_id"] for row in rows] == [
        "'=1+1",
        "'+1",
        "'-1",
        "'@sum",
        "'\tx",
        "'\nx",
        "a=b",
        "",
    ]
    assert {row["score"] for row in rows} == {"-1.0"}
    assert read_scores(tmp_path)["lead_id"].tolist()[:3] == ["=1+1", "+1", "-1"]


def test_a_file_of_another_make_is_left_alone(tmp_path):
    (tmp_path / "mine.parquet").write_text("x")
    assert read_scores(tmp_path).empty


def test_a_broken_score_file_is_named(tmp_path):
    path = write_scores(tmp_path, scores(WEEK, a=10), as_of=WEEK, name="m")
    assert check_scores(tmp_path) == 1
    path.write_bytes(b"PAR1")
    with pytest.raises(DataError, match="m-19700108T000000Z"):
        read_scores(tmp_path)
    with pytest.raises(DataError, match="m-19700108T000000Z"):
        check_scores(tmp_path)
