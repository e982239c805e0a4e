"""Cases of feature kinds as small drawn tables, run on every engine and shown in the docs.

A drawing has one line per event of one lead, in 2026, UTC:

    03-09 10:00  page_view  value=3  page=/a     # a remark for readers

Further words: `id=…` (event_id), `arrives=03-11T00:00`, `duration_s=…`, `bot`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.builders import at, make_points, make_tables

from mqlml.features.plan import Plan, make_plan
from mqlml.features.settings import PlanSettings
from mqlml.tables.contracts import EVENTS, Tables

AS_OF = "2026-03-10 00:00"
NUMBERS = ("value", "duration_s")
Compute = Callable[[Tables, pd.DataFrame, Plan], pd.DataFrame]


@dataclass(frozen=True)
class Case:
    """One fact about a feature kind: the events drawn, the question, the answer.

    `expected` None means missing. `signal` and `among` are conditions; without them
    the events are those of the signal `any`.
    """

    fact: str
    drawn: str
    expected: float | None
    window_days: float | str = 7
    of: str | None = None
    half_life_days: float | None = None
    as_of: str = AS_OF
    cap_minutes: float | None = None
    signal: str | None = None
    among: str | None = None

    def check(self, kind: str, engine: Compute, folder: Path) -> None:
        """Fail unless the engine's answer is the expected one."""
        tables = make_tables(folder, events=self.events)
        plan = self.plan(kind)
        found = engine(tables, make_points(("lead", self.as_of)), plan).iloc[0, 0]
        if self.expected is None:
            assert np.isnan(found)
        else:
            assert found == pytest.approx(self.expected, rel=1e-12)

    def plan(self, kind: str) -> Plan:
        """Return the plan with the case's one feature."""
        line = {"kinds": [kind], "windows_days": [self.window_days]}
        line |= {"of": self.of, "half_life_days": self.half_life_days}
        line |= {"cap_minutes": self.cap_minutes}
        conditions = {"signal": self.signal, "among": self.among}
        signals = {name: {"where": where} for name, where in conditions.items() if where}
        line |= {"signals": ["signal"] if self.signal else []}
        line |= {"among": "among" if self.among else None}
        settings = PlanSettings.model_validate({"signals": signals, "features": [line]})
        return make_plan(settings, [], event_columns=EVENTS.columns)

    @property
    def events(self) -> list[dict[str, Any]]:
        """Return the drawn events as rows of the events table."""
        lines = (line.split("#")[0].split() for line in self.drawn.splitlines())
        return [_event(words) for words in lines if words]


def _event(words: list[str]) -> dict[str, Any]:
    day, hour, kind, *rest = words
    event: dict[str, Any] = {"lead_id": "lead", "type": kind}
    event["occurred_at"] = at(f"2026-{day} {hour}")
    for word in rest:
        name, _, value = word.partition("=")
        if name == "arrives":
            event["arrived_at"] = at("2026-" + value.replace("T", " "))
        elif name == "bot":
            event["is_bot"] = True
        else:
            event["event_id" if name == "id" else name] = float(value) if name in NUMBERS else value
    return event
