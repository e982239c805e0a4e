"""Memory and CPU of scoring many leads: part by part as `mqlml score` does, or the matrix whole.

    python -m benchmarks.scoring_memory FOLDER streamed|whole [LEADS] [MEMORY]

One point a lead, ten events a lead, the plan of a hundred features, a boosted model with
reasons for everybody. The answer is one line of JSON; both ways give the same digest.
"""

import hashlib
import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.features_case import peak_mib, warm_up
from benchmarks.features_data import START, Size, make_data, read_tables
from benchmarks.features_plan import bench_plan
from mqlml.criteria.settings import Criteria
from mqlml.engines.local import LocalEngine
from mqlml.features.plan import Plan
from mqlml.modeling.bundle import Bundle
from mqlml.modeling.calibration import Calibration
from mqlml.modeling.contestants.boosting import Boosting
from mqlml.modeling.contestants.contestant import TrainingRows
from mqlml.modeling.grades import cut_grades
from mqlml.modeling.matrix import shape_of
from mqlml.modeling.model import CalibratedModel
from mqlml.scoring.rows import rule_attributes, rule_rows
from mqlml.scoring.score import Policy, score_points
from mqlml.scoring.streamed import ScoreSink
from mqlml.storage.scores import parquet_bytes
from mqlml.tables.contracts import Tables
from mqlml.timeline import MICROS_PER_DAY

TONIGHT = START + 150 * MICROS_PER_DAY
LEARNT_FROM = 20_000


def bundle_of(tables: Tables, points: pd.DataFrame, plan: Plan) -> Bundle:
    """Return a boosted model learnt from the first leads and an outcome of their views."""
    matrix = LocalEngine().compute(tables, points.head(LEARNT_FROM), plan)
    views = matrix["view__count__30d"] + 3 * matrix["pricing__count__90d"]
    labels = (views > views.quantile(0.8)).to_numpy().astype(np.float64)
    shape = shape_of(plan)
    rows = TrainingRows(matrix, labels, np.zeros(len(labels)), shape, 0)
    contestant = Boosting()
    setting = next(iter(contestant.search(rows, matrix)))
    model = CalibratedModel(contestant.fit(rows, setting), Calibration(0.0, 1.0), shape)
    facts = {"grade_cuts": cut_grades(model.parts(matrix), labels).to_json()}
    return Bundle(model, plan, {"version": 1}, [], facts, "bench")


def main() -> None:
    """Score and print what it took."""
    folder, way = Path(sys.argv[1]), sys.argv[2]
    leads = int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000
    memory = sys.argv[4] if len(sys.argv) > 4 else "2GB"
    plan = bench_plan()
    make_data(folder, Size(10 * leads, leads, points_per_lead=1))
    warm_up(plan)
    tables = read_tables(folder)
    points = pd.DataFrame({"lead_id": tables.leads["lead_id"], "as_of": TONIGHT})
    bundle, policy = bundle_of(tables, points, plan), Policy(Criteria(version=1), 0.5, "1")
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak begins anew
    before, begun, wall = peak_mib(), time.process_time(), time.perf_counter()
    if way == "streamed":
        sink = ScoreSink(bundle, points, rule_attributes(tables, points), policy, folder)
        LocalEngine(memory).write(tables, points, plan, sink)
        scores = sink.scores()
    else:
        matrix = LocalEngine(memory).compute(tables, points, plan)
        rows = rule_rows(tables, points, matrix)
        scores = score_points(bundle, points, matrix, rows=rows, policy=policy)
    facts = {
        "way": way,
        "leads": len(scores),
        "cpu_s": time.process_time() - begun,
        "wall_s": time.perf_counter() - wall,
        "before_mib": before,
        "peak_mib": peak_mib(),
        "digest": hashlib.sha256(parquet_bytes(scores)).hexdigest()[:12],
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
