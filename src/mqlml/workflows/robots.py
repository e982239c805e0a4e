"""What the rules on robots took, and whose outcome it changes."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mqlml.dataset.points import open_points
from mqlml.errors import MqlmlError
from mqlml.scoring.rows import rule_rows
from mqlml.scoring.score import score_points
from mqlml.storage.lead_events import marked_leads, marks, tables_of_leads, without_marks
from mqlml.tables.contracts import Tables
from mqlml.wiring import make_engine
from mqlml.workflows.champion import Loaded, load_champion
from mqlml.workflows.project import Project
from mqlml.workflows.terms import terms_of

_LISTED = 100


@dataclass(frozen=True)
class RobotFacts:
    """How many events each rule marked; `changed` are open leads whose outcome it changes.

    `changed` is None where no champion could be asked.
    """

    events: dict[str, int]
    changed: tuple[str, ...] | None = None

    def document(self) -> dict[str, Any]:
        """Return the facts for programs; of many leads the first hundred ids."""
        told = None
        if self.changed is not None:
            told = {"count": len(self.changed), "lead_ids": list(self.changed[:_LISTED])}
        return {"events": self.events, "other_band": told}

    def sentence(self) -> str:
        """Return the facts for people; empty if no event was marked."""
        if not self.events:
            return ""
        parts = ", ".join(f"{rule} {count:,}" for rule, count in self.events.items())
        text = f"robots: {sum(self.events.values()):,} events marked ({parts})"
        if self.changed is None:
            return text
        return f"{text}; {len(self.changed):,} open leads have another band without them"


def robot_facts(project: Project, tables: Tables) -> RobotFacts:
    """Return what was marked in the tables, and what it changes for the champion, if any."""
    found = marks(tables)
    if not set(found) - {"source"}:
        return RobotFacts(found)
    try:
        loaded = load_champion(project)
    except MqlmlError:
        return RobotFacts(found)
    return RobotFacts(found, _changed(project, tables, loaded))


def _changed(project: Project, tables: Tables, loaded: Loaded) -> tuple[str, ...]:
    """Return the open leads whose outcome would be another if no rule had marked an event."""
    settings = project.settings
    points = open_points(tables, settings.target, settings.points, as_of=tables.data_end)
    leads = sorted(set(marked_leads(tables)) & set(points["lead_id"]))
    points = points[points["lead_id"].isin(leads)].reset_index(drop=True)
    if points.empty:
        return ()
    with tempfile.TemporaryDirectory() as folder:
        few = tables_of_leads(tables, leads, Path(folder) / "with")
        bare = without_marks(few, Path(folder) / "without")
        now, otherwise = (_outcomes(project, one, points, loaded) for one in (few, bare))
    return tuple(points["lead_id"][(now != otherwise).to_numpy()].sort_values())


def _outcomes(
    project: Project, tables: Tables, points: pd.DataFrame, loaded: Loaded
) -> "pd.Series[Any]":
    terms = terms_of(project.settings, float(loaded.bundle.facts["mql_probability"]))
    engine = make_engine(project.settings.engine.model_copy(update={"kind": "local"}))
    matrix = engine.compute(tables, points, loaded.bundle.plan)
    rows = rule_rows(tables, points, matrix)
    scored = score_points(
        loaded.bundle, points, matrix, rows=rows, policy=terms.policy(loaded.version), previous=None
    )
    by_lead: pd.Series[Any] = scored.set_index("lead_id")["outcome"]
    return by_lead.reindex(points["lead_id"]).astype("str").reset_index(drop=True)
