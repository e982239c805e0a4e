"""The same features by DuckDB, Polars, pandas and Featuretools, each at its best known form.

Runs in an environment of its own, so nothing of mqlml is imported: the plan comes as
`plan.json` beside the data. One case per process; the answer is one line of JSON.

    python features_peers.py CASE FOLDER OUT
"""

import importlib.metadata
import json
import sys
import time
from pathlib import Path

DAY = 86_400_000_000


def load_plan(folder):
    """Return signals by name (SQL) and features (column, kind, signal, window or None, of)."""
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    return plan["signals"], [tuple(f) for f in plan["features"]]


# --- DuckDB: one pass of conditional aggregates over a range join -----------------------------


def _flags_sql(signals):
    conditions = "".join(f", coalesce({sql}, false) AS s_{name}" for name, sql in signals.items())
    return (
        "SELECT lead_id, epoch_us(greatest(occurred_at, arrived_at)) AS ts, value, true AS s_any"
        f"{conditions} FROM events WHERE NOT coalesce(is_bot, false)"
    )


def _aggregate_sql(kind, signal, window, of):
    holds = f"s_{signal}" + (f" AND ts >= as_of - {window}" if window else "")
    return {
        "count": f"count(*) FILTER ({holds})",
        "days_since_last": f"(as_of - max(ts) FILTER ({holds})) / {DAY}",
        "days_since_first": f"(as_of - min(ts) FILTER ({holds})) / {DAY}",
        "sum": f"coalesce(sum({of}) FILTER ({holds}), 0)",
        "max": f"max({of}) FILTER ({holds})",
        "active_days": f"count(DISTINCT ts // {DAY}) FILTER ({holds})",
    }[kind]


def _connect():
    import duckdb

    connection = duckdb.connect(":memory:", config={"threads": 2})
    connection.execute("SET preserve_insertion_order = false")
    return connection


def duckdb_join(folder, out):
    """All points and all events in one query."""
    _duckdb_join(folder, out, folder / "events/*/*.parquet", "true")


def duckdb_join_by_bucket(folder, out):
    """The same query bucket by bucket: joins and groups stay small enough for the caches."""
    out.mkdir(exist_ok=True)
    for bucket in sorted((folder / "events").iterdir()):
        only = "lead_id IN (SELECT DISTINCT lead_id FROM events)"
        _duckdb_join(folder, out / f"{bucket.name}.parquet", bucket / "*.parquet", only)


def _duckdb_join(folder, out, events, which):
    signals, features = load_plan(folder)
    with _connect() as connection:
        connection.execute(f"CREATE VIEW events AS SELECT * FROM read_parquet('{events}')")
        columns = ", ".join(f'{_aggregate_sql(*f[1:])} AS "{f[0]}"' for f in features)
        query = f"""
            WITH e AS ({_flags_sql(signals)}), p AS (
                SELECT * FROM read_parquet('{folder / "points.parquet"}') WHERE {which})
            SELECT p.lead_id, p.as_of, {columns}
            FROM p LEFT JOIN e ON e.lead_id = p.lead_id AND e.ts < p.as_of
            GROUP BY p.lead_id, p.as_of
        """
        # Of a point without events a row of nulls comes: every flag is null there.
        connection.execute(f"COPY ({query}) TO '{out}' (FORMAT parquet, COMPRESSION zstd)")


def duckdb_asof(folder, out):
    """Running counts and sums, looked up at both ends of each window; the rest by range join."""
    _duckdb_asof(folder, out, folder / "events/*/*.parquet", "true")


def duckdb_asof_by_bucket(folder, out):
    """The same bucket by bucket."""
    out.mkdir(exist_ok=True)
    for bucket in sorted((folder / "events").iterdir()):
        only = "lead_id IN (SELECT DISTINCT lead_id FROM events)"
        _duckdb_asof(folder, out / f"{bucket.name}.parquet", bucket / "*.parquet", only)


def _duckdb_asof(folder, out, events, which):
    signals, features = load_plan(folder)
    names = ["any", *signals]
    summed = sorted({f[2] for f in features if f[1] == "sum"})
    by_lead = "OVER (PARTITION BY lead_id ORDER BY ts ROWS UNBOUNDED PRECEDING)"
    running = ", ".join(
        [f"count(*) FILTER (s_{n}) {by_lead} AS c_{n}" for n in names]
        + [f"coalesce(sum(value) FILTER (s_{n}) {by_lead}, 0) AS v_{n}" for n in summed]
        + [f"max(ts) FILTER (s_{n}) {by_lead} AS l_{n}" for n in names]
        + [f"min(ts) FILTER (s_{n}) {by_lead} AS f_{n}" for n in names]
    )
    windows = sorted({f[3] for f in features if f[3]})
    joins = "".join(
        f" ASOF LEFT JOIN r AS w{w} ON w{w}.lead_id = p.lead_id AND p.as_of - {w} > w{w}.ts"
        for w in windows
    )
    rest = [f for f in features if f[1] in {"max", "active_days"}]
    columns = []
    for column, kind, signal, window, _ in features:
        if kind in {"max", "active_days"}:
            columns.append(f'q."{column}"')
            continue
        name = {"count": "c", "sum": "v", "days_since_last": "l", "days_since_first": "f"}[kind]
        at = f"n.{name}_{signal}"
        if kind.startswith("days"):
            value = f"(p.as_of - {at}) / {DAY}"
        else:
            before = f"coalesce(w{window}.{name}_{signal}, 0)" if window else "0"
            value = f"coalesce({at}, 0) - {before}"
        columns.append(f'{value} AS "{column}"')
    with _connect() as connection:
        connection.execute(f"CREATE VIEW events AS SELECT * FROM read_parquet('{events}')")
        connection.execute(
            f"CREATE TABLE points AS FROM read_parquet('{folder / 'points.parquet'}') WHERE {which}"
        )
        points = "points"
        looked = ", ".join(f'{_aggregate_sql(*f[1:])} AS "{f[0]}"' for f in rest)
        query = f"""
            WITH e AS MATERIALIZED ({_flags_sql(signals)}),
            r AS MATERIALIZED (SELECT lead_id, ts, {running} FROM e),
            q AS (SELECT p.lead_id, p.as_of, {looked} FROM {points} p
                LEFT JOIN e ON e.lead_id = p.lead_id AND e.ts < p.as_of
                GROUP BY p.lead_id, p.as_of)
            SELECT p.lead_id, p.as_of, {", ".join(columns)}
            FROM {points} p ASOF LEFT JOIN r AS n ON n.lead_id = p.lead_id AND p.as_of > n.ts
            {joins} JOIN q ON q.lead_id = p.lead_id AND q.as_of = p.as_of
        """
        connection.execute(f"COPY ({query}) TO '{out}' (FORMAT parquet, COMPRESSION zstd)")


# --- Polars --------------------------------------------------------------------------------


def _polars_events(folder, files):
    import polars as pl

    signals, features = load_plan(folder)
    events = (
        pl.scan_parquet(files, hive_partitioning=False)
        .filter(~pl.col("is_bot").fill_null(False))
        .with_columns(
            pl.max_horizontal("occurred_at", "arrived_at").dt.epoch("us").alias("ts"),
            pl.lit(True).alias("s_any"),
            *(
                pl.sql_expr(sql).fill_null(False).alias(f"s_{name}")
                for name, sql in signals.items()
            ),
        )
        .select("lead_id", "ts", "value", "s_any", *(f"s_{name}" for name in signals))
    )
    return events, features


def _polars_aggregate(column, kind, signal, window, of):
    import polars as pl

    holds = pl.col(f"s_{signal}")
    if window:
        holds = holds & (pl.col("ts") >= pl.col("as_of") - window)
    ts = pl.col("ts").filter(holds)
    days = pl.col("as_of").first()
    return {
        "count": lambda: holds.sum().cast(pl.Float64),
        "days_since_last": lambda: (days - ts.max()) / DAY,
        "days_since_first": lambda: (days - ts.min()) / DAY,
        "sum": lambda: pl.col(of).filter(holds).sum(),
        "max": lambda: pl.col(of).filter(holds).max(),
        "active_days": lambda: (ts // DAY).n_unique().cast(pl.Float64),
    }[kind]().alias(column)


def polars_join(folder, out):
    """Join, keep what the point sees, conditional aggregates; bucket by bucket."""
    import polars as pl

    out.mkdir(exist_ok=True)
    points = pl.read_parquet(folder / "points.parquet")
    for bucket in sorted((folder / "events").iterdir()):
        events, features = _polars_events(folder, bucket / "*.parquet")
        seen = events.join(points.lazy(), on="lead_id").filter(pl.col("ts") < pl.col("as_of"))
        made = seen.group_by("lead_id", "as_of").agg(*(_polars_aggregate(*f) for f in features))
        made.collect(engine="streaming").write_parquet(out / f"{bucket.name}.parquet")


# --- pandas and Featuretools ---------------------------------------------------------------


def _pandas_events(folder):
    import pandas as pd

    signals, features = load_plan(folder)
    columns = ["lead_id", "occurred_at", "arrived_at", "type", "channel", "page", "value"]
    columns += ["duration_s", "is_bot"]
    files = sorted((folder / "events").glob("*/*.parquet"))
    events = pd.concat([pd.read_parquet(f, columns=columns, partitioning=None) for f in files])
    events = events[~events["is_bot"].fillna(False).astype(bool)].reset_index(drop=True)
    stamps = events[["occurred_at", "arrived_at"]].max(axis=1)
    events["ts"] = stamps.astype("datetime64[us, UTC]").astype("int64")
    flags = {"any": events["ts"] > 0}
    for name, sql in signals.items():
        text = sql.replace(" AND ", " and ").replace(" IN (", " in (").replace(" = ", " == ")
        flags[name] = events.eval(text).fillna(False).astype(bool)
    return events, flags, features


def pandas_merge(folder, out):
    """Merge, keep what the point sees, then one grouped aggregate per feature."""
    import numpy as np
    import pandas as pd

    events, flags, features = _pandas_events(folder)
    points = pd.read_parquet(folder / "points.parquet")
    left = pd.DataFrame({"lead_id": events["lead_id"], "event": np.arange(len(events))})
    right = points.assign(point=np.arange(len(points)))
    pairs = left.merge(right, on="lead_id")
    ts = events["ts"].to_numpy()[pairs["event"]]
    pairs = pairs[ts < pairs["as_of"].to_numpy()]
    ts, as_of = events["ts"].to_numpy()[pairs["event"]], pairs["as_of"].to_numpy()
    event, point = pairs["event"].to_numpy(), pairs["point"]
    values = pd.Series(events["value"].to_numpy()[event], index=pairs.index)
    made = {}
    for column, kind, signal, window, _ in features:
        holds = flags[signal].to_numpy()[event]
        if window:
            holds = holds & (ts >= as_of - window)
        keys = point[holds]
        if kind == "count":
            made[column] = keys.value_counts().reindex(range(len(points)), fill_value=0)
        elif kind in {"sum", "max"}:
            some = values[holds].groupby(keys)
            made[column] = (some.sum() if kind == "sum" else some.max()).reindex(range(len(points)))
            if kind == "sum":
                made[column] = made[column].fillna(0.0)
        elif kind == "active_days":
            days = pd.Series(ts[holds] // DAY, index=keys.index).groupby(keys).nunique()
            made[column] = days.reindex(range(len(points)), fill_value=0)
        else:
            stamps = pd.Series(ts[holds], index=keys.index).groupby(keys)
            edge = stamps.max() if kind == "days_since_last" else stamps.min()
            made[column] = (points["as_of"] - edge.reindex(range(len(points)))) / DAY
    pd.concat([points, pd.DataFrame(made)], axis=1).to_parquet(out)


FEATURETOOLS_POINTS = 200


def featuretools_dfs(folder, out):
    """Deep feature synthesis with cutoff times, a training window at a time; few points."""
    import featuretools as ft
    import numpy as np
    import pandas as pd

    events, flags, features = _pandas_events(folder)
    points = pd.read_parquet(folder / "points.parquet")
    points = points.iloc[:: max(1, len(points) // FEATURETOOLS_POINTS)]
    frame = pd.DataFrame(
        {
            "event": range(len(events)),
            "lead_id": events["lead_id"],
            "time": pd.to_datetime(events["ts"], unit="us"),
            "value": events["value"],
            **{f"s_{name}": flag.astype("float64") for name, flag in flags.items()},
        }
    )
    leads = pd.DataFrame({"lead_id": np.array(events["lead_id"].unique(), dtype=object)})
    frame["lead_id"] = frame["lead_id"].astype(object)
    entities = ft.EntitySet("bench")
    entities.add_dataframe(dataframe_name="leads", dataframe=leads, index="lead_id")
    entities.add_dataframe(
        dataframe_name="events", dataframe=frame, index="event", time_index="time"
    )
    entities.add_relationship("leads", "lead_id", "events", "lead_id")
    cutoffs = pd.DataFrame(
        {"lead_id": points["lead_id"], "time": pd.to_datetime(points["as_of"], unit="us")}
    )
    asked = [("sum", "time_since_last", "time_since_first")]
    parts = []
    for window in (None, *sorted({f[3] for f in features if f[3]})):
        primitives = asked[0] if window is None else ("sum", "max", "count")
        matrix, _ = ft.dfs(
            entityset=entities,
            target_dataframe_name="leads",
            cutoff_time=cutoffs,
            agg_primitives=list(primitives),
            trans_primitives=[],
            training_window=None if window is None else f"{window // DAY} days",
            include_cutoff_time=False,
            max_depth=1,
        )
        parts.append(matrix.add_suffix(f"@{window}"))
    pd.concat(parts, axis=1).to_parquet(out)
    return {"points": len(points), "columns": sum(part.shape[1] for part in parts)}


CASES = {
    "duckdb_join": ("duckdb", duckdb_join),
    "duckdb_join_by_bucket": ("duckdb", duckdb_join_by_bucket),
    "duckdb_asof": ("duckdb", duckdb_asof),
    "duckdb_asof_by_bucket": ("duckdb", duckdb_asof_by_bucket),
    "polars_join": ("polars", polars_join),
    "pandas_merge": ("pandas", pandas_merge),
    "featuretools_dfs": ("featuretools", featuretools_dfs),
}


def peak_mib():
    """Return the most memory this process has had.

    Not ru_maxrss, which begins at what the process that started this one had.
    """
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def main():
    """Run one case and print what it took."""
    case, folder, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    package, run = CASES[case]
    __import__(package)
    begun, wall = time.process_time(), time.perf_counter()
    facts = run(folder, out) or {}
    facts |= {
        "cpu_s": time.process_time() - begun,
        "wall_s": time.perf_counter() - wall,
        "peak_mib": peak_mib(),
        "version": importlib.metadata.version(package),
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
