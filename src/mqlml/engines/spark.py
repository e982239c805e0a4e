"""The engine of many machines: Spark deals leads to tasks, each task calls the bucket function."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mqlml.engines import spark_frames as frames
from mqlml.engines.bucket_files import bucket_files, event_columns
from mqlml.engines.local import Progress
from mqlml.engines.parts import part_name
from mqlml.engines.settings import EngineSettings
from mqlml.engines.spark_answers import (
    ROW,
    WRITTEN,
    WritePart,
    feature_rows,
    sealed_numbers,
    unsealed,
    written_part,
)
from mqlml.engines.spark_blobs import SEALED, arrow_array, joined, unseal
from mqlml.engines.spark_dealing import dealt, keys_of_points, placed, sealed_here
from mqlml.engines.spark_frames import SparkTables, ddl, is_by_account
from mqlml.engines.spark_session import open_session, quiet, spark_faults
from mqlml.engines.spark_task import Assignment, Finish, counted_of_key, frame_of, plain, run_task
from mqlml.features.group_rates import RateHistory, rate_history
from mqlml.features.plan import Plan
from mqlml.features.table_columns import table_columns, whole_matrix
from mqlml.tables.contracts import ATTRIBUTES, Attribute, Column, EventLog, Tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_PARTITIONS = 200


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
        others = table_columns(tables, points, plan)  # tells of unknown attributes
        if points.empty:
            return _no_points(others, plan)
        measured = Plan(signals=plan.signals, features=plan.features, accounts=plan.accounts)
        numbered = points[["lead_id", "as_of"]].assign(**{ROW: np.arange(len(points))})
        with spark_faults("engine"):
            sealed = self.snapshot_answers(
                tables, numbered, measured, finish=sealed_numbers, schema="sealed binary"
            )
            batches = sealed.toArrow()["sealed"]
        if progress is not None:
            progress(tables.events.rows, tables.events.rows)
        found = unsealed((batch.as_buffer() for batch in batches), measured.columns, len(points))
        accounts = {feature.column: found.pop(feature.column) for feature in plan.accounts}
        return whole_matrix(found, others | accounts, plan)

    def write(
        self, tables: Tables, points: pd.DataFrame, plan: Plan, folder: Path, *, write: WritePart
    ) -> int:
        """Have the workers write lead_id, as_of and the plan's columns; return the rows.

        Each task writes one file with `write`, its rows sorted by lead_id and as_of; no row of
        the matrix comes to this process. `folder` must be there, the same for all workers.
        """
        if points.empty:
            none = _no_points(table_columns(tables, points, plan), plan)
            rows = pd.concat([points[["lead_id", "as_of"]], none], axis=1)
            rows["as_of"] = pd.to_datetime(rows["as_of"], unit="us", utc=True)
            write(folder / f"{part_name(0)}.parquet", [_arrow_table(rows)])
            return 0
        finish = partial(written_part, folder=folder.resolve(), write=write)
        asked = points[["lead_id", "as_of"]]
        with spark_faults("engine"):
            written = self.snapshot_answers(tables, asked, plan, finish=finish, schema=WRITTEN)
            return _rows_in(written)

    def write_parts(
        self,
        tables: SparkTables,
        points: "DataFrame",
        plan: Plan,
        folder: Path,
        *,
        write: WritePart,
    ) -> int:
        """Have the workers write the features of Spark's tables, as `write` does; return the rows.

        For less work than `features` and Spark's own writer cost, where all workers share `folder`.
        """
        finish = partial(written_part, folder=folder.resolve(), write=write)
        with spark_faults("engine"):
            return _rows_in(self.answers(tables, points, plan, finish=finish, schema=WRITTEN))

    def snapshot_answers(
        self,
        tables: Tables,
        points: pd.DataFrame,
        plan: Plan,
        *,
        finish: Finish,
        schema: str,
    ) -> "DataFrame":
        """Return what `finish` makes of the features of a loaded snapshot; starts Spark if need be.

        Each bucket's events are read where they lie, by the task that gets the points of its
        leads, unless the plan asks for what an account's other leads did: then events and
        tables are dealt by account.
        """
        session = open_session(self.settings)
        if plan.accounts:
            own = frames.spark_tables(session, tables)
            asked = frames.to_spark(session, points)
            return self.answers(own, asked, plan, finish=finish, schema=schema)
        names, _ = _columns_needed(event_columns(tables.events), plan)
        files = tuple(bucket_files(tables.events, names)) if plan.features else ()
        keys = keys_of_points(session, points, files, tasks=self._keys(session))
        others = table_columns(tables, points, plan)
        given = tuple(name for name in plan.columns if name in others)
        rows = _arrow_table(points.assign(**{name: others[name].to_numpy() for name in given}))
        sealed = sealed_here(session, rows, keys, "point")
        for name, table in _tables_of_leads(tables).items():
            of_leads, their_keys = _of_points(table, points, keys)
            if len(of_leads):
                sealed = sealed.unionAll(
                    sealed_here(session, _arrow_table(of_leads), their_keys, name)
                )
        parts = frames.table_parts(tables.attribute_specs, plan)
        assignment = Assignment(
            plan,
            _no_rows(tables.attribute_specs, tables.events.properties),
            parts,
            names,
            finish,
            files,
            given,
        )
        with quiet():
            dealt = placed(sealed, int(keys.max()) + 1)
            return dealt.mapInArrow(partial(run_task, assignment=assignment), schema)

    def to_spark(self, tables: Tables, points: pd.DataFrame) -> tuple[SparkTables, "DataFrame"]:
        """Return a loaded snapshot and points as Spark has them; starts Spark if need be."""
        session = open_session(self.settings)
        return frames.spark_tables(session, tables), frames.to_spark(session, points)

    def features(self, tables: SparkTables, points: "DataFrame", plan: Plan) -> "DataFrame":
        """Return lead_id, as_of (a time), what else the points carry, and the plan's columns.

        Nothing is computed before the frame is used, and nothing comes to the driver, but
        that rates of groups need the outcomes of all leads: a row for each is collected now.

        Args:
            tables: leads, dated attributes, stages and events, from wherever Spark has them.
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
        """Return the rows that `finish` makes of the features of each key's points."""
        names, is_order_needed = _columns_needed(tables.event_columns, plan)
        ids = ("event_id",) if is_order_needed else ()
        parts = (
            frames.event_part((*names, *ids), tables.event_columns),
            *frames.table_parts(tables.attribute_specs, plan),
            frames.point_part(points),
        )
        keys = self._keys(points.sparkSession)
        assignment = Assignment(
            plan,
            _no_rows(tables.attribute_specs, tables.properties),
            parts,
            names,
            finish,
            histories=_histories(tables, plan, keys),
        )
        rows = dealt(tables, points, parts, keys=keys, by_account=is_by_account(plan))
        with quiet():
            return rows.mapInArrow(partial(run_task, assignment=assignment), schema)

    def _keys(self, session: "SparkSession") -> int:
        if self.settings.partitions is not None:
            return self.settings.partitions
        # A number, or a word by which some platforms mean that they decide.
        given = session.conf.get("spark.sql.shuffle.partitions") or ""
        return int(given) if given.isdecimal() else _PARTITIONS


def _rows_in(written: "DataFrame") -> int:
    return int(pc.sum(written.toArrow()["rows"]).as_py() or 0)


def _no_points(others: "dict[str, pd.Series[Any]]", plan: Plan) -> pd.DataFrame:
    columns = {name: others.get(name, pd.Series(dtype="float64")) for name in plan.columns}
    return pd.DataFrame(columns, index=pd.RangeIndex(0))


def _arrow_table(frame: pd.DataFrame) -> pa.Table:
    return pa.table({str(name): arrow_array(values) for name, values in frame.items()})


def _tables_of_leads(tables: Tables) -> dict[str, pd.DataFrame]:
    """Return of the leads and their dated attributes what people's rules may look at."""
    created = frames.created_names(tables.attribute_specs)
    return {
        "lead": tables.leads[["lead_id", "created_at", *created]],
        "dated": tables.attributes[list(ATTRIBUTES.names)],
    }


def _of_points(
    table: pd.DataFrame, points: pd.DataFrame, keys: "np.ndarray[Any, np.dtype[np.int32]]"
) -> tuple[pd.DataFrame, "np.ndarray[Any, np.dtype[np.int32]]"]:
    """Return the rows of leads with points, and the key of each."""
    codes, leads = pd.factorize(points["lead_id"])
    home = np.empty(len(leads), np.int32)
    home[codes] = keys
    places = pd.Index(leads).get_indexer(pd.Index(table["lead_id"]))
    return table[places >= 0], home[places[places >= 0]]


def _columns_needed(columns: Sequence[Column], plan: Plan) -> tuple[tuple[str, ...], bool]:
    """Return the event columns to read, and whether events at one instant need an order."""
    from mqlml.features.accounts import arrange_accounts  # imported late: numba takes a while
    from mqlml.features.bucket import arrange_work

    work, known = arrange_work(plan), [c.name for c in columns]
    names = dict.fromkeys(work.columns(known))
    if plan.accounts:
        nobody = pd.DataFrame({"lead_id": [], "account_id": []}, dtype="str")
        nobody["created_at"] = pd.Series([], dtype="datetime64[us, UTC]")
        asked = replace(_no_rows((), ()), leads=nobody)
        points = pd.DataFrame({"lead_id": nobody["lead_id"], "as_of": pd.Series([], dtype="int64")})
        names |= dict.fromkeys(arrange_accounts(asked, points, plan).columns(known))
    return tuple(names), work.is_order_needed


def _histories(tables: SparkTables, plan: Plan, keys: int) -> tuple[RateHistory, ...]:
    """Return the history of each of the plan's rates; one row per lead and rate is collected."""
    if not plan.rates:
        return ()
    parts = (frames.lead_part(tables.attribute_specs, plan), *frames.outcome_parts(plan))
    none = _no_rows(tables.attribute_specs, ())
    count = partial(counted_of_key, none=none, kinds=parts, rates=plan.rates)
    with spark_faults("engine"):
        found = dealt(tables, None, parts, keys=keys).mapInArrow(count, SEALED).toArrow()
    by_rate: list[list[pa.Table]] = [[] for _ in plan.rates]
    for number, blob in zip(found["key"].to_pylist(), found["rows"], strict=True):
        by_rate[number].append(unseal(blob.as_buffer()))
    return tuple(rate_history(frame_of(plain(joined(parts)))) for parts in by_rate)


def _no_rows(specs: tuple[Attribute, ...], properties: tuple[Column, ...]) -> Tables:
    none = pd.DataFrame()
    return Tables(
        leads=none,
        attributes=none,
        stages=none,
        verdicts=none,
        handovers=none,
        events=EventLog(Path(), 0, properties),
        attribute_specs=specs,
        data_end=0,
        digest="",
    )
