from dataclasses import replace

import pandas as pd
import pytest

from mqlml.errors import DataError
from mqlml.storage.ledger import Entry, write_entry
from mqlml.storage.score_runs import (
    ScoreRun,
    is_latest_run,
    keep_run,
    previous_files,
    run_at,
    score_runs,
)
from mqlml.storage.scores import ScoreFile, last_scores, parquet_bytes, scores_digest

DAY = 86_400_000_000


def run_of(data, *, as_of=DAY, version="1", after=0, part="", name="m"):
    return ScoreRun(
        number=0,
        after=after,
        name=name,
        as_of=as_of,
        version=version,
        criteria_version="1",
        criteria_digest="c0ffee",
        mql_probability=0.2,
        terms={"criteria": {"version": 1}},
        data={"digest": "d", "leads": 1},
        rows=1,
        scores=scores_digest(data),
        part=part,
    )


def give(root, score, **facts):
    """Write one score as a run over all leads, and return the run as it is kept."""
    data = parquet_bytes(pd.DataFrame({"lead_id": ["a"], "score": [float(score)]}))
    run = run_of(data, **facts)
    ScoreFile(root / "scores", run.name, run.as_of, run.part).write(data)
    return keep_run(root / "ledger", run)


def seen_by(root, before, after):
    runs = score_runs(root / "ledger", "m")
    files = previous_files(root / "scores", runs, before=before, after=after)
    frame = last_scores(files)
    return None if frame is None else frame["score"].tolist()


def test_a_run_that_says_the_same_again_is_kept_once(tmp_path):
    assert give(tmp_path, 10) == give(tmp_path, 10)
    assert [run.number for run in score_runs(tmp_path / "ledger", "m")] == [1]


def test_runs_are_numbered_as_they_came_and_not_by_their_moment(tmp_path):
    numbers = [give(tmp_path, 10, as_of=day * DAY).number for day in (5, 3, 4)]
    assert numbers == [1, 2, 3]
    assert [r.as_of // DAY for r in score_runs(tmp_path / "ledger", "m")] == [5, 3, 4]


def test_what_was_given_stays_when_the_moment_is_scored_again(tmp_path):
    first = give(tmp_path, 10)
    second = give(tmp_path, 20, version="2")
    for run in (first, second):
        assert scores_digest(run.file(tmp_path / "scores").read_bytes()) == run.scores
    assert second.file(tmp_path / "scores").parent == tmp_path / "scores"
    assert not is_latest_run(tmp_path / "ledger", first)
    assert is_latest_run(tmp_path / "ledger", second)


def test_a_return_to_earlier_scores_is_a_run_of_its_own_and_the_latest(tmp_path):
    give(tmp_path, 10)
    give(tmp_path, 20)
    third = give(tmp_path, 10)
    assert third.number == 3
    assert seen_by(tmp_path, 2 * DAY, 3) == [10.0]
    assert seen_by(tmp_path, 2 * DAY, 2) == [20.0]
    assert seen_by(tmp_path, 2 * DAY, 1) == [10.0]


def test_a_run_sees_only_earlier_moments_and_numbers_and_no_parts(tmp_path):
    give(tmp_path, 10, as_of=DAY)
    give(tmp_path, 30, as_of=3 * DAY)
    give(tmp_path, 99, as_of=2 * DAY, part="abc")
    give(tmp_path, 20, as_of=2 * DAY)
    assert seen_by(tmp_path, 3 * DAY, 3) == [10.0]
    assert seen_by(tmp_path, 3 * DAY, 4) == [20.0]
    assert seen_by(tmp_path, DAY, 4) is None


def test_scores_of_some_leads_are_a_file_of_their_own(tmp_path):
    whole, part = give(tmp_path, 10), give(tmp_path, 99, part="abc")
    assert (
        whole.file(tmp_path / "scores").read_bytes() != part.file(tmp_path / "scores").read_bytes()
    )
    assert part.file(tmp_path / "scores").name == "m-19700102T000000Z-abc.parquet"


def test_the_run_in_force_is_the_last_one_up_to_the_moment(tmp_path):
    first, later = give(tmp_path, 10, as_of=DAY), give(tmp_path, 20, as_of=3 * DAY)
    runs = score_runs(tmp_path / "ledger", "m")
    assert run_at(runs, 2 * DAY, is_exact=False) == first
    assert run_at(runs, 2 * DAY, is_exact=True) is None
    assert run_at(runs, 3 * DAY, is_exact=True) == later
    assert run_at(runs, 0, is_exact=False) is None


def test_a_killed_replacement_loses_nothing_and_the_rerun_ends_it(tmp_path, monkeypatch):
    first = give(tmp_path, 10)
    monkeypatch.setattr("mqlml.storage.score_runs.write_entry", _killed)
    with pytest.raises(KeyboardInterrupt):
        give(tmp_path, 20)
    monkeypatch.undo()
    assert score_runs(tmp_path / "ledger", "m") == (first,)
    assert scores_digest(first.file(tmp_path / "scores").read_bytes()) == first.scores
    assert give(tmp_path, 20).number == 2


def _killed(*_):
    raise KeyboardInterrupt


def test_another_models_runs_are_not_seen_but_counted(tmp_path):
    give(tmp_path, 10, name="other")
    assert give(tmp_path, 10).number == 2
    assert len(score_runs(tmp_path / "ledger", "m")) == 1


def test_entries_of_before_runs_were_numbered_are_passed_over(tmp_path):
    write_entry(tmp_path / "ledger", Entry("score", DAY, {"rows": 3}))
    assert score_runs(tmp_path / "ledger", "m") == ()


def test_a_run_that_a_newer_version_wrote_is_a_clear_error(tmp_path):
    run = replace(run_of(b""), number=1)
    payload = {**run.entry.payload, "novelty": 1}
    write_entry(tmp_path / "ledger", Entry("score", DAY, payload))
    with pytest.raises(DataError, match="update mqlml"):
        score_runs(tmp_path / "ledger", "m")
