"""The engine of many machines: Spark deals leads to tasks, each task calls the bucket function."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mqlml.engines import spark_frames as frames
from mqlml.engines.local import Progress
from mqlml.engines.settings import EngineSettings
from mqlml.engines.spark_answers import ROW, feature_rows, sealed_rows, unsealed
from mqlml.engines.spark_frames import SparkTables
from mqlml.engines.spark_rows import Part
from mqlml.engines.spark_session import exact_times, open_session, quiet, spark_faults
from mqlml.engines.spark_task import Assignment, Finish, run_task
from mqlml.errors import ConfigError, Fault
from mqlml.features.attribute_matrix import attribute_columns
from mqlml.features.plan import Plan
from mqlml.tables.contracts import ColumnType, EventLog, Tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# A task holds one chunk at a time: long enough for the sweep to pay, small on any worker.
_CHUNK_ROWS = 250_000
_CHUNK_FIGURES = 32_000_000
_PARTITIONS = 200
_NAMED = 5


@dataclass(frozen=True)
class SparkEngine:
    """Computes feature matrices on the Spark that `settings` name; equal to LocalEngine's."""

    settings: EngineSettings = field(default_factory=EngineSettings)

    def compute(
        self,
        tables: Tables,
        points: pd.DataFrame,
        plan: Plan,
        *,
        progress: Progress | None = None,
    ) -> pd.DataFrame:
        """Return the matrix: one row per point in the points' order, columns of the plan.

        The whole matrix comes to this process, because a model is learnt on one
        machine; where it would not fit, `write` it.
        """
        refuse_shared(plan)
        kinds = {i.column: "str" if i.dtype == "category" else "float64" for i in plan.infos}
        none = attribute_columns(tables, points.head(0), plan)  # unknown attributes are told here
        if points.empty:
            columns = {name: none.get(name, pd.Series(dtype="float64")) for name in plan.columns}
            return pd.DataFrame(columns, index=pd.RangeIndex(0))
        numbered = points[["lead_id", "as_of"]].assign(**{ROW: np.arange(len(points))})
        with spark_faults("engine"):
            spark, asked = self.to_spark(tables, numbered)
            sealed = self.answers(spark, asked, plan, finish=sealed_rows, schema="sealed binary")
            batches = sealed.toArrow()["sealed"]
        if progress is not None:
            progress(tables.events.rows, tables.events.rows)
        return unsealed([batch.as_py() for batch in batches], kinds, len(points))

    def write(self, tables: Tables, points: pd.DataFrame, plan: Plan, folder: Path) -> None:
        """Write lead_id, as_of and the plan's columns of every point as Parquet into `folder`.

        The workers write; no row of the matrix comes to this process. The rows have
        no order. `folder` must be the same for all workers.
        """
        refuse_shared(plan)
        attribute_columns(tables, points.head(0), plan)
        with spark_faults("engine"):
            spark, asked = self.to_spark(tables, points[["lead_id", "as_of"]])
            found = self.features(spark, asked, plan)
            with exact_times(found.sparkSession):
                found.write.mode("overwrite").parquet(folder.resolve().as_uri())

    def to_spark(self, tables: Tables, points: pd.DataFrame) -> tuple[SparkTables, "DataFrame"]:
        """Return a loaded snapshot and points as Spark has them; starts Spark if need be."""
        session = open_session(self.settings)
        return frames.spark_tables(session, tables), frames.to_spark(session, points)

    def features(self, tables: SparkTables, points: "DataFrame", plan: Plan) -> "DataFrame":
        """Return lead_id, as_of (a time), what else the points carry, and the plan's columns.

        Nothing is computed before the frame is used, and nothing comes to the driver.

        Args:
            tables: leads, dated attributes and events, from wherever Spark has them.
            points: lead_id and as_of (microseconds since 1970 UTC); further columns,
                such as a label, are carried along.
            plan: the features; a bundle's plan for scoring.

        Raises:
            SchemaError: a table lacks a column.
        """
        part = frames.point_part(points)
        carried = dict(zip(part.columns[1:], part.types[1:], strict=True))
        kinds = {i.column: "string" if i.dtype == "category" else "double" for i in plan.infos}
        columns = {"lead_id": "string", "as_of": "timestamp", **carried, **kinds}
        finish = partial(feature_rows, carried=tuple(carried))
        return self.answers(tables, points, plan, finish=finish, schema=ddl(columns))

    def answers(
        self,
        tables: SparkTables,
        points: "DataFrame",
        plan: Plan,
        *,
        finish: Finish,
        schema: str,
    ) -> "DataFrame":
        """Return the rows that `finish` makes of each chunk of whole leads with their features."""
        refuse_shared(plan)
        parts = _parts(tables, points, plan)
        rows = {"lead": tables.leads, "dated": tables.attributes, "point": points}
        assignment = _assignment(tables, plan, parts, finish)
        if not isinstance(tables.events, EventLog):
            rows["event"] = tables.events
        whole = frames.stream(rows, parts)
        if assignment.files:
            dealt = frames.dealt_by_bucket(whole, assignment.files)
        else:
            dealt = frames.dealt_by_lead(whole, self._partitions(whole))
        with quiet():
            return dealt.mapInArrow(partial(run_task, assignment=assignment), schema)

    def _partitions(self, rows: "DataFrame") -> int:
        if self.settings.partitions is not None:
            return self.settings.partitions
        # A number, or a word by which some platforms mean that they decide.
        given = rows.sparkSession.conf.get("spark.sql.shuffle.partitions") or ""
        return int(given) if given.isdecimal() else _PARTITIONS


def refuse_shared(plan: Plan) -> None:
    """Raise ConfigError if the plan has columns that a lead's own rows are not enough for.

    A task holds whole leads, not whole accounts, stages or groups.
    """
    shared = [
        *(stage.column for stage in plan.stages),
        *(leads.column for leads in plan.account_leads),
        *(feature.column for feature in plan.accounts),
        *(rate.column for rate in plan.rates),
    ]
    if shared:
        found = ", ".join(shared[:_NAMED])
        more = f" and {len(shared) - _NAMED} more" if len(shared) > _NAMED else ""
        mend = "set 'engine.kind: local', or take stages, accounts and rates out of the plan"
        what = "Spark computes no columns of stages, accounts or rates yet"
        raise ConfigError(Fault(what, "engine.kind", found + more, mend))


def ddl(columns: Mapping[str, str]) -> str:
    """Return columns with their Spark types as a schema.

    >>> ddl({"lead_id": "string", "job title": "string"})
    '`lead_id` string, `job title` string'
    """
    return ", ".join(f"{frames.quoted(name)} {kind}" for name, kind in columns.items())


def _parts(tables: SparkTables, points: "DataFrame", plan: Plan) -> tuple[Part, ...]:
    others = (
        frames.lead_part(tables.attribute_specs),
        frames.dated_part(),
        frames.point_part(points),
    )
    if isinstance(tables.events, EventLog):
        return others
    names, is_order_needed = _columns_needed(tables, plan)
    ids = ("event_id",) if is_order_needed else ()
    return (frames.event_part((*names, *ids), tables.event_columns), *others)


def _columns_needed(tables: SparkTables, plan: Plan) -> tuple[tuple[str, ...], bool]:
    from mqlml.features.bucket import arrange_work  # imported late: numba takes half a second

    work = arrange_work(plan)
    return work.columns([c.name for c in tables.event_columns]), work.is_order_needed


def _assignment(
    tables: SparkTables, plan: Plan, parts: tuple[Part, ...], finish: Finish
) -> Assignment:
    names, _ = _columns_needed(tables, plan)
    texts = {c.name for c in tables.event_columns if c.type is ColumnType.TEXT}
    log = tables.events if isinstance(tables.events, EventLog) else None
    return Assignment(
        plan=plan,
        tables=_no_rows(tables),
        parts=parts,
        columns=names,
        at_least=min(_CHUNK_ROWS, _CHUNK_FIGURES // max(1, len(plan.columns))),
        finish=finish,
        files=None if log is None else frames.files_of(log),
        texts=tuple(name for name in names if name in texts),
    )


def _no_rows(tables: SparkTables) -> Tables:
    none = pd.DataFrame()
    return Tables(
        leads=none,
        attributes=none,
        stages=none,
        verdicts=none,
        handovers=none,
        events=EventLog(Path(), 0, tables.properties),
        attribute_specs=tables.attribute_specs,
        data_end=0,
        digest="",
    )
