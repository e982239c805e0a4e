"""The digest of what was seen: blind to what came later, to order and layout; not to edits."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import at, make_tables

from mqlml.storage.seen import seen_data, write_day_sums
from mqlml.tables.contracts import Attribute, Column, ColumnType, Known

HOUR = 3_600_000_000
NOON = at("2026-03-10 12:00")
LEADS = [
    {"lead_id": "a", "created_at": "2026-03-01", "title": "CEO", "deal": None},
    {"lead_id": "b", "created_at": "2026-03-10 12:00", "title": None, "deal": None},
]
SPECS = (
    Attribute("title", ColumnType.TEXT),
    Attribute("deal", ColumnType.NUMBER, Known.OUTCOME),
    Attribute("budget", ColumnType.TEXT, Known.DATED),
)
EVENTS = [
    {"event_id": "1", "lead_id": "a", "occurred_at": "2026-03-05 08:00", "page": "/x"},
    {"event_id": "2", "lead_id": "a", "occurred_at": "2026-03-10 09:00", "value": 2.5},
    {"event_id": "3", "lead_id": "b", "occurred_at": "2026-03-10 11:59:59"},
]
BUDGET = {"lead_id": "a", "name": "budget", "value": "5", "known_at": "2026-03-09"}
STAGE = {"lead_id": "a", "stage": "mql", "entered_at": "2026-03-10 01:00"}


def stored(folder, *, leads=LEADS, events=EVENTS, properties=(), specs=SPECS, **others):
    """Return tables whose files lie in `folder` as a snapshot has them."""
    rows = {"attributes": [BUDGET], "stages": [STAGE], **others}
    tables = make_tables(
        folder, leads=leads, events=events, attribute_specs=specs, properties=properties, **rows
    )
    for name in ("leads", "attributes", "stages"):
        frame = getattr(tables, name)
        table = pa.table({column: arrow(values) for column, values in frame.items()})
        pq.write_table(table, folder / f"{name}.parquet")
    write_day_sums(folder, specs, properties, spill=folder / "spill")
    return tables


def arrow(values):
    if values.dtype.kind == "M":
        plain = values.dt.tz_convert(None).to_numpy("datetime64[us]")
        return pa.array(plain, pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
    return pa.array(values.astype(object).where(values.notna(), None).to_list())


@pytest.fixture
def digest(tmp_path):
    """Return the digest of tables made of the given rows, each call in a folder of its own."""
    made = []

    def seen(as_of=NOON, **rows):
        made.append(rows)
        return seen_data(stored(tmp_path / str(len(made)), **rows), as_of).digest

    return seen


def test_rows_known_at_the_moment_are_counted_by_their_own_rules(tmp_path):
    tables = stored(tmp_path)
    found = seen_data(tables, NOON)
    # The second lead is created at that very moment; its event happened a second before.
    assert (found.leads, found.attributes, found.events, found.stages) == (2, 1, 3, 1)
    found = seen_data(tables, at("2026-03-10 09:00"))
    assert (found.leads, found.attributes, found.events, found.stages) == (1, 1, 1, 1)
    found = seen_data(tables, at("2026-03-09"))
    assert (found.leads, found.attributes, found.events, found.stages) == (1, 0, 1, 0)


def test_what_comes_later_changes_nothing(digest):
    late = [
        {"lead_id": "a", "occurred_at": "2026-03-10 12:00"},
        {"lead_id": "a", "occurred_at": "2026-03-02", "arrived_at": "2026-03-10 12:00"},
    ]
    assert (
        digest(
            leads=[*LEADS, {"lead_id": "c", "created_at": "2026-03-10 12:00:01"}],
            events=[*EVENTS, *late],
            attributes=[BUDGET, {**BUDGET, "value": "9", "known_at": "2026-03-10 12:00"}],
            stages=[STAGE, {"lead_id": "b", "stage": "mql", "entered_at": "2026-03-10 12:00"}],
            verdicts=[{"lead_id": "a", "given_at": "2026-03-02", "verdict": "accepted"}],
        )
        == digest()
    )


def test_order_layout_outcomes_and_columns_without_values_change_nothing(digest):
    outcome = [{**LEADS[0], "deal": 900.0, "outcome": True}, LEADS[1]]
    colour = (Column("colour", ColumnType.TEXT),)
    specs = (*SPECS, Attribute("fax", ColumnType.TEXT))
    assert digest(leads=outcome[::-1]) == digest()
    assert digest(events=EVENTS[::-1], properties=colour) == digest()
    assert digest(specs=specs, leads=[{**lead, "fax": None} for lead in LEADS]) == digest()


@pytest.mark.parametrize(
    "edit",
    [
        {"events": EVENTS[1:]},
        {"events": [*EVENTS, {**EVENTS[0], "event_id": "4"}]},
        {"events": [{**EVENTS[0], "page": "/y"}, *EVENTS[1:]]},
        {"events": [{**EVENTS[0], "occurred_at": "2026-03-05 08:01"}, *EVENTS[1:]]},
        {"events": [{**EVENTS[0], "page": None, "asset": "/x"}, *EVENTS[1:]]},
        {"leads": [{**LEADS[0], "title": "CTO"}, LEADS[1]]},
        {"leads": [{**LEADS[0], "account_id": "A"}, LEADS[1]]},
        {"attributes": [{**BUDGET, "value": "6"}]},
        {"stages": []},
        {"stages": [{**STAGE, "stage": "sql"}]},
    ],
)
def test_any_edit_of_what_was_seen_changes_the_digest(digest, edit):
    assert digest(**edit) != digest()


def test_two_cells_are_never_taken_for_one(digest):
    one = [{**EVENTS[0], "campaign": "x4:page:text:2:/y", "page": None}]
    other = [{**EVENTS[0], "campaign": "x", "page": "/y"}]
    assert digest(events=one) != digest(events=other)


hours = st.integers(-72, 72)


@given(events=st.lists(st.tuples(hours, hours), min_size=1, max_size=12), as_of=hours)
def test_the_digest_is_that_of_data_which_end_at_the_moment(tmp_path_factory, events, as_of):
    moment = NOON + as_of * HOUR
    rows = [
        {
            "event_id": str(n),
            "lead_id": "ab"[n % 2],
            "occurred_at": NOON + happened * HOUR,
            "arrived_at": NOON + arrived * HOUR,
        }
        for n, (happened, arrived) in enumerate(events)
    ]
    seen = [r for r in rows if max(r["occurred_at"], r["arrived_at"]) < moment]
    # A log needs a file; what lies in the far future is never seen.
    far = {"event_id": "far", "lead_id": "a", "occurred_at": "2031-01-01"}
    folder = tmp_path_factory.mktemp("seen")
    whole = seen_data(stored(folder / "whole", events=[*rows, far]), moment)
    cut = seen_data(stored(folder / "cut", events=[*seen, far]), moment)
    assert whole == cut
    assert whole.events == len(seen)


def test_times_of_an_order_column_have_everything_seen(tmp_path):
    tables = replace(stored(tmp_path), is_order_time=True)
    assert seen_data(tables, 0) == seen_data(tables, NOON)
    assert seen_data(tables, 0).events == 3
