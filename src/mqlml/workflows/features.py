"""The feature matrix as it was known: for training, for scoring, and for a file of points."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mqlml import __version__
from mqlml.config import Settings
from mqlml.dataset.labels import days_to_micros
from mqlml.dataset.points import open_points
from mqlml.dataset.settings import TargetSettings
from mqlml.engines.settings import EngineSettings
from mqlml.errors import ConfigError, DataError, Fault, SchemaError, UsageError, nearest
from mqlml.features.plan import Plan, make_plan
from mqlml.features.sensitive import (
    dropped_faults,
    excluded_names,
    plan_faults,
    rep_faults,
    sensitive_columns,
)
from mqlml.features.table_features import Outcome
from mqlml.storage.atomic import replace_folder, sweep
from mqlml.storage.parts import open_parts, sweep_parts, write_part
from mqlml.tables.contracts import EVENTS, Tables
from mqlml.wiring import make_local_engine, make_spark_engine
from mqlml.workflows.ingest import current_tables
from mqlml.workflows.project import Project, shown_instant

Say = Callable[[str], None]


@dataclass(frozen=True)
class FeaturesResult:
    """Where the matrix was written, and its shape."""

    path: Path
    rows: int
    columns: int
    as_of: str
    plan: str

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        return {**vars(self), "path": str(self.path)}

    def lines(self) -> Iterator[str]:
        """Yield the answer for people."""
        yield f"wrote {self.rows:,} points × {self.columns} features to {self.path}"


def plan_of(settings: Settings, tables: Tables) -> Plan:
    """Return the plan that the settings make of these tables' columns, without sensitive ones.

    Nor does it look at who the lead's rep is (`serve.owner`).

    Raises ConfigError for faults of the plan, and where it asks for a sensitive column.
    """
    engagement = [c for s in settings.sources.leads for c in s.attributes.engagement]
    sensitive = sensitive_columns(settings.sensitive, tables.attribute_specs)
    properties = [column.name for column in tables.events.properties]
    reps = tuple(a.name for a in tables.attribute_specs if a.name == settings.serve.owner)
    faults = [
        *plan_faults(settings.plan, sensitive, properties),
        *rep_faults(settings.plan, reps),
        *dropped_faults(settings.model.drop, sensitive),
    ]
    if faults:
        raise ConfigError(*faults)
    return make_plan(
        settings.plan,
        tables.attribute_specs,
        event_columns=(*EVENTS.columns, *tables.events.properties),
        engagement_attributes=engagement,
        drop=(*excluded_names(sensitive), *reps),
        outcome=_outcome(settings.target),
    )


def _outcome(target: TargetSettings) -> Outcome:
    horizon, lag = target.horizon_days, days_to_micros(target.reporting_lag_days)
    return Outcome(target.stage, None if horizon is None else days_to_micros(horizon), lag)


@dataclass(frozen=True)
class Means:
    """What the machine gives to the work: memory ("2GB"), cores; and whom to tell how far it is.

    `is_over` (None: never) says whether the time given to a wider search is up.
    """

    memory: str = "2GB"
    threads: int = 2
    progress: Callable[[int, int], None] | None = None
    is_over: Callable[[], bool] | None = None


USUAL_MEANS = Means()


def write_features(
    project: Project,
    out: Path,
    *,
    as_of: int | None = None,
    points_file: Path | None = None,
    say: Say = lambda _: None,
    means: Means = USUAL_MEANS,
) -> FeaturesResult:
    """Write lead_id, as_of and the plan's columns of every open lead, or of the given points.

    On this machine a name with a suffix becomes one file whose rows stand in the order of
    the points: those of the given file row by row, or the open leads by lead_id. Without a
    suffix it becomes a folder of Parquet files, one per bucket of events, each by lead_id
    and as_of. What a killed run has finished is not made again. Spark's workers write `out`
    as a folder of Parquet files, whose rows have no order.
    """
    if as_of is not None and points_file is not None:
        mend = "the file of points holds the moments itself; leave one of the two out"
        raise UsageError(Fault("--as-of and --points contradict each other", mend=mend))
    tables = current_tables(project, say=say)
    plan = plan_of(project.settings, tables)
    moment = tables.data_end if as_of is None else as_of
    points = (
        open_points(tables, project.settings.target, project.settings.points, as_of=moment)
        if points_file is None
        else read_points(points_file, tables)
    )
    if project.settings.engine.kind == "spark":
        with project.workspace.lock("features"):
            _write_by_spark(project.settings.engine, tables, points, plan, out)
    else:
        engine = make_local_engine(memory=means.memory, threads=means.threads)
        with project.workspace.lock("features"):
            parts = open_parts(out, _work_key(tables, plan, points))
            if parts.finished:
                say(f"going on: {len(parts.finished)} parts were finished before")
            engine.write(tables, points, plan, parts, progress=means.progress)
            parts.finish()
    return FeaturesResult(
        out, len(points), len(plan.columns), shown_instant(moment), plan.fingerprint
    )


def _write_by_spark(
    settings: EngineSettings, tables: Tables, points: pd.DataFrame, plan: Plan, out: Path
) -> None:
    """Write the matrix whole or not at all, as Spark's folder of files."""
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.is_file():
        mend = "Spark writes a folder of files: delete the file or give another name"
        raise DataError(Fault("a file has this name", str(out), mend=mend))
    sweep(out.parent, of=out.name)
    with replace_folder(out) as folder:
        make_spark_engine(settings).write(tables, points, plan, folder, write=write_part)
        sweep_parts(folder)


def _work_key(tables: Tables, plan: Plan, points: pd.DataFrame) -> str:
    """Return a digest of all that the matrix is made from."""
    ids = pa.array(points["lead_id"], pa.string())
    digest = hashlib.sha256(f"{__version__} {tables.digest} {plan.fingerprint}".encode())
    digest.update(pc.binary_length(ids).to_numpy(zero_copy_only=False).tobytes())
    digest.update("".join(ids.to_pylist()).encode())
    digest.update(points["as_of"].to_numpy(np.int64).tobytes())
    return digest.hexdigest()


def read_points(path: Path, tables: Tables) -> pd.DataFrame:
    """Return the points (lead_id, as_of in microseconds) of a CSV or Parquet file.

    A naive as_of is UTC. Leads that the tables do not hold are refused, all at once.
    """
    frame = _read(path)
    names = [str(c) for c in frame.columns]
    missing = [
        Fault("column is missing", str(path), nearest(name, names), f"name a column '{name}'")
        for name in ("lead_id", "as_of")
        if name not in names
    ]
    if missing:
        raise SchemaError(*missing)
    moments = pd.to_datetime(frame["as_of"], utc=True, errors="coerce", format="ISO8601")
    leads = frame["lead_id"].astype("str")
    unknown = ~leads.isin(tables.leads["lead_id"])
    faults = []
    if moments.isna().any():
        found = f"{int(moments.isna().sum())} of {len(frame)} rows"
        faults.append(Fault("as_of is not a time", str(path), found, "write ISO 8601 times"))
    if unknown.any():
        found = f"{int(unknown.sum())} of {len(frame)} rows"
        faults.append(Fault("lead is not in the tables", str(path), found, "ingest it first"))
    if faults:
        raise DataError(*faults)
    as_of = moments.dt.as_unit("us").astype("int64").to_numpy(np.int64)
    return pd.DataFrame({"lead_id": leads, "as_of": as_of})


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise DataError(Fault("no such file", str(path), mend="check the path's spelling"))
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, dtype="str")
    except (ValueError, OSError) as error:
        raise DataError(Fault("cannot be read as a table", str(path), str(error))) from error
