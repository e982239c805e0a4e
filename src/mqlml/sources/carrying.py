"""Dated attributes of leads that are merged, or whose links end, as rows that say the same.

At a merge the survivor takes over a value of the merged lead that is newer than its own, as
a row dated at the merge; at the end of a link each gets back what it would have had.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from mqlml.tables.spells import ALWAYS
from mqlml.timeline import NEVER

_TIME = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class _Value:
    """A value given at `at`, which the lead has for as_of in `(since, until]`."""

    at: int
    value: str | None
    since: int
    until: int

    @property
    def rank(self) -> tuple[int, bool, str]:
        return self.at, self.value is not None, self.value or ""


def carried_attributes(connection: duckdb.DuckDBPyConnection) -> None:
    """Replace the attribute rows of leads with bounded spells; the new ones have no file (-1)."""
    connection.execute(
        """
        CREATE TABLE bounded AS SELECT DISTINCT lead_id FROM meant
        WHERE id IN (SELECT id FROM meant WHERE until IS NOT NULL)
        """
    )
    rows = connection.execute(
        f"""
        SELECT coalesce(m.lead_id, t.lead_id), t.name, t.value, epoch_us(t.known_at),
            coalesce(epoch_us(m.since), {ALWAYS}), coalesce(epoch_us(m.until), {NEVER})
        FROM attributes_kept AS t LEFT JOIN meant AS m ON m.id = t.lead_id
        WHERE coalesce(m.lead_id, t.lead_id) IN (SELECT lead_id FROM bounded)
        """
    ).fetchall()
    by_lead: dict[tuple[str, str], list[_Value]] = defaultdict(list)
    for lead, name, value, at, since, until in rows:
        by_lead[lead, name].append(_Value(at, value, since, until))
    connection.execute(
        "DELETE FROM attributes_kept WHERE lead_id IN (SELECT id FROM meant JOIN bounded"
        " USING (lead_id)) OR lead_id IN (SELECT lead_id FROM bounded)"
    )
    made = [
        (lead, name, value, at)
        for (lead, name), values in sorted(by_lead.items())
        for at, value in _history(values)
    ]
    leads, names, texts, times = zip(*made, strict=True) if made else ((), (), (), ())
    carried = pa.table(
        {
            "__file": pa.array([-1] * len(made), pa.int64()),
            "__row": pa.array(range(len(made)), pa.int64()),
            "lead_id": pa.array(leads, pa.string()),
            "name": pa.array(names, pa.string()),
            "value": pa.array(texts, pa.string()),
            "known_at": pa.array(times, pa.int64()).cast(_TIME),
        }
    )
    connection.register("carried", carried)
    connection.execute("INSERT INTO attributes_kept BY NAME SELECT * FROM carried")
    connection.unregister("carried")


def _history(values: Sequence[_Value]) -> Iterator[tuple[int, str | None]]:
    """Yield when the value changes, and to what."""
    marks = {v.at for v in values} | {v.since for v in values} | {v.until for v in values}
    last: tuple[int, bool, str] | None = None
    for mark in sorted(marks - {ALWAYS, NEVER}):
        alive = [v for v in values if v.at <= mark and v.since <= mark < v.until]
        best = max(alive, key=lambda v: v.rank, default=None)
        rank = None if best is None else best.rank
        if rank != last:
            yield mark, None if best is None else best.value
        last = rank
