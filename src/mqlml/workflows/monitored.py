"""What a look knows beside the changes: groups of leads, earlier estimates, delays, stages."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from mqlml import timeline
from mqlml.modeling.segmenting import OTHER
from mqlml.monitoring.arrival import arrival_delays
from mqlml.monitoring.stage_times import stage_times
from mqlml.reports.monitor import Flow
from mqlml.scoring.personas import personas_of
from mqlml.scoring.rows import rule_rows
from mqlml.storage.ledger import read_entries
from mqlml.tables.contracts import ColumnType, Known, Tables
from mqlml.workflows.history import Past
from mqlml.workflows.project import Project

_SOURCES = ("source", "lead_source", "original_source", "channel", "utm_source")


def groups_of(project: Project, tables: Tables, past: Past) -> dict[str, npt.NDArray[Any]]:
    """Return by name, row by row of the past, which persona a lead is and from which source."""
    groups: dict[str, npt.NDArray[Any]] = {}
    personas = project.settings.personas
    if personas and len(past.points):
        rows = rule_rows(tables, past.points, past.matrix)
        names = personas_of(rows, personas).to_numpy(dtype=object)
        groups["persona"] = np.where(names == OTHER, "", names)
    column = source_column(tables)
    if column is not None:
        of_lead = tables.leads.drop_duplicates("lead_id").set_index("lead_id")[column]
        found = past.points["lead_id"].map(of_lead)
        groups[column] = found.astype("object").where(found.notna(), "").to_numpy(dtype=object)
    return groups


def source_column(tables: Tables) -> str | None:
    """Return the attribute that says where a lead came from; None if none does by its name."""
    known = {
        spec.name
        for spec in tables.attribute_specs
        if spec.known is Known.CREATION and spec.type is ColumnType.TEXT
    }
    return next((name for name in _SOURCES if name in known), None)


def earlier_estimates(project: Project, version: str, *, before: int) -> Iterator[dict[str, Any]]:
    """Yield what looks at `version` before a moment estimated; of looks at one moment the last."""
    latest = {
        entry.as_of: entry.payload["quality"]
        for entry in read_entries(project.workspace.ledger, kind="monitor")
        if entry.payload.get("version") == version
        and "quality" in entry.payload
        and timeline.is_seen(entry.as_of, before)
    }
    for as_of, rows in sorted(latest.items()):
        yield from ({**row, "as_of": as_of} for row in rows)


def flow_of(tables: Tables, *, as_of: int, recent_days: float) -> Flow:
    """Return how long events wait before they arrive, and leads before each stage."""
    if tables.is_order_time:
        return Flow()
    return Flow(
        arrival=arrival_delays(tables.events, as_of=as_of, recent_days=recent_days),
        stage_times=stage_times(tables.leads, tables.stages, as_of=as_of),
    )
