"""Rows of a warehouse's table that were read before, kept so that only newer ones are read.

What was read lies in a folder per table: numbered parts of staged rows and a small file that
names the parts and the latest watermark. A new part is written first, then that file is
replaced, so a killed run leaves the old state or the new. The rows that count are the last
ones of each key.
"""

import hashlib
import json
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from mqlml.errors import DataError, Fault, SchemaError, nearest
from mqlml.sources.settings import Warehouse, WarehouseTable
from mqlml.sources.since import Since
from mqlml.sources.staging import StagedFile
from mqlml.sources.warehouse import Tables, numbered
from mqlml.tables.sql import literal, quoted

_STATE = "state.json"


@dataclass(frozen=True)
class _State:
    """What was read so far: how many parts, of which columns, up to which watermark."""

    parts: int
    columns: tuple[str, ...]
    watermark: str | None


def kept_folder(kept: Path, table: WarehouseTable, warehouse: Warehouse) -> Path:
    """Return the folder of a table's rows; another setting has another folder."""
    text = json.dumps([table.model_dump(), warehouse.model_dump()], sort_keys=True)
    return kept / hashlib.sha256(text.encode()).hexdigest()[:16]


def sweep_kept(kept: Path, used: Collection[Path]) -> None:
    """Remove the rows of tables that no setting names any more."""
    if kept.is_dir():
        for folder in sorted(kept.iterdir()):
            if folder not in used:
                shutil.rmtree(folder, ignore_errors=True)


def stage_increment(
    tables: Tables, table: WarehouseTable, folder: Path, target: Path, *, wanted: Collection[str]
) -> StagedFile:
    """Return all rows of the table, staged in `target`, of which only the newer ones are read.

    Newer is a watermark that is not before the latest one seen, or empty. Rows come in the
    order of their text, as after a full read, which is what happens the first time and when
    the table's columns changed. Raises SchemaError if a row has no key or two have the same.
    """
    if table.watermark is None:
        return tables.stage(table.name, target, since=None, wanted=wanted)
    fresh = target.with_name(f"{target.name}-fresh")
    state = _read_state(folder)
    # Asked for before the rows: what is written in between is read again the next time.
    latest = tables.latest(table.name, table.watermark)
    since = Since(table.watermark, state.watermark) if state and state.watermark else None
    staged = tables.stage(table.name, fresh, since=since, wanted=wanted)
    _check_names(table, staged)
    if since is not None and state is not None and state.columns != staged.columns:
        shutil.rmtree(fresh)
        state = None
        staged = tables.stage(table.name, fresh, since=None, wanted=wanted)
    parts = state.parts if state and since is not None else 0
    _check_key(table, staged)
    _keep(folder, parts, staged, latest or (state.watermark if state else None))
    rows = _merge(folder, parts + 1, table.key, target)
    return StagedFile(table.name, target, staged.columns, rows, staged.remarks)


def _check_names(table: WarehouseTable, staged: StagedFile) -> None:
    named = [*table.key, table.watermark or ""]
    faults = [
        Fault(f"no column {n!r}", table.name, "", nearest(n, list(staged.columns)))
        for n in named
        if n not in staged.columns
    ]
    if faults:
        raise SchemaError(*faults)


def _check_key(table: WarehouseTable, staged: StagedFile) -> None:
    keys = ", ".join(map(quoted, table.key))
    is_null = " OR ".join(f"{quoted(k)} IS NULL" for k in table.key)
    query = f"""
        SELECT count(*) FILTER ({is_null}), count(*) - count(DISTINCT ({keys}))
        FROM read_parquet({literal(staged.parts)})
    """
    with duckdb.connect(":memory:") as connection:
        ((empty, repeated),) = connection.execute(query).fetchall()
    if empty or repeated:
        found = f"{empty} rows without it, {repeated} rows with one that stands twice"
        mend = "name the columns that are unique together in 'key', or take 'watermark' out"
        raise SchemaError(Fault("the key does not tell rows apart", table.name, found, mend))


def _keep(folder: Path, number: int, staged: StagedFile, watermark: str | None) -> None:
    """Put the staged rows beside the earlier parts, then name them in the state."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"part-{number:06}.parquet"
    fresh = part.with_suffix(".new")
    with duckdb.connect(":memory:") as connection:
        connection.execute(
            f"COPY (SELECT *, {number} AS __part FROM read_parquet({literal(staged.parts)}))"
            f" TO {literal(str(fresh))} (FORMAT parquet)"
        )
    fresh.replace(part)
    state = _State(number + 1, staged.columns, watermark)
    written = folder / f"{_STATE}.new"
    written.write_text(json.dumps(asdict(state)), encoding="utf-8")
    written.replace(folder / _STATE)
    for other in folder.glob("part-*.parquet"):
        if int(other.stem.removeprefix("part-")) > number:
            other.unlink()


def _merge(folder: Path, parts: int, key: Sequence[str], target: Path) -> int:
    target.mkdir(parents=True, exist_ok=True)
    listed = ", ".join(literal(str(folder / f"part-{n:06}.parquet")) for n in range(parts))
    keys = ", ".join(map(quoted, key))
    last = (
        "SELECT * EXCLUDE (__row, __line, __broken, __raw, __part)"
        f" FROM read_parquet([{listed}])"
        f" QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY __part DESC) = 1"
    )
    path = literal(str(target / "part-000000.parquet"))
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET memory_limit = '1GB'")
        connection.execute(f"SET temp_directory = {literal(str(target / 'spill'))}")
        ((rows,),) = connection.execute(
            f"COPY ({numbered(last)}) TO {path} (FORMAT parquet)"
        ).fetchall()
    shutil.rmtree(target / "spill", ignore_errors=True)
    return int(rows)


def _read_state(folder: Path) -> _State | None:
    """Return what was read so far; None if nothing was, or if a part of it is lost."""
    try:
        values: Mapping[str, object] = json.loads((folder / _STATE).read_bytes())
        state = _State(
            int(str(values["parts"])),
            tuple(str(n) for n in _listed(values["columns"])),
            None if values["watermark"] is None else str(values["watermark"]),
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return None
    there = (folder / f"part-{n:06}.parquet" for n in range(state.parts))
    return state if all(path.is_file() for path in there) else None


def _listed(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise DataError(Fault("state of a warehouse's table is damaged"))
    return value
