"""Scores made part by part are those made of the whole matrix."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.builders import make_points, make_tables
from tests.trainings import tiny_bundle

from mqlml.criteria.settings import Criteria
from mqlml.engines.local import LocalEngine
from mqlml.scoring.rows import rule_attributes, rule_rows
from mqlml.scoring.score import Policy, last_score_of, score_points
from mqlml.scoring.settings import PersonaSettings
from mqlml.scoring.streamed import ScoreSink
from mqlml.tables.contracts import Tables

PREVIOUS = pd.DataFrame(
    {"lead_id": ["lead-1", "lead-2", "lead-1", "gone"], "score": [10.0, 20.0, 30.0, 40.0]}
)
POLICY = Policy(
    Criteria(version=3), 0.4, "7", (PersonaSettings(name="smith", when="industry = 'steel'"),)
)


def tables_of(folder: Path) -> Tables:
    leads = [
        {
            "lead_id": f"lead-{n}",
            "created_at": "2026-01-01",
            "visits": float(n % 5),
            "budget": None if n % 4 == 0 else float(n % 3),
            "industry": [None, "steel", "software"][n % 3],
        }
        for n in range(40)
    ]
    events = [
        {"lead_id": f"lead-{n}", "occurred_at": "2026-01-10", "event_id": f"e{n}"}
        for n in range(0, 40, 3)
    ]
    return make_tables(folder, leads=leads, events=events)


@pytest.mark.parametrize("previous", [None, PREVIOUS, PREVIOUS.head(0)])
@pytest.mark.parametrize("slab_bytes", [1, 2**24])
def test_scores_of_parts_equal_those_of_the_whole_matrix(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    slab_bytes: int,
    previous: pd.DataFrame | None,
) -> None:
    monkeypatch.setattr("mqlml.features.bucket._SLAB_BYTES", slab_bytes)
    tables, bundle = tables_of(tmp_path), tiny_bundle()
    points = make_points(*((f"lead-{n}", "2026-02-01") for n in reversed(range(40))))
    matrix = LocalEngine().compute(tables, points, bundle.plan)
    rows = rule_rows(tables, points, matrix)
    expected = score_points(bundle, points, matrix, rows=rows, policy=POLICY, previous=previous)
    last = last_score_of(points, previous)
    sink = ScoreSink(bundle, points, rule_attributes(tables, points), POLICY, tmp_path, last)
    LocalEngine(threads=4).write(tables, points, bundle.plan, sink)
    pd.testing.assert_frame_equal(sink.scores(), expected, check_exact=True)


def test_nobody_to_score_gives_the_columns_and_no_rows(tmp_path: Path) -> None:
    tables, bundle, points = tables_of(tmp_path), tiny_bundle(), make_points()
    sink = ScoreSink(bundle, points, rule_attributes(tables, points), POLICY, tmp_path)
    LocalEngine().write(tables, points, bundle.plan, sink)
    scores = sink.scores()
    matrix = LocalEngine().compute(tables, points, bundle.plan)
    rows = rule_rows(tables, points, matrix)
    expected = score_points(bundle, points, matrix, rows=rows, policy=POLICY)
    pd.testing.assert_frame_equal(scores, expected, check_exact=True)


def test_the_last_of_several_scores_of_a_lead_counts() -> None:
    points = make_points(("lead-2", "2026-02-01"), ("new", "2026-02-01"), ("lead-1", "2026-02-01"))
    last = last_score_of(points, PREVIOUS)
    assert last is not None
    np.testing.assert_array_equal(last, [20.0, np.nan, 30.0])
