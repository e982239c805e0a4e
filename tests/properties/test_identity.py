"""Whatever the links, what an id means is what the plain reference says, at every moment."""

import duckdb
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.identity_reference import Link, accepted, lead_at

from mqlml.sources.identifying import identify
from mqlml.sources.settings import SourceSettings
from mqlml.tables.contracts import CONTRACTS, ColumnType
from mqlml.tables.identity import resolve
from mqlml.tables.spells import Links
from mqlml.timeline import NEVER

NAMES = ("ann", "bob", "cleo", "ga4:1", "ga4:2", "email:a", "email:b", "crm:1")
LEADS = frozenset({"ann", "bob", "cleo"})
END = 12

links_of_few = st.lists(
    st.builds(
        Link,
        st.sampled_from(NAMES),
        st.sampled_from(NAMES),
        st.integers(0, 9),
        st.one_of(st.none(), st.none(), st.integers(1, 10)),
    ),
    max_size=9,
)


def meaning(links, names, max_leads=1):
    """Return what `resolve` says as a function of (name, as_of)."""
    number = {name: n for n, name in enumerate(names)}
    columns = (
        [number[x.alias] for x in links],
        [number[x.target] for x in links],
        [x.known for x in links],
        [NEVER if x.ended is None else x.ended for x in links],
    )
    is_lead = np.array([name in LEADS for name in names])
    spells, conflicts = resolve(
        Links(*(np.array(c, np.int64) for c in columns)),
        is_lead,
        name_of=names.__getitem__,
        max_leads=max_leads,
    )
    rows = list(zip(spells.id, spells.lead, spells.since, spells.until, strict=True))
    linked = {x.alias for x in accepted(links)}

    def of(name, as_of):
        if name not in linked:
            return name if name in LEADS else None
        found = [names[r[1]] for r in rows if r[0] == number[name] and r[2] < as_of <= r[3]]
        assert len(found) <= 1
        return found[0] if found else None

    return of, conflicts


@given(links_of_few)
def test_what_an_id_means_at_any_moment_equals_the_reference(links):
    of, _ = meaning(links, NAMES)
    kept = accepted(links)
    for name in NAMES:
        for as_of in range(END):
            assert of(name, as_of) == lead_at(name, as_of, kept, LEADS)


@given(links_of_few, st.sampled_from([2, 3]))
def test_of_few_leads_that_an_id_means_at_once_the_first_one_stays(links, max_leads):
    order = {name: place for place, name in enumerate(NAMES)}
    links = [x for x in links if order[x.alias] > order[x.target]]  # so that there is no cycle
    of, _ = meaning(links, NAMES, max_leads)
    kept = accepted(links)
    for name in NAMES:
        for as_of in range(END):
            assert of(name, as_of) == lead_at(name, as_of, kept, LEADS, max_leads)


@given(links_of_few, links_of_few)
def test_links_known_later_change_no_earlier_moment(links, later):
    cut = 5
    past = [x for x in links if x.known < cut]
    unended = [
        Link(x.alias, x.target, x.known, x.ended if x.ended is not None and x.ended < cut else None)
        for x in past
    ]
    added = [Link(x.alias, x.target, x.known + cut, None) for x in later]
    before, _ = meaning(unended, NAMES)
    after, _ = meaning([*past, *added], NAMES)
    for name in NAMES:
        for as_of in range(cut + 1):
            assert after(name, as_of) == before(name, as_of)


@given(links_of_few, st.randoms(use_true_random=False))
def test_the_order_of_links_changes_nothing(links, random):
    mixed = list(links)
    random.shuffle(mixed)
    names = list(NAMES)
    random.shuffle(names)
    one, _ = meaning(links, NAMES)
    other, _ = meaning(mixed, tuple(names))
    for name in NAMES:
        for as_of in range(END):
            assert one(name, as_of) == other(name, as_of)


SQL = {
    ColumnType.TEXT: "VARCHAR",
    ColumnType.NUMBER: "DOUBLE",
    ColumnType.TIME: "TIMESTAMPTZ",
    ColumnType.FLAG: "BOOLEAN",
}


def moved_events(links, events):
    """Return (event, lead, counts from, after, until) of the events once ids were settled."""
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table, contract in CONTRACTS.items():
            columns = ", ".join(f'"{c.name}" {SQL[c.type]}' for c in contract.columns)
            connection.execute(f"CREATE TABLE {table}_kept (__file INT, __row INT, {columns})")
        for n, name in enumerate(sorted(LEADS)):
            connection.execute(
                f"INSERT INTO leads_kept (__file, __row, lead_id) VALUES (0, {n}, '{name}')"
            )
        for n, x in enumerate(links):
            ended = "NULL" if x.ended is None else f"make_timestamptz({x.ended})"
            connection.execute(
                "INSERT INTO aliases_kept (__file, __row, alias, lead_id, known_at, ended_at)"
                f" VALUES (0, {n}, '{x.alias}', '{x.target}', make_timestamptz({x.known}), {ended})"
            )
        for n, (name, at) in enumerate(events):
            connection.execute(
                "INSERT INTO events_kept (__file, __row, event_id, lead_id, type, occurred_at,"
                f" arrived_at) VALUES (0, {n}, 'e{n}', '{name}', 'view', make_timestamptz({at}),"
                f" make_timestamptz({at}))"
            )
        found = identify(connection, SourceSettings.model_construct(), {})
        bounds = ["epoch_us(counts_after)", "epoch_us(counts_until)"]
        shown = ", ".join(bounds if found.event_columns else ["NULL", "NULL"])
        return connection.execute(
            "SELECT event_id, lead_id, epoch_us(greatest(occurred_at, arrived_at)), "
            f"{shown} FROM events_kept"
        ).fetchall()


@given(links_of_few, st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 10)), max_size=5))
def test_at_every_moment_a_lead_has_the_events_of_the_ids_that_then_mean_it(links, events):
    # A link's key comes once: repeated rows are settled before.
    links = list({(x.alias, x.target, x.known): x for x in links}.values())
    rows, kept = moved_events(links, events), accepted(links)
    assert {row[0] for row in rows} == {f"e{n}" for n in range(len(events))}
    for as_of in range(END):
        expected = sorted(
            (f"e{n}", lead)
            for n, (name, at) in enumerate(events)
            if at < as_of and (lead := lead_at(name, as_of, kept, LEADS)) is not None
        )
        found = sorted(
            (event, lead)
            for event, lead, at, after, until in rows
            if lead in LEADS
            and at < as_of
            and (after is None or after < as_of)
            and (until is None or as_of <= until)
        )
        assert found == expected
