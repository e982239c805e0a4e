"""What the sources sent, counted over a snapshot's files: rows, days, delays, whose ids match."""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import pandas as pd

from mqlml import timeline

LATE_DAYS = 1
_HOURS = timeline.MICROS_PER_HOUR


@dataclass(frozen=True)
class Arrivals:
    """Events by source, by source and day, and how many leads have any.

    `sources` holds source, rows, first, last (microseconds UTC), late (rows that arrived more
    than LATE_DAYS after they happened), delay_h (the slowest tenth waits longer), ids, matched
    (ids that are a lead's or an alias), leads and leads_covered. `days` holds source, day
    (since 1970-01-01, UTC) and rows.
    """

    sources: pd.DataFrame
    days: pd.DataFrame
    leads: int
    leads_covered: int


def arrivals(rows: Mapping[str, str]) -> Arrivals:
    """Return what the events say of their sources; `rows` is SQL for the rows of each table."""
    late = f"epoch_us(arrived_at) - epoch_us(occurred_at) > {LATE_DAYS * timeline.MICROS_PER_DAY}"
    delay = f"(epoch_us(arrived_at) - epoch_us(occurred_at)) / {_HOURS}.0"
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET memory_limit = '1GB'")
        connection.execute(f"CREATE TABLE ids AS SELECT lead_id AS id FROM {rows['leads']}")
        connection.execute(
            f"CREATE TABLE matched AS SELECT id FROM ids UNION SELECT alias FROM {rows['aliases']}"
        )
        sources = connection.sql(
            f"""
            WITH own AS (
                SELECT coalesce(source, '') AS source, lead_id, count(*) AS rows,
                    min(epoch_us(occurred_at)) AS first, max(epoch_us(occurred_at)) AS last,
                    count(*) FILTER ({late}) AS late
                FROM {rows["events"]} GROUP BY ALL
            ), waits AS (
                SELECT coalesce(source, '') AS source, quantile_disc({delay}, 0.9) AS delay_h
                FROM {rows["events"]} GROUP BY ALL
            )
            SELECT source, CAST(sum(rows) AS BIGINT) AS rows, min(first) AS first,
                max(last) AS last, CAST(sum(late) AS BIGINT) AS late, any_value(delay_h) AS delay_h,
                count(*) AS ids, count(matched.id) AS matched, count(ids.id) AS leads
            FROM own JOIN waits USING (source)
            LEFT JOIN matched ON matched.id = own.lead_id LEFT JOIN ids ON ids.id = own.lead_id
            GROUP BY source ORDER BY rows DESC, source
            """
        ).df()
        days = connection.sql(
            f"""
            SELECT coalesce(source, '') AS source, count(*) AS rows,
                epoch_us(occurred_at) // {timeline.MICROS_PER_DAY} AS day
            FROM {rows["events"]} GROUP BY ALL ORDER BY source, day
            """
        ).df()
        ((leads, covered),) = connection.execute(
            "SELECT (SELECT count(*) FROM ids),"
            f" (SELECT count(*) FROM ids SEMI JOIN {rows['events']} AS e ON e.lead_id = ids.id)"
        ).fetchall()
    return Arrivals(sources, days, int(leads), int(covered))
