"""The matrix in parts, and input that an engine must bear."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from tests.builders import Row, at, make_points, make_tables
from tests.unit.engines.test_local import EVENT_ROWS, LEADS, POINTS, plan_of

from mqlml.engines.local import LocalEngine
from mqlml.errors import ConfigError, DataError
from mqlml.features.event_files import event_files
from mqlml.features.plan import Plan
from mqlml.features.reference import reference_features
from mqlml.tables.buckets import ORDER_MARK
from mqlml.tables.contracts import Tables


@dataclass
class Kept:
    """A sink in memory."""

    parts: dict[str, list[pa.Table]] = field(default_factory=dict)
    row_column: str | None = None
    scratch: Path = Path()

    def leads_of(self, name: str) -> pa.ChunkedArray | None:
        if name not in self.parts:
            return None
        return pa.concat_tables(self.parts[name])["lead_id"].unique()

    def write(self, name: str, tables: Iterable[pa.Table]) -> None:
        self.parts[name] = list(tables)

    def whole(self) -> pd.DataFrame:
        """Return all rows, part by part."""
        tables = [table for name in sorted(self.parts) for table in self.parts[name]]
        return pa.concat_tables(tables).to_pandas()


def written(tables: Tables, points: pd.DataFrame, plan: Plan, **engine: Any) -> Kept:
    """Return the parts, after seeing that they hold what the reference gives."""
    kept = Kept()
    LocalEngine(**engine).write(tables, points, plan, kept)
    expected = reference_features(tables, points, plan)
    expected.insert(0, "as_of", pd.to_datetime(points["as_of"], unit="us", utc=True))
    expected.insert(0, "lead_id", points["lead_id"])
    found = kept.whole().astype({"as_of": "datetime64[us, UTC]"})
    by_key = [f.sort_values(["lead_id", "as_of"], ignore_index=True) for f in (found, expected)]
    assert tuple(found.columns) == ("lead_id", "as_of", *plan.columns)
    for name in found.columns:
        left, right = (frame[name] for frame in by_key)
        if pd.api.types.is_numeric_dtype(left.dtype):
            assert left.to_numpy().tobytes() == right.to_numpy(float).tobytes(), name
        else:
            assert (
                left.astype(object).fillna("-").tolist()
                == right.astype(object).fillna("-").tolist()
            )
    return kept


def many(seed: int, events: int = 400, leads: int = 9) -> list[Row]:
    draw = random.Random(seed)
    return [
        {
            "lead_id": f"l{draw.randrange(leads)}",
            "occurred_at": at("2026-01-01") + draw.randrange(30) * 86_400_000_000,
            "value": draw.choice([None, 0.1, 0.2, 1e16, -1e16]),
            "page": draw.choice([None, "/a", "/b"]),
            "type": draw.choice(["webinar", "page_view"]),
            "is_bot": draw.random() < 0.1,
            "event_id": f"e{draw.randrange(10**9)}",
        }
        for _ in range(events)
    ]


EVERY_DAY = [(f"l{i}", at("2026-01-01") + d * 43_200_000_000) for i in range(12) for d in range(70)]


def test_parts_hold_every_point_once_quiet_leads_last(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    kept = written(tables, make_points(*POINTS), plan_of(tables))
    assert kept.whole()["lead_id"].tolist()[-1] == "nobody"
    assert len(kept.whole()) == len(POINTS)


def test_rows_of_a_part_are_sorted_by_lead_and_time(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, events=many(1))
    points = make_points(*random.Random(2).sample(EVERY_DAY, 300))
    for tables_of_part in written(tables, points, plan_of(tables)).parts.values():
        rows = pa.concat_tables(tables_of_part).select(["lead_id", "as_of"]).to_pylist()
        keys = [(row["lead_id"], row["as_of"]) for row in rows]
        assert keys == sorted(keys)


@pytest.mark.parametrize("seed", range(5))
def test_slabs_of_any_size_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    tables = make_tables(tmp_path, events=many(seed))
    points, plan = make_points(*EVERY_DAY), plan_of(tables)
    whole = written(tables, points, plan).whole()
    monkeypatch.setattr("mqlml.features.bucket._SLAB_BYTES", 800)
    small = written(tables, points, plan, threads=4)
    assert max(len(tables) for tables in small.parts.values()) > 2
    pd.testing.assert_frame_equal(small.whole(), whole, check_exact=True)


def rewrite(tables: Tables, *, marked: bool, group: int) -> None:
    """Sort every bucket's rows as a snapshot has them, and write small row groups."""
    for file in event_files(tables.events):
        table = pq.ParquetFile(file).read()
        counts_from = pc.max_element_wise(
            *(table[name].cast(pa.int64()) for name in ("occurred_at", "arrived_at"))
        )
        order = [(name, "ascending") for name in ("lead_id", "counts_from", "event_id")]
        rows = pc.sort_indices(table.append_column("counts_from", counts_from), sort_keys=order)
        table = table.take(rows)
        metadata = ORDER_MARK if marked else None
        pq.write_table(table.replace_schema_metadata(metadata), file, row_group_size=group)


def test_rows_bear_the_number_of_their_point_where_the_sink_wants_it(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=many(2))
    points = make_points(*random.Random(3).sample(EVERY_DAY, 200), ("nobody", "2026-01-09"))
    kept = Kept(row_column="#")
    LocalEngine().write(tables, points, plan_of(tables), kept)
    rows = kept.whole().sort_values("#", ignore_index=True)
    assert rows["#"].tolist() == list(range(201))
    assert rows["lead_id"].tolist() == points["lead_id"].tolist()
    assert rows["as_of"].astype("datetime64[us, UTC]").astype("int64").tolist() == (
        points["as_of"].tolist()
    )


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("group", [1, 7, 1_000])
def test_row_groups_and_the_mark_of_order_change_nothing(
    tmp_path: Path, group: int, marked: bool
) -> None:
    rows = many(3)
    shuffled = make_tables(tmp_path / "a", events=rows)
    points, plan = make_points(*EVERY_DAY), plan_of(shuffled)
    expected = written(shuffled, points, plan).whole()
    ordered = make_tables(tmp_path / "b", events=rows)
    rewrite(ordered, marked=marked, group=group)
    pd.testing.assert_frame_equal(
        written(ordered, points, plan).whole(), expected, check_exact=True
    )


def test_two_marked_files_of_a_bucket_are_not_taken_for_ordered(tmp_path: Path) -> None:
    rows = [
        {"lead_id": "a", "occurred_at": "2026-01-05", "event_id": name, "value": value}
        for name, value in (("c", 3.0), ("a", 1e16), ("b", -1e16))
    ]
    first = make_tables(tmp_path / "a", events=rows[:1])
    second = make_tables(tmp_path / "b", events=rows[1:])
    for tables in (first, second):
        rewrite(tables, marked=True, group=10)
    for file in event_files(second.events):
        file.rename(first.events.folder / file.parent.name / "part-2.parquet")
    kept = written(first, make_points(("a", "2026-01-06")), plan_of(first))
    assert kept.whole()["any__sum_value__7d"].tolist() == [3.0]


def test_finished_parts_are_not_made_again(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, events=many(4))
    points, plan = make_points(*EVERY_DAY), plan_of(tables)
    whole = written(tables, points, plan)
    some = Kept({name: whole.parts[name] for name in list(whole.parts)[:2]})
    marked = {name: tables[0] for name, tables in some.parts.items()}
    LocalEngine().write(tables, points, plan, some)
    assert all(some.parts[name][0] is table for name, table in marked.items())
    pd.testing.assert_frame_equal(some.whole(), whole.whole(), check_exact=True)


def test_events_of_unknown_leads_are_read_past(tmp_path: Path) -> None:
    rows = [*many(5), *({**row, "lead_id": f"stranger{i}"} for i, row in enumerate(many(6)))]
    tables = make_tables(tmp_path, events=rows)
    known = make_tables(tmp_path / "known", events=many(5))
    points, plan = make_points(*EVERY_DAY), plan_of(tables)
    left, right = (written(t, points, plan).whole() for t in (tables, known))
    keys = ["lead_id", "as_of"]
    pd.testing.assert_frame_equal(
        left.sort_values(keys, ignore_index=True), right.sort_values(keys, ignore_index=True)
    )


def test_a_lead_with_a_third_of_all_events_is_one_lead_like_others(tmp_path: Path) -> None:
    whale = [{**row, "lead_id": "l1"} for row in many(7, events=200)]
    tables = make_tables(tmp_path, events=[*many(8), *whale])
    kept = written(tables, make_points(*EVERY_DAY), plan_of(tables))
    frame = kept.whole().groupby("lead_id")["any__count__ever"].max()
    assert frame["l1"] > 3 * frame["l2"]


def test_a_bucket_too_large_for_memory_lies_in_files_and_gives_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = make_tables(tmp_path / "w", events=many(8))
    points, plan = make_points(*EVERY_DAY), plan_of(tables)
    whole = written(tables, points, plan).whole()
    made = []
    memmap = np.memmap
    monkeypatch.setattr(np, "memmap", lambda *a, **o: made.append(a) or memmap(*a, **o))
    # For 840 points the work begins with 370,067,200 bytes: nothing is left for events.
    kept = Kept(scratch=tmp_path)
    LocalEngine(memory_limit="370067200").write(tables, points, plan, kept)
    assert made
    pd.testing.assert_frame_equal(kept.whole(), whole, check_exact=True)
    assert [path.name for path in tmp_path.iterdir()] == ["w"]


def test_memory_too_little_to_begin_with_is_refused(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, events=many(8))
    with pytest.raises(ConfigError, match="too little memory") as caught:
        LocalEngine(memory_limit="300MB").write(
            tables, make_points(*EVERY_DAY), plan_of(tables), Kept()
        )
    (fault,) = caught.value.faults
    assert fault.found == "300 MB for 840 points"
    assert "at least 371MB" in fault.mend


def test_without_events_every_lead_is_quiet(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS)
    kept = written(tables, make_points(*POINTS), plan_of(tables))
    assert list(kept.parts) == ["part-00000"]
    assert (kept.whole()["any__count__ever"] == 0).all()


def test_without_points_a_part_has_columns_and_no_rows(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, leads=LEADS, events=EVENT_ROWS)
    kept = Kept()
    LocalEngine().write(tables, make_points(), plan_of(tables), kept)
    assert kept.whole().shape == (0, 2 + len(plan_of(tables).columns))


def test_a_plan_of_zero_features_writes_the_points(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, events=EVENT_ROWS)
    kept = Kept()
    LocalEngine().write(tables, make_points(*POINTS), plan_of(tables, {}), kept)
    assert tuple(kept.whole().columns) == ("lead_id", "as_of")
    assert sorted(kept.whole()["lead_id"]) == sorted(lead for lead, _ in POINTS)


def test_points_before_the_first_event_have_seen_nothing(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, events=EVENT_ROWS)
    kept = written(tables, make_points(("a", "1999-01-01"), ("b", 0)), plan_of(tables))
    assert (kept.whole()["any__count__ever"] == 0).all()


def test_an_event_that_arrives_a_year_late_counts_from_then(tmp_path: Path) -> None:
    rows = [{"lead_id": "a", "occurred_at": "2025-01-05", "arrived_at": "2026-01-05"}]
    tables = make_tables(tmp_path, events=rows)
    points = make_points(("a", "2025-06-01"), ("a", "2026-01-05"), ("a", "2026-01-06"))
    assert written(tables, points, plan_of(tables)).whole()["any__count__ever"].tolist() == [
        0,
        0,
        1,
    ]


def test_a_window_longer_than_the_data_sees_all_of_it(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, events=EVENT_ROWS)
    plan = plan_of(tables, {"features": [{"kinds": ["count"], "windows_days": [36_500, "ever"]}]})
    matrix = written(tables, make_points(*POINTS), plan).whole().drop(columns=["lead_id", "as_of"])
    assert (matrix.iloc[:, 0] == matrix.iloc[:, 1]).all()
    assert matrix.iloc[:, 0].sum() == 4


def test_many_events_and_points_at_one_instant(tmp_path: Path) -> None:
    rows = [
        {"lead_id": "a", "occurred_at": "2026-01-05", "value": v, "event_id": f"e{i}"}
        for i, v in enumerate([0.1, 1e16, 0.2, -1e16] * 20)
    ]
    tables = make_tables(tmp_path, events=rows)
    points = make_points(*[("a", at("2026-01-05") + step) for step in (-1, 0, 1, 1, 1)])
    kept = written(tables, points, plan_of(tables))
    assert kept.whole()["any__count__ever"].tolist() == [0, 0, 80, 80, 80]


@pytest.mark.parametrize("harm", ["cut", "empty", "text"])
def test_a_harmed_bucket_is_named_and_refused(tmp_path: Path, harm: str) -> None:
    tables = make_tables(tmp_path, events=many(9))
    file = event_files(tables.events)[1]
    data = file.read_bytes()
    file.write_bytes({"cut": data[: len(data) // 2], "empty": b"", "text": b"lead_id,type\n"}[harm])
    for work in (
        lambda: LocalEngine().compute(tables, make_points(*EVERY_DAY), plan_of(tables)),
        lambda: LocalEngine().write(tables, make_points(*EVERY_DAY), plan_of(tables), Kept()),
    ):
        with pytest.raises(DataError) as caught:
            work()
        assert [fault.where for fault in caught.value.faults] == [str(file)]
        assert "mqlml ingest" in caught.value.faults[0].mend


def test_a_bucket_without_a_needed_column_is_named(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, events=many(9))
    file = event_files(tables.events)[0]
    table = pq.ParquetFile(file).read()
    pq.write_table(table.drop_columns(["occurred_at"]), file)
    with pytest.raises(DataError, match="has no column occurred_at"):
        LocalEngine().compute(tables, make_points(*EVERY_DAY), plan_of(tables))
