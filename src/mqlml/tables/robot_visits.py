"""Which page views no person read: pages opened too fast, and what mail scanners opened.

Both rules read the kept rows of events, and fill tables of the rows (`__file`, `__row`)
that they find.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

_MICROS = 1_000_000


@dataclass(frozen=True)
class Pace:
    """So many different pages with pauses of `seconds` at most; `is_unread`: none was stayed on."""

    pages: int
    seconds: float
    is_unread: bool = False


def find_page_bursts(connection: duckdb.DuckDBPyConnection, paces: Sequence[Pace]) -> None:
    """Make `page_bursts`: the page views of runs that are as fast and as long as one of `paces`."""
    found = " UNION ".join(f"({_runs(pace)})" for pace in paces)
    connection.execute(f"CREATE TABLE page_bursts AS {found}")


def _runs(pace: Pace) -> str:
    """Return SQL for the rows of an id's runs of page views with short pauses."""
    gap = round(pace.seconds * _MICROS)
    # Half of the shortest run falls into one stretch of its length: few ids have so much.
    stretch = max(1, gap * (pace.pages - 1))
    unread = "AND coalesce(max(duration_s), 0) <= 0" if pace.is_unread else ""
    return f"""
        WITH views AS (
            SELECT __file, __row, lead_id, page, duration_s, epoch_us(occurred_at) AS moment
            FROM events_kept WHERE type = 'page_view' AND page IS NOT NULL
        ), fast AS (
            SELECT DISTINCT lead_id FROM (
                SELECT lead_id FROM views GROUP BY lead_id, moment // {stretch}
                HAVING count(*) >= {(pace.pages + 1) // 2}
            )
        ), steps AS (
            SELECT *, moment - lag(moment) OVER w AS gap FROM views SEMI JOIN fast USING (lead_id)
            WINDOW w AS (PARTITION BY lead_id ORDER BY moment, __file, __row)
        ), runs AS (
            SELECT *, count(*) FILTER (gap > {gap}) OVER (PARTITION BY lead_id
                ORDER BY moment, __file, __row ROWS UNBOUNDED PRECEDING) AS run
            FROM steps
        ), many AS (
            SELECT lead_id, run FROM runs GROUP BY lead_id, run
            HAVING count(DISTINCT page) >= {pace.pages} {unread}
        )
        SELECT __file, __row FROM runs SEMI JOIN many USING (lead_id, run)
    """


def find_scanner_visits(
    connection: duckdb.DuckDBPyConnection, *, clicks: str, seconds: float
) -> None:
    """Make `scanner_visits`: pages that were opened with a scanner's click on a mail, and left.

    `clicks` is SQL for the `lead_id` and `occurred_at` of such clicks. A page view belongs to
    one if its id is the clicked mail's, or names the same lead by the links in `aliases_kept`,
    if it came within `seconds` and nobody stayed on the page.
    """
    connection.execute(
        f"CREATE TABLE scanned AS SELECT DISTINCT lead_id, occurred_at FROM {clicks}"
    )
    connection.execute(
        f"""
        CREATE TABLE scanner_visits AS
        WITH RECURSIVE up AS (
            SELECT DISTINCT lead_id AS origin, lead_id AS id FROM scanned
            UNION
            SELECT up.origin, a.lead_id FROM up JOIN aliases_kept AS a ON a.alias = up.id
        ), names AS (
            SELECT origin, id FROM up
            UNION
            SELECT n.origin, a.alias FROM names AS n JOIN aliases_kept AS a ON a.lead_id = n.id
        ), clicks AS (
            SELECT DISTINCT n.id AS lead_id, s.occurred_at AS clicked_at
            FROM scanned AS s JOIN names AS n ON n.origin = s.lead_id
        )
        SELECT v.__file, v.__row
        FROM (SELECT * FROM events_kept SEMI JOIN clicks USING (lead_id)
            WHERE type = 'page_view' AND coalesce(duration_s, 0) <= 0) AS v
        ASOF JOIN clicks AS c ON c.lead_id = v.lead_id AND v.occurred_at >= c.clicked_at
        WHERE epoch_us(v.occurred_at) - epoch_us(c.clicked_at) <= {round(seconds * _MICROS)}
        """
    )
    connection.execute("DROP TABLE scanned")
