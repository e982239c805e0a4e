"""How many leads' scores move from one night to the next although nothing new was heard of them.

    python -m benchmarks.score_nights CONFIG DATA WORKSPACE FIRST_DAY [NIGHTS]

Uses the champion of the workspace. A lead whose score moved must be worked out again, by any
method: the share is a floor under what a night can save by taking scores over.
"""

import json
import sys
from pathlib import Path

import numpy as np

from mqlml.cli.opening import project_of
from mqlml.dataset.points import open_points
from mqlml.engines.local import LocalEngine
from mqlml.scoring.figures import model_figures
from mqlml.timeline import MICROS_PER_DAY
from mqlml.workflows.champion import load_champion
from mqlml.workflows.ingest import current_tables


def main() -> None:
    """Measure and print one JSON document per night."""
    config, data, workspace = map(Path, sys.argv[1:4])
    project = project_of(config, data, workspace)
    first = project.instant(sys.argv[4]) or 0
    tables = current_tables(project, say=print)
    bundle = load_champion(project).bundle
    engine, settings = LocalEngine(), project.settings
    for night in range(int(sys.argv[5]) if len(sys.argv) > 5 else 7):
        today = first + night * MICROS_PER_DAY
        points = open_points(tables, settings.target, settings.points, as_of=today)
        asked = [points.assign(as_of=today + days * MICROS_PER_DAY) for days in (0, 1)]
        before, after = (engine.compute(tables, one, bundle.plan) for one in asked)
        figures = [model_figures(bundle.model, matrix) for matrix in (before, after)]
        moved = (figures[0] != figures[1]).any(axis=1).to_numpy()
        heard = _heard(tables.events.folder, today)
        is_new = points["lead_id"].isin(heard).to_numpy()
        shares = {
            "open_leads": len(points),
            "with_new_events": float(np.mean(is_new)),
            "moved_without_new_events": float(np.mean(moved & ~is_new)),
            "to_be_worked_out": float(np.mean(moved | is_new)),
        }
        print(json.dumps({"night": night} | shares))


def _heard(folder: Path, today: int) -> set[str]:
    """Return the leads with an event that counts from within the day after `today`."""
    import duckdb

    rows = duckdb.sql(
        f"""
        SELECT DISTINCT lead_id FROM read_parquet('{folder}/**/*.parquet')
        WHERE epoch_us(greatest(occurred_at, arrived_at)) >= {today}
            AND epoch_us(greatest(occurred_at, arrived_at)) < {today + MICROS_PER_DAY}
        """
    ).fetchall()
    return {row[0] for row in rows}


if __name__ == "__main__":
    main()
