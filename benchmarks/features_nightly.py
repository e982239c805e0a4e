"""What of a night's features could be taken over from the night before, and what it would save.

    python -m benchmarks.features_nightly FOLDER

One million known leads, looked at once a night. Prints the CPU seconds of the whole pass
and of its parts that no reuse can spare, and how many rows stay as they were.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.features_case import floor, warm_up
from benchmarks.features_data import START, Size, make_data, read_tables
from benchmarks.features_plan import bench_plan
from mqlml.engines.local import LocalEngine
from mqlml.storage.parts import open_parts
from mqlml.timeline import MICROS_PER_DAY

TONIGHT = START + 150 * MICROS_PER_DAY


def main() -> None:
    """Measure and print one JSON document."""
    folder, plan = Path(sys.argv[1]), bench_plan()
    make_data(folder, Size(10_000_000, 1_000_000, points_per_lead=1))
    warm_up(plan)
    tables = read_tables(folder)
    points = pd.DataFrame({"lead_id": tables.leads["lead_id"], "as_of": TONIGHT})
    parts = open_parts(folder / "out", "nightly")
    begun = time.process_time()
    LocalEngine().write(tables, points, plan, parts)
    parts.finish()
    whole = time.process_time() - begun
    least = floor(folder, folder / "out", plan, "")
    engine = LocalEngine()
    now, before = (
        engine.compute(tables, points.assign(as_of=TONIGHT - days * MICROS_PER_DAY), plan)
        for days in (0, 1)
    )
    counted = [f.column for f in plan.features if not f.kind.startswith("days_since")]
    has_new = (now["any__days_since_last__ever"] <= 1).to_numpy()
    is_same = np.ones(len(now), np.bool_)
    for column in counted:
        left, right = now[column].to_numpy(), before[column].to_numpy()
        is_same &= (left == right) | (np.isnan(left) & np.isnan(right))
    quiet = now["any__days_since_last__ever"].isna().to_numpy()
    print(
        json.dumps(
            {
                "whole_pass_cpu_s": whole,
                "reading_cpu_s": least["reading_s"],
                "writing_cpu_s": least["writing_s"],
                "share_of_leads_with_new_events": float(has_new.mean()),
                "share_of_leads_without_any_event": float(quiet.mean()),
                "share_of_rows_equal_but_for_recency": float(is_same.mean()),
                "share_of_rows_equal": float((is_same & quiet).mean()),
            }
        )
    )


if __name__ == "__main__":
    main()
