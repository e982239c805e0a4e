"""Snapshots of the tables: a whole new folder, then one small file that points to it.

`tables/CURRENT` names the snapshot in use. A run killed at any moment leaves the
old snapshot current. Equal input gives byte-equal files, hence the same folder.
"""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mqlml.errors import DataError, Fault
from mqlml.storage.atomic import disk_faults, replace_file, replace_folder, sweep
from mqlml.storage.manifest import (
    MANIFEST_NAME,
    Manifest,
    check_files,
    content_digest,
    mark_files,
    named,
    read_manifest,
)
from mqlml.storage.seen import DAY_SUMS, write_day_sums
from mqlml.tables.buckets import ORDER_MARK, ROWS_PER_BUCKET, bucket_count, bucket_sql
from mqlml.tables.contracts import CONTRACTS, SPELL_COLUMNS, AliasLog, EventLog, Tables
from mqlml.tables.ingested import Ingested
from mqlml.tables.sql import literal

CURRENT = "CURRENT"
KEPT_SNAPSHOTS = 2  # old ones, beside the current
_SORTED_BY = {
    "leads": "created_at, lead_id",
    "attributes": "lead_id, known_at, name, value",
    "stages": "lead_id, entered_at, stage",
    "verdicts": 'lead_id, given_at, who, verdict, reason, "note"',
    "handovers": 'lead_id, "at", score, route',
    "aliases": "alias, known_at, lead_id, ended_at",
    "merges": "lead_id, known_at",
    "conflicts": "reason, alias, known_at",
    "quarantine": '"table", file, line, reason, raw',
}
_EVENT_ORDER = "lead_id, greatest(occurred_at, arrived_at), event_id"
_FRAMES = ("leads", "attributes", "stages", "verdicts", "handovers", "merges")
_NOT_IN_DIGEST = frozenset({"quarantine.parquet", DAY_SUMS})


def write_tables(root: Path, ingested: Ingested, *, memory_limit: str = "1200MB") -> Tables:
    """Make what was ingested the current snapshot of the workspace at `root`, and return it.

    Call it while holding the workspace's lock. At most two old snapshots stay.
    Raises DataError if the disk is full or cannot be written; the old snapshot
    is current then.
    """
    folder = root / "tables"
    with disk_faults(folder):
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)
        with tempfile.TemporaryDirectory(prefix=".sort.", suffix=".new", dir=folder) as scratch:
            fresh = Path(scratch) / "snapshot"
            try:
                _write_files(ingested, fresh, Path(scratch) / "spill", memory_limit)
            except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
                found = str(error).splitlines()[0]
                mend = "free space on that disk, or give a workspace on another one"
                raise DataError(Fault("cannot be written", str(folder), found, mend)) from error
            name = _publish(folder, fresh, _manifest(ingested, fresh))
        _point_to(folder, name)
    return read_tables(root)


def _write_files(ingested: Ingested, target: Path, spill: Path, memory_limit: str) -> None:
    target.mkdir()
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"SET memory_limit = '{memory_limit}'")
        connection.execute(f"SET temp_directory = {literal(str(spill))}")
        for table, order in _SORTED_BY.items():
            _copy_sorted(connection, ingested.path(table), target / f"{table}.parquet", order)
        _write_buckets(connection, ingested, target / "events")
    write_day_sums(target, ingested.attribute_specs, ingested.properties, spill=spill)


def _copy_sorted(
    connection: duckdb.DuckDBPyConnection, source: Path, target: Path, order: str
) -> None:
    pq.write_table(_sorted(connection, source, order), target, compression="zstd")


def _sorted(connection: duckdb.DuckDBPyConnection, source: Path, order: str) -> pa.Table:
    connection.read_parquet(str(source)).create_view("source", replace=True)
    return connection.sql(f"SELECT * FROM source ORDER BY {order}").to_arrow_table()


def write_bucket(events: pa.Table, folder: Path) -> None:
    """Write one bucket of the event log, whose rows stand in the order of ORDER_MARK."""
    folder.mkdir(parents=True)
    marked = events.replace_schema_metadata(ORDER_MARK)
    # Small row groups, so that one can be read and reduced at a time; with checksums, by which
    # a reader sees what was altered.
    pq.write_table(
        marked,
        folder / "part.parquet",
        compression="zstd",
        row_group_size=ROWS_PER_BUCKET,
        write_page_checksum=True,
    )


def _write_buckets(connection: duckdb.DuckDBPyConnection, ingested: Ingested, target: Path) -> None:
    source = ingested.path("events")
    # A merged lead's event may be there twice, for two spells of time.
    is_dated = set(SPELL_COLUMNS) <= set(ingested.properties)
    order = f"{_EVENT_ORDER}, counts_until" if is_dated else _EVENT_ORDER
    buckets = bucket_count(pq.read_metadata(source).num_rows)
    if buckets == 1:
        write_bucket(_sorted(connection, source, order), target / "bucket=0")
        return
    connection.read_parquet(str(source)).create_view("source", replace=True)
    bucketed = f"SELECT *, {bucket_sql(buckets)} AS __bucket FROM source"
    connection.execute(f"CREATE TEMP TABLE bucketed AS {bucketed} ORDER BY __bucket")
    for bucket in range(buckets):
        query = "SELECT * EXCLUDE (__bucket) FROM bucketed WHERE __bucket = ? ORDER BY "
        table = connection.sql(query + order, params=[bucket]).to_arrow_table()
        write_bucket(table, target / f"bucket={bucket}")


def _manifest(ingested: Ingested, folder: Path) -> Manifest:
    files = mark_files(folder)
    facts = {
        "data_end": ingested.data_end,
        "is_order_time": ingested.is_order_time,
        "attributes": named(ingested.attribute_specs),
        "properties": named(ingested.properties),
    }
    tables = {name: mark for name, mark in files.items() if name not in _NOT_IN_DIGEST}
    return Manifest(
        data_end=ingested.data_end,
        event_rows=pq.read_metadata(ingested.path("events")).num_rows,
        files=files,
        digest=content_digest(facts, tables),
        is_order_time=ingested.is_order_time,
        attribute_specs=ingested.attribute_specs,
        properties=ingested.properties,
        counts=ingested.counts,
        notes=ingested.notes,
        orphans=dict(ingested.orphans),
    )


def _publish(folder: Path, fresh: Path, manifest: Manifest) -> str:
    """Move the files of `fresh` into a folder named by the manifest; return its name."""
    data = manifest.to_bytes()
    name = hashlib.sha256(data).hexdigest()[:12]
    if _is_sound(folder / name):
        return name
    with replace_folder(folder / name) as target:
        for child in sorted(fresh.iterdir()):
            child.rename(target / child.name)
        (target / MANIFEST_NAME).write_bytes(data)
    return name


def _is_sound(folder: Path) -> bool:
    try:
        check_files(folder, read_manifest(folder), verify=True)
    except DataError:
        return False
    return True


def _point_to(folder: Path, name: str) -> None:
    """Make `name` current, then drop the snapshots that are too old to keep."""
    previous: list[str] = []
    if (folder / CURRENT).exists():
        pointer = _pointer(folder)
        previous = [n for n in (pointer["snapshot"], *pointer["previous"]) if n != name]
    pointer = {"snapshot": name, "previous": previous[:KEPT_SNAPSHOTS]}
    replace_file(folder / CURRENT, (json.dumps(pointer, sort_keys=True) + "\n").encode())
    kept = {name, *pointer["previous"]}
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)


def forget_snapshots(root: Path) -> None:
    """Keep the current snapshot of the workspace at `root` alone."""
    folder = root / "tables"
    name = str(_pointer(folder)["snapshot"])
    pointer = {"snapshot": name, "previous": []}
    replace_file(folder / CURRENT, (json.dumps(pointer, sort_keys=True) + "\n").encode())
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name != name:
            shutil.rmtree(path)


def _pointer(folder: Path) -> dict[str, Any]:
    path = folder / CURRENT
    try:
        values = json.loads(path.read_bytes())
        return {"snapshot": str(values["snapshot"]), "previous": list(values["previous"])}
    except FileNotFoundError:
        mend = "run 'mqlml ingest' first"
        raise DataError(Fault("no tables in this workspace", str(folder), mend=mend)) from None
    except (ValueError, KeyError, TypeError) as error:
        mend = "run 'mqlml ingest' again"
        raise DataError(Fault("damaged", str(path), type(error).__name__, mend)) from error


def current_snapshot(root: Path) -> Path:
    """Return the folder of the current snapshot; DataError if nothing was ingested yet."""
    folder = root / "tables"
    return folder / str(_pointer(folder)["snapshot"])


def has_merges(root: Path) -> bool:
    """Return whether a lead of the current snapshot was merged into another."""
    return bool(pq.read_metadata(current_snapshot(root) / "merges.parquet").num_rows)


def snapshot_rows(root: Path) -> dict[str, str]:
    """Return SQL for the rows of every table of the current snapshot, once its files are sound.

    Raises DataError naming every file that is missing or cut.
    """
    folder = current_snapshot(root)
    check_files(folder, read_manifest(folder))
    paths = {t: folder / f"{t}.parquet" for t in CONTRACTS} | {
        "events": folder / "events" / "**" / "*.parquet"
    }
    return {
        table: f"read_parquet({literal(path.as_posix())}, hive_partitioning = false)"
        for table, path in paths.items()
    }


def snapshot_facts(root: Path) -> Manifest:
    """Return what the current snapshot's manifest says: counts per file, notes, digests."""
    return read_manifest(current_snapshot(root))


def read_tables(root: Path, *, verify: bool = False) -> Tables:
    """Return the current snapshot of the workspace at `root`.

    File sizes are always checked against the manifest, contents with `verify`.
    Text is pandas `str`, times are `datetime64[us, UTC]`, numbers float64, flags
    `boolean`. Raises DataError naming every file that is missing, cut or altered.
    """
    folder = current_snapshot(root)
    manifest = read_manifest(folder)
    check_files(folder, manifest, verify=verify)
    frames = {name: _frame(folder / f"{name}.parquet") for name in _FRAMES}
    return Tables(
        events=EventLog(folder / "events", manifest.event_rows, manifest.properties),
        attribute_specs=manifest.attribute_specs,
        data_end=manifest.data_end,
        digest=manifest.digest,
        is_order_time=manifest.is_order_time,
        aliases=_aliases(folder),
        **frames,
    )


def _aliases(folder: Path) -> AliasLog:
    path = folder / "aliases.parquet"
    return AliasLog(path, pq.read_metadata(path).num_rows)


def read_quarantine(root: Path) -> pd.DataFrame:
    """Return the quarantined rows of the current snapshot, columns QUARANTINE_COLUMNS."""
    return _frame(current_snapshot(root) / "quarantine.parquet")


def read_conflicts(root: Path) -> pd.DataFrame:
    """Return what identity did not follow in the current snapshot, columns of CONFLICTS."""
    return _frame(current_snapshot(root) / "conflicts.parquet")


def _frame(path: Path) -> pd.DataFrame:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        mend = "run 'mqlml ingest' again"
        raise DataError(Fault("file of the snapshot is damaged", str(path), mend=mend)) from error
    frame = table.to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get)
    return pd.DataFrame(frame)
