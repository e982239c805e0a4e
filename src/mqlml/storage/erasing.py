"""Taking people out of the tables, the scores and the ledger of a workspace.

Every step may be repeated: what is gone already stays gone.
"""

import json
import re
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

from mqlml.errors import DataError
from mqlml.storage.atomic import replace_file
from mqlml.storage.ledger import Entry, write_entry
from mqlml.storage.manifest import read_manifest
from mqlml.storage.score_runs import KIND
from mqlml.storage.scores import (
    SHOWN_DIGEST,
    csv_bytes,
    parquet_bytes,
    read_score_file,
    scores_digest,
    superseded_scores,
)
from mqlml.storage.scrubbing import scrubbed
from mqlml.storage.snapshot import current_snapshot, forget_snapshots, write_tables
from mqlml.storage.tombstones import Erasing
from mqlml.tables.ingested import Ingested
from mqlml.tables.sql import literal
from mqlml.tables.tombstones import Tombstones

_COLUMNS = {
    "leads": ("lead_id",),
    "attributes": ("lead_id",),
    "events": ("lead_id",),
    "stages": ("lead_id",),
    "verdicts": ("lead_id",),
    "handovers": ("lead_id",),
    "aliases": ("alias", "lead_id"),
    "merges": ("lead_id", "survivor"),
    "conflicts": ("alias",),
}
_TIMES = {
    "attributes": "known_at",
    "stages": "entered_at",
    "verdicts": "given_at",
    "handovers": "at",
}
_PART = re.compile(r"leads-[0-9a-f]{8}")
_ADDRESS = r"^\s*[^@\s]+@[^@\s]+\.[A-Za-z]{2,}\s*$"


def find_people(root: Path, asked: Collection[str]) -> tuple[Erasing, frozenset[str]]:
    """Return all ids and addresses of the people whose ids are asked for, and ids of nobody.

    An alias stands for its lead; one that is shared goes with it and leads to nobody else.
    """
    folder = current_snapshot(root)
    with duckdb.connect(":memory:") as connection:
        for table in _COLUMNS:
            source = _file(folder, table)
            connection.execute(f"CREATE VIEW {table} AS SELECT * FROM {source}")
        known = _known(connection, asked)
        ids = _closure(connection, known)
        _register(connection, "person", ids)
        created = connection.execute(
            "SELECT count(*), coalesce(min(epoch_us(created_at)), 0) FROM leads"
            " SEMI JOIN person ON lead_id = id"
        ).fetchall()[0]
        texts = _addresses(connection)
    texts |= {one.partition(":")[2] for one in ids if one.startswith("email:")}
    erasing = Erasing(tuple(sorted(ids)), tuple(sorted(texts - ids)), int(created[1]), created[0])
    return erasing, frozenset(asked) - known


def _register(connection: duckdb.DuckDBPyConnection, name: str, ids: Collection[str]) -> None:
    table = pa.table({"id": pa.array(sorted(ids), pa.string())})
    connection.register(f"{name}_given", table)
    connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM {name}_given")
    connection.unregister(f"{name}_given")


def _known(connection: duckdb.DuckDBPyConnection, asked: Collection[str]) -> set[str]:
    _register(connection, "asked", asked)
    every = " UNION ".join(
        f'SELECT "{column}" AS id FROM {table}'
        for table, columns in _COLUMNS.items()
        for column in columns
    )
    rows = connection.execute(f"SELECT DISTINCT id FROM ({every}) SEMI JOIN asked USING (id)")
    return {str(one) for (one,) in rows.fetchall()}


def _closure(connection: duckdb.DuckDBPyConnection, ids: Collection[str]) -> set[str]:
    """Return the ids with all that are linked to them, but for links of shared ids."""
    found = set(ids)
    while True:
        _register(connection, "found", found)
        rows = connection.execute(
            """
            WITH links AS (
                SELECT alias, lead_id FROM aliases WHERE ended_at IS NULL AND alias NOT IN (
                    SELECT alias FROM conflicts WHERE reason = 'means several leads at once')
                UNION SELECT lead_id, survivor FROM merges WHERE ended_at IS NULL
            )
            SELECT alias FROM links SEMI JOIN found ON lead_id = id
            UNION SELECT lead_id FROM links SEMI JOIN found ON alias = id
            """
        ).fetchall()
        more = {str(one) for (one,) in rows} - found
        if not more:
            # Without the erased a shared alias would look like the other's own: it goes too.
            shared = "SELECT DISTINCT alias FROM aliases SEMI JOIN found ON lead_id = id"
            return found | {str(one) for (one,) in connection.execute(shared).fetchall()}
        found |= more


def _addresses(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the e-mail addresses among what is known of the people."""
    texts = [
        name
        for name, kind, *_ in connection.execute("DESCRIBE leads").fetchall()
        if kind == "VARCHAR" and name != "lead_id"
    ]
    queries = [
        f'SELECT "{name}" AS t FROM leads SEMI JOIN person ON lead_id = id' for name in texts
    ]
    queries.append("SELECT value AS t FROM attributes SEMI JOIN person ON lead_id = id")
    union = " UNION ".join(queries)
    rows = connection.execute(
        f"SELECT DISTINCT trim(t) FROM ({union}) WHERE regexp_matches(t, {literal(_ADDRESS)})"
    )
    return {str(one) for (one,) in rows.fetchall()}


def erase_tables(root: Path, tombstones: Tombstones) -> int:
    """Make a snapshot without the erased current, and the only one; return how many rows went."""
    try:
        folder = current_snapshot(root)
        manifest = read_manifest(folder)
    except DataError:
        return 0  # nothing was ingested yet, or a damaged snapshot that is made anew
    with tempfile.TemporaryDirectory(dir=root, prefix=".erase.", suffix=".new") as aside:
        gone = _filtered(folder, Path(aside), tombstones)
        ingested = Ingested(
            Path(aside),
            manifest.counts,
            data_end=manifest.data_end,
            attribute_specs=manifest.attribute_specs,
            properties=manifest.properties,
            is_order_time=manifest.is_order_time,
            notes=manifest.notes,
            orphans=manifest.orphans,
        )
        write_tables(root, ingested)
    forget_snapshots(root)
    return gone


def _filtered(folder: Path, target: Path, tombstones: Tombstones) -> int:
    gone = 0
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        _register(connection, "erased", tombstones.hashes)
        merges = _file(folder, "merges")
        hit = _hit(("lead_id",), tombstones)
        connection.execute(
            f"CREATE TABLE past AS SELECT * FROM {merges} WHERE ended_at IS NOT NULL AND {hit}"
        )
        for table in _COLUMNS:
            source = _file(folder, table)
            path = literal(str(target / f"{table}.parquet"))
            kept = (
                f"SELECT * FROM {source} AS t WHERE {_kept(connection, table, source, tombstones)}"
            )
            connection.execute(f"COPY ({kept}) TO {path} (FORMAT parquet)")
            gone += _lost(connection, source, path)
        gone += _filter_quarantine(connection, folder, target, tombstones)
    return gone


def _file(folder: Path, table: str) -> str:
    files = "events/**/*.parquet" if table == "events" else f"{table}.parquet"
    return f"read_parquet({literal(str(folder / files))}, hive_partitioning = false)"


def _hit(columns: Collection[str], tombstones: Tombstones) -> str:
    salt = literal(tombstones.salt)
    tests = (f'sha256({salt} || "{name}") IN (SELECT id FROM erased)' for name in columns)
    return f"coalesce({' OR '.join(tests)}, false)"


def _kept(
    connection: duckdb.DuckDBPyConnection, table: str, source: str, tombstones: Tombstones
) -> str:
    """Return SQL for the rows that stay.

    What another lead took over while one of the erased was merged with it goes too: such
    events are told by their id, of other rows all that lie within the merge.
    """
    hit = _hit(_COLUMNS[table], tombstones)
    kept = f"NOT {hit}"
    if table == "events" and _is_bounded(connection, source):
        theirs = f"SELECT event_id FROM {source} WHERE {hit}"
        kept += f" AND NOT (counts_until IS NOT NULL AND event_id IN ({theirs}))"
    if table in _TIMES:
        kept += (
            f" AND NOT EXISTS (SELECT 1 FROM past WHERE past.survivor = t.lead_id AND"
            f' t."{_TIMES[table]}" >= past.known_at AND t."{_TIMES[table]}" < past.ended_at)'
        )
    return kept


def _is_bounded(connection: duckdb.DuckDBPyConnection, source: str) -> bool:
    columns = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    return "counts_until" in {name for name, *_ in columns}


def _lost(connection: duckdb.DuckDBPyConnection, source: str, path: str) -> int:
    query = f"SELECT (SELECT count(*) FROM {source}) - (SELECT count(*) FROM read_parquet({path}))"
    return int(connection.execute(query).fetchall()[0][0])


def _filter_quarantine(
    connection: duckdb.DuckDBPyConnection, folder: Path, target: Path, tombstones: Tombstones
) -> int:
    source = literal(str(folder / "quarantine.parquet"))
    rows = connection.sql(f"SELECT * FROM read_parquet({source})").to_arrow_table()
    kept = [not tombstones.mentions(raw or "") for raw in rows["raw"].to_pylist()]
    table = rows.filter(pa.array(kept, pa.bool_()))
    connection.register("kept", table)
    path = literal(str(target / "quarantine.parquet"))
    connection.execute(f"COPY (SELECT * FROM kept) TO {path} (FORMAT parquet)")
    return int(rows.num_rows - table.num_rows)


@dataclass(frozen=True)
class _Cut:
    """A score file without the erased; `data` is None if it goes whole."""

    path: Path
    before: str
    gone: int
    frame: pd.DataFrame
    data: bytes | None


def erase_scores(scores: Path, ledger: Path, reports: Path, erasing: Erasing) -> int:
    """Take the erased out of score files and the ledger; return how many scores went.

    A run over chosen leads that held one of them goes whole, with its page: its name is made
    of their ids. The ledger comes first: killed in between, the files still tell what to do.
    """
    paths = sorted([*scores.glob("*.parquet"), *superseded_scores(scores).glob("*.parquet")])
    cuts = [cut for path in paths if (cut := _cut(path, erasing))]
    _rewrite_ledger(ledger, {cut.before: cut for cut in cuts}, erasing)
    for cut in cuts:
        _rewrite(cut, reports)
    return sum(cut.gone for cut in cuts)


def _cut(path: Path, erasing: Erasing) -> _Cut | None:
    frame = read_score_file(path)
    is_erased = frame["lead_id"].isin(list(erasing.ids))
    if not is_erased.any():
        return None
    kept = frame[~is_erased].reset_index(drop=True)
    data = None if _PART.search(path.stem) else parquet_bytes(kept)
    return _Cut(path, scores_digest(path.read_bytes()), int(is_erased.sum()), kept, data)


def _rewrite(cut: _Cut, reports: Path) -> None:
    path, export = cut.path, cut.path.with_suffix(".csv")
    part = _PART.search(path.stem)
    if cut.data is None or part is not None:
        for page in reports.glob(f"*{part[0]}*.html") if part else ():
            page.unlink()
        export.unlink(missing_ok=True)
        path.unlink()
        return
    if export.exists():
        replace_file(export, csv_bytes(cut.frame))
    target = path
    if path.parent.name == superseded_scores(path.parent).name:
        digest = scores_digest(cut.data)[:SHOWN_DIGEST]
        target = path.with_name(f"{path.stem.rpartition('-')[0]}-{digest}.parquet")
    replace_file(target, cut.data)
    if target != path:
        path.unlink()


def _rewrite_ledger(ledger: Path, cuts: dict[str, _Cut], erasing: Erasing) -> None:
    for path in sorted(ledger.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        entry = Entry(document["kind"], document["as_of"], document["payload"])
        fresh = _without(entry, cuts, erasing)
        if fresh == entry:
            continue
        if fresh is not None:
            write_entry(ledger, fresh)
        path.unlink()


def _without(entry: Entry, cuts: dict[str, _Cut], erasing: Erasing) -> Entry | None:
    payload = dict(entry.payload)
    cut = cuts.get(str(payload.get("scores"))) if entry.kind == KIND else None
    if cut is not None:
        if cut.data is None:
            return None
        payload |= {"scores": scores_digest(cut.data), "rows": len(cut.frame)}
    text = json.dumps(payload, ensure_ascii=False)
    return Entry(entry.kind, entry.as_of, json.loads(scrubbed(text, erasing.words)))
