"""Rows sealed by key and opened again, without Spark."""

import numpy as np
import pyarrow as pa
import pytest

from mqlml.engines.spark_blobs import (
    Part,
    SealedEvents,
    by_key,
    joined,
    sealed_row,
    sealed_rows_of,
    unseal,
)

COLUMNS = ("lead_id", "event_id", "page")


def batch(*rows: tuple[int, str, str, str | None]) -> pa.RecordBatch:
    """Return rows as Spark gives them: key, lead_id, event_id, page under names of its own."""
    columns = list(zip(*rows, strict=True)) or [()] * 4
    kinds = [pa.int32(), *[pa.string()] * 3]
    arrays = [pa.array(values, kind) for values, kind in zip(columns, kinds, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, ["key", "lead_id", "c0", "c1"])


def sealed(*batches: pa.RecordBatch, at_least: int = 100) -> list[pa.RecordBatch]:
    return list(sealed_rows_of(batches, "event", COLUMNS, at_least=at_least))


def events_of(batches: list[pa.RecordBatch]) -> dict[int, list[str]]:
    return {
        key: SealedEvents(blobs["event"], COLUMNS).read(())["event_id"].to_pylist()
        for key, blobs in by_key(batches)
    }


def test_rows_of_a_key_come_together_in_their_order() -> None:
    rows = batch((2, "b", "e1", None), (0, "a", "e2", "/x"), (2, "c", "e3", "/x"))
    assert events_of(sealed(rows, batch((0, "a", "e4", "/y")))) == {
        0: ["e2", "e4"],
        2: ["e1", "e3"],
    }


def test_rows_are_sealed_once_enough_have_come() -> None:
    rows = [batch((1, "a", f"e{n}", None)) for n in range(5)]
    found = sealed(*rows, at_least=2)
    assert [len(unseal(part["rows"][0].as_buffer())) for part in found] == [2, 2, 1]
    assert events_of(found) == {1: ["e0", "e1", "e2", "e3", "e4"]}


def test_more_keys_than_16_bits_hold_are_kept_apart() -> None:
    rows = batch((70_000, "a", "e1", None), (4_464, "b", "e2", None))  # equal modulo 2 ** 16
    assert events_of(sealed(rows)) == {4_464: ["e2"], 70_000: ["e1"]}


@pytest.mark.parametrize("batches", [(), (batch(),), (batch(), batch())])
def test_without_rows_nothing_is_sealed(batches: tuple[pa.RecordBatch, ...]) -> None:
    assert sealed(*batches) == []


def test_texts_are_coded_alike_in_all_blobs_but_ids_of_events_are_not() -> None:
    found = sealed(batch((1, "a", "e1", "/y")), batch((1, "a", "e2", None)), at_least=1)
    ((_, blobs),) = by_key(found)
    (piece,) = SealedEvents(blobs["event"], COLUMNS).pieces()
    assert [pa.types.is_dictionary(piece[name].type) for name in COLUMNS] == [True, False, True]
    assert piece["page"].to_pylist() == ["/y", None]


def test_only_the_columns_asked_for_are_opened() -> None:
    ((_, blobs),) = by_key(sealed(batch((1, "a", "e1", "/y"))))
    events = SealedEvents(blobs["event"], ("lead_id", "page"))
    assert next(events.pieces()).column_names == ["lead_id", "page"]
    assert events.read(("event_id",)).to_pydict() == {"event_id": ["e1"]}


def test_events_are_opened_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mqlml.engines.spark_blobs._ROWS", 2)
    rows = [batch((1, "busy", f"e{n}", None)) for n in range(5)]
    ((_, blobs),) = by_key(sealed(*rows, at_least=1))
    pieces = list(SealedEvents(blobs["event"], COLUMNS).pieces())
    assert [piece["event_id"].to_pylist() for piece in pieces] == [
        ["e0", "e1"],
        ["e2", "e3"],
        ["e4"],
    ]


def test_parts_of_a_key_are_told_apart() -> None:
    point = sealed_row(1, "point", pa.table({"as_of": np.array([7])}))
    ((key, blobs),) = by_key([*sealed(batch((1, "a", "e1", None))), point])
    assert key == 1
    assert set(blobs) == {"event", "point"}
    assert joined([unseal(blobs["point"][0])]).to_pydict() == {"as_of": [7]}


def test_a_part_without_rows_has_its_columns() -> None:
    part = Part("lead", ("created_at", "is_new", "budget"), ("timestamp", "boolean", "double"))
    nothing = part.nothing()
    assert nothing.num_rows == 0
    assert [str(kind) for kind in nothing.schema.types] == [
        "string",
        "timestamp[us, tz=UTC]",
        "bool",
        "double",
    ]
