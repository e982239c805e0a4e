"""Ten million aliases in chains up to 20 long become leads: processor time and memory.

    python -m benchmarks.identity 10_000_000

Every lead has chains of 1 to 20 aliases, each linked to the one before; 1 lead in 50 is
merged into another, and half of these are un-merged later; 1 alias in 10,000 is shared.
"""

import argparse
import resource
import time
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from benchmarks.results_file import write_rows
from mqlml.sources.identifying import identify
from mqlml.sources.settings import SourceSettings
from mqlml.tables.contracts import CONTRACTS, ColumnType

SQL = {
    ColumnType.TEXT: "VARCHAR",
    ColumnType.NUMBER: "DOUBLE",
    ColumnType.TIME: "TIMESTAMPTZ",
    ColumnType.FLAG: "BOOLEAN",
}
DAY = 86_400_000_000
START = 1_700_000_000_000_000


def fill(connection: duckdb.DuckDBPyConnection, aliases: int, seed: int) -> int:
    """Make the kept tables; return how many leads there are."""
    draw = np.random.default_rng(seed)
    lengths = draw.integers(1, 21, size=aliases // 10)
    lengths = lengths[: np.searchsorted(np.cumsum(lengths), aliases) + 1]
    ends = np.cumsum(lengths)
    leads, total = len(lengths), int(ends[-1])
    first = np.zeros(total, np.bool_)
    first[np.append(0, ends[:-1])] = True
    place = np.arange(total)
    chain = np.cumsum(first) - 1
    target = np.where(first, -1 - chain, place - 1)
    known = START + draw.integers(0, 700, total) * DAY
    merged = np.arange(0, leads - 1, 50)
    ended = np.where(np.arange(len(merged)) % 2, START + 900 * DAY, 0)
    shared = np.arange(0, total, 10_000)
    table = pa.table(
        {
            "alias": np.concatenate([place, -1 - merged, shared]),
            "target": np.concatenate(
                [target, -2 - merged, -1 - draw.integers(0, leads, len(shared))]
            ),
            "known": np.concatenate(
                [known, np.full(len(merged), START + 800 * DAY), known[shared]]
            ),
            "ended": np.concatenate(
                [np.zeros(total, np.int64), ended, np.zeros(len(shared), np.int64)]
            ),
        }
    )
    connection.register("drawn", table)
    for name, contract in CONTRACTS.items():
        columns = ", ".join(f'"{c.name}" {SQL[c.type]}' for c in contract.columns)
        connection.execute(f"CREATE TABLE {name}_kept (__file BIGINT, __row BIGINT, {columns})")
    text = "CASE WHEN {0} < 0 THEN 'lead-' || (-1 - {0}) ELSE 'ga4:' || ({0} * 7919) END"
    connection.execute(
        f"""
        INSERT INTO aliases_kept BY NAME SELECT 0 AS __file, row_number() OVER () AS __row,
            {text.format("alias")} AS alias, {text.format("target")} AS lead_id,
            make_timestamptz(known) AS known_at,
            CASE WHEN ended > 0 THEN make_timestamptz(ended) END AS ended_at FROM drawn
        """
    )
    connection.execute(
        f"INSERT INTO leads_kept BY NAME SELECT 0 AS __file, i AS __row, 'lead-' || i AS lead_id,"
        f" make_timestamptz({START}) AS created_at FROM range({leads}) AS t(i)"
    )
    connection.unregister("drawn")
    return leads


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("aliases", type=lambda text: int(text.replace("_", "")))
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'; SET memory_limit = '2GB'; SET threads = 2")
        leads = fill(connection, given.aliases, given.seed)
        cpu, wall = time.process_time(), time.perf_counter()
        found = identify(connection, SourceSettings.model_construct(), {})
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        counts = {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]
            for name in ("aliases_kept", "meant", "merges_kept", "conflicts_kept")
        }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    command = f"python -m benchmarks.identity {given.aliases}"
    rows = [
        _row("identity, processor time", cpu, "s", "<= 60", command),
        _row("identity, peak memory of the process", peak, "GiB", "<= 4", command),
    ]
    for row in rows:
        print(f"{row['name']:40} {row['value']:8.2f} {row['unit']:4} {row['goal']} {row['met']}")
    print(counts, f"{leads=}", f"{wall=:.1f}", *found.notes, sep="\n")
    print(write_rows("identity", rows, counts=counts, leads=leads, wall_s=round(wall, 1)))


def _row(name: str, value: float, unit: str, goal: str, command: str) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(value, 2),
        "low": None,
        "high": None,
        "unit": unit,
        "goal": goal,
        "met": value <= float(goal.removeprefix("<= ")),
        "command": command,
    }


if __name__ == "__main__":
    main()
