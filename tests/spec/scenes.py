"""Facts about features made of several tables, drawn like events are.

A drawing has one line per row, in 2026, UTC; the first word is the table:

    lead   ann  01-05 10:00  account=acme  source=ads
    value  ann  02-01 00:00  industry=Steel             # a dated attribute
    event  ann  03-05 10:00  page_view  value=3
    stage  ann  03-01 10:00  mql
    verdict bob 03-02 10:00  rejected  reason=no_need   # what sales said

The features are those of ann; the target is `customer` within 30 days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.builders import at, make_points, make_tables
from tests.spec.drawing import AS_OF, NUMBERS, Compute

from mqlml.features.plan import Plan, make_plan
from mqlml.features.settings import PlanSettings
from mqlml.features.table_features import Outcome
from mqlml.tables.contracts import EVENTS, Tables
from mqlml.timeline import MICROS_PER_DAY

OUTCOME = Outcome("customer", 30 * MICROS_PER_DAY)
_TABLES = ("lead", "event", "stage", "value", "verdict")
_TIMES = {
    "lead": "created_at",
    "event": "occurred_at",
    "stage": "entered_at",
    "value": "known_at",
    "verdict": "given_at",
}
_PLAIN_WORD = {"event": "type", "stage": "stage", "verdict": "verdict"}


@dataclass(frozen=True)
class Scene:
    """One fact: the rows drawn, the plan's settings, what its last column says of ann.

    `expected` None means missing.
    """

    fact: str
    drawn: str
    expected: float | str | None
    settings: dict[str, Any]
    as_of: str = AS_OF

    def check(self, engine: Compute, folder: Path) -> None:
        """Fail unless the engine's answer is the expected one."""
        tables = self.tables(folder)
        found = engine(tables, make_points(("ann", self.as_of)), self.plan(tables)).iloc[0, -1]
        if self.expected is None:
            assert pd.isna(found)
        elif isinstance(self.expected, str):
            assert found == self.expected
        else:
            assert float(found) == pytest.approx(self.expected, rel=1e-12)

    def plan(self, tables: Tables) -> Plan:
        """Return the plan of the scene."""
        return make_plan(
            PlanSettings.model_validate(self.settings),
            tables.attribute_specs,
            event_columns=EVENTS.columns,
            outcome=OUTCOME,
        )

    def tables(self, folder: Path) -> Tables:
        """Return the drawn tables."""
        return tables_of([self.rows()], folder)

    def rows(self, mark: str = "") -> dict[str, list[dict[str, Any]]]:
        """Return the drawn rows by table; `mark` goes before the ids of leads and accounts."""
        rows: dict[str, list[dict[str, Any]]] = {name: [] for name in _TABLES}
        lines = (line.split("#")[0].split() for line in self.drawn.splitlines())
        for words in lines:
            if words:
                row = _row(words)
                ids = {name: mark + row[name] for name in ("lead_id", "account_id") if name in row}
                rows[words[0]].append(row | ids)
        return rows


def tables_of(drawn: Sequence[dict[str, list[dict[str, Any]]]], folder: Path) -> Tables:
    """Return the tables of one or more drawings."""
    rows = {name: [row for one in drawn for row in one[name]] for name in _TABLES}
    # What one lead has, all have, if only as missing.
    names = dict.fromkeys(name for row in rows["lead"] for name in row)
    # Every event of the scenes has an id of its own.
    numbered = [{"event_id": f"e{place:06d}"} | row for place, row in enumerate(rows["event"])]
    return make_tables(
        folder,
        leads=[dict.fromkeys(names) | row for row in rows["lead"]],
        events=numbered,
        stages=rows["stage"],
        attributes=rows["value"],
        verdicts=rows["verdict"],
    )


def _row(words: list[str]) -> dict[str, Any]:
    table, lead, day, hour, *rest = words
    row: dict[str, Any] = {"lead_id": lead, _TIMES[table]: at(f"2026-{day} {hour}")}
    for word in rest:
        name, is_named, value = word.partition("=")
        if not is_named:
            row[_PLAIN_WORD[table]] = word
        elif table == "value":
            row |= {"name": name, "value": value or None}
        else:
            row["account_id" if name == "account" else name] = (
                float(value) if name in NUMBERS else value
            )
    return row
