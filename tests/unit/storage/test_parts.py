import errno
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mqlml.errors import DataError
from mqlml.storage.parts import PartFolder, open_parts

A = pa.table({"lead_id": ["a", "a", "b"], "x": [1.0, 2.0, 3.0]})
B = pa.table({"lead_id": ["c"], "x": [4.0]})


def numbered(table: pa.Table, *rows: int) -> pa.Table:
    return table.append_column("__row", pa.array(rows, pa.int64()))


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def begun(target: Path, key: str = "k") -> PartFolder:
    """Return parts of which one is finished, as a killed run leaves them."""
    parts = open_parts(target, key)
    parts.write("part-0", [A])
    return parts


def test_a_name_without_suffix_becomes_a_folder_of_parts(tmp_path: Path) -> None:
    parts = begun(tmp_path / "f")
    parts.write("part-1", [B])
    assert names(tmp_path) == [".f.unfinished"]
    parts.finish()
    assert names(tmp_path) == ["f"]
    assert names(tmp_path / "f") == ["part-0.parquet", "part-1.parquet"]
    assert pq.read_table(tmp_path / "f")["x"].to_pylist() == [1.0, 2.0, 3.0, 4.0]


def test_a_name_with_a_suffix_becomes_one_file_in_the_order_of_the_rows_numbers(
    tmp_path: Path,
) -> None:
    parts = open_parts(tmp_path / "f.parquet", "k")
    parts.write("part-0", [numbered(A, 3, 0, 2)])
    parts.write("part-1", [numbered(B, 1)])
    parts.finish()
    assert names(tmp_path) == ["f.parquet"]
    expected = pa.table({"lead_id": ["a", "c", "b", "a"], "x": [2.0, 4.0, 3.0, 1.0]})
    assert pq.read_table(tmp_path / "f.parquet") == expected


def test_finished_parts_are_taken_up_again_by_the_same_work(tmp_path: Path) -> None:
    begun(tmp_path / "f")
    again = open_parts(tmp_path / "f", "k")
    found = again.leads_of("part-0")
    assert found is not None
    assert found.to_pylist() == ["a", "b"]
    assert again.leads_of("part-1") is None


def test_other_work_begins_anew(tmp_path: Path) -> None:
    begun(tmp_path / "f")
    assert open_parts(tmp_path / "f", "another").finished == {}
    assert names(tmp_path / ".f.unfinished") == []


@pytest.mark.parametrize("harm", ["cut", "alter", "remove"])
def test_a_part_that_was_harmed_is_made_again(tmp_path: Path, harm: str) -> None:
    path = begun(tmp_path / "f").folder / "part-0.parquet"
    data = path.read_bytes()
    if harm == "remove":
        path.unlink()
    else:
        path.write_bytes(data[:-9] if harm == "cut" else data[:9] + b"?" + data[10:])
    assert open_parts(tmp_path / "f", "k").finished == {}


@pytest.mark.parametrize("text", ["", "[]", '{"key": "k"}', '{"key": "k", "parts": {"a": 3}}'])
def test_progress_that_cannot_be_read_means_beginning_anew(tmp_path: Path, text: str) -> None:
    parts = begun(tmp_path / "f")
    (parts.folder / "progress.json").write_text(text)
    assert open_parts(tmp_path / "f", "k").finished == {}


def test_a_half_written_part_is_removed(tmp_path: Path) -> None:
    parts = begun(tmp_path / "f")
    (parts.folder / "part-1.half").write_bytes(b"half")
    open_parts(tmp_path / "f", "k")
    assert names(parts.folder) == ["part-0.parquet", "progress.json"]


@pytest.mark.parametrize("target", ["f", "f.parquet"])
def test_an_old_result_is_replaced(tmp_path: Path, target: str) -> None:
    for table in (A, B):
        parts = open_parts(tmp_path / target, "k")
        parts.write("part-0", [numbered(table, *range(len(table))) if "." in target else table])
        parts.finish()
    assert pq.read_table(tmp_path / target) == B
    assert names(tmp_path) == [target]


def test_a_folder_of_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear")
    with pytest.raises(DataError, match="not its own"):
        open_parts(tmp_path / "home", "k")
    (tmp_path / "f.parquet").mkdir()
    with pytest.raises(DataError, match="not its own"):
        open_parts(tmp_path / "f.parquet", "k")
    (tmp_path / "file").write_text("dear")
    with pytest.raises(DataError, match="replace a file by a folder"):
        open_parts(tmp_path / "file", "k")


def test_a_swap_that_was_killed_in_the_middle_is_put_right(tmp_path: Path) -> None:
    parts = begun(tmp_path / "f")
    parts.finish()
    (tmp_path / "f").rename(tmp_path / ".f.abc.old")
    (tmp_path / ".f.xyz.new").mkdir()
    (tmp_path / ".g.xyz.new").mkdir()  # of another job
    open_parts(tmp_path / "f", "k")
    assert names(tmp_path) == [".f.unfinished", ".g.xyz.new", "f"]


def test_a_full_disk_is_said_and_leaves_the_old_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(tmp_path / "f").finish()
    parts = begun(tmp_path / "f", "new")

    def full(*_args: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("mqlml.storage.parts.pq.ParquetWriter", full)
    with pytest.raises(DataError, match="free some space"):
        parts.write("part-1", [B])
    monkeypatch.undo()
    assert pq.read_table(tmp_path / "f") == A
    assert set(open_parts(tmp_path / "f", "new").finished) == {"part-0"}
