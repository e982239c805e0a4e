import numpy as np
import pytest

from mqlml.errors import DataError
from mqlml.storage.ledger import Entry, read_entries, write_entry

DAY = 86_400_000_000


def test_entries_are_read_back_by_time_then_kind(tmp_path):
    late = Entry("train", 2 * DAY, {"winner": "logistic"})
    early = Entry("score", DAY, {"rows": 3})
    also_late = Entry("score", 2 * DAY, {"rows": 4})
    for entry in (late, early, also_late):
        write_entry(tmp_path, entry)
    assert read_entries(tmp_path) == (early, also_late, late)
    assert read_entries(tmp_path, kind="train") == (late,)


def test_a_file_is_named_by_time_kind_and_digest(tmp_path):
    entry = Entry("train", DAY, {"rows": 3})
    path = write_entry(tmp_path / "ledger", entry)
    assert path.name == f"19700102T000000Z-train-{entry.digest}.json"


def test_the_same_entry_twice_is_one_file(tmp_path):
    assert write_entry(tmp_path, Entry("score", DAY, {"a": 1, "b": 2})) == write_entry(
        tmp_path, Entry("score", DAY, {"b": 2, "a": 1})
    )
    assert len(read_entries(tmp_path)) == 1


def test_numbers_of_numpy_become_numbers_and_not_finite_ones_null(tmp_path):
    payload = {"auc": np.float64(0.5), "rows": np.int64(3), "low": float("nan"), "l": (1, 2)}
    write_entry(tmp_path, Entry("train", DAY, payload))
    (entry,) = read_entries(tmp_path)
    assert entry.payload == {"auc": 0.5, "rows": 3, "low": None, "l": [1, 2]}


def test_no_ledger_yet_means_no_entries(tmp_path):
    assert read_entries(tmp_path / "none") == ()


def test_every_broken_entry_is_named_at_once(tmp_path):
    altered = write_entry(tmp_path, Entry("train", DAY, {"rows": 3}))
    altered.write_text(altered.read_text().replace("3", "4"))
    cut = write_entry(tmp_path, Entry("score", DAY, {"rows": 3}))
    cut.write_text("{")
    with pytest.raises(DataError) as caught:
        read_entries(tmp_path)
    assert {fault.where for fault in caught.value.faults} == {str(altered), str(cut)}
    assert any("was altered" in fault.what for fault in caught.value.faults)
