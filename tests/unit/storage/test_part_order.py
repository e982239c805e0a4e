import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mqlml.storage.part_order import ROW, in_order


def scattered(folder: Path, rows: int, parts: int, seed: int = 1) -> list[Path]:
    """Write the rows 0, 1, … to some files of small row groups, in no order."""
    numbers = list(range(rows))
    random.Random(seed).shuffle(numbers)
    paths = []
    for part in range(parts):
        some = pa.array(numbers[part::parts], pa.int64())
        lead = pa.array([f"l{n}" for n in some.to_pylist()], pa.string())
        x = pa.array([n / 2 for n in some.to_pylist()], pa.float64())
        paths.append(folder / f"part-{part}.parquet")
        table = pa.table({"lead_id": lead, "x": x, ROW: some})
        pq.write_table(table, paths[-1], row_group_size=7)
    return paths


@pytest.mark.parametrize("slab_bytes", [1, 800, 2**20])
@pytest.mark.parametrize("rows", [0, 1, 100, 1_000])
def test_rows_of_parts_come_in_the_order_of_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, slab_bytes: int
) -> None:
    monkeypatch.setattr("mqlml.storage.part_order._SLAB_BYTES", slab_bytes)
    paths = scattered(tmp_path, rows, parts=3)
    tables = list(in_order(paths, tmp_path))
    whole = pa.concat_tables(tables)
    assert whole.column_names == ["lead_id", "x"]
    assert whole["lead_id"].to_pylist() == [f"l{n}" for n in range(rows)]
    assert whole["x"].to_pylist() == [n / 2 for n in range(rows)]


def test_many_rows_come_in_slabs_and_leave_no_file_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mqlml.storage.part_order._SLAB_BYTES", 3 * 8 * 10)  # ten rows
    paths = scattered(tmp_path, 95, parts=2)
    assert [len(table) for table in in_order(paths, tmp_path)] == [10] * 9 + [5]
    assert sorted(tmp_path.iterdir()) == paths


def test_the_cut_depends_on_the_rows_and_not_on_how_they_were_dealt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mqlml.storage.part_order._SLAB_BYTES", 3 * 8 * 10)
    found = []
    for parts in (1, 5):
        folder = tmp_path / str(parts)
        folder.mkdir()
        found.append(list(in_order(scattered(folder, 60, parts, seed=parts), folder)))
    assert found[0] == found[1]
