"""All drawn cases in one Spark job: each is a lead of its own, each feature a column."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.builders import make_points, make_tables
from tests.spec.drawing import Case

from mqlml.engines.spark import SparkEngine
from mqlml.features.kinds.catalogue import ACCOUNT_KINDS, KINDS
from mqlml.features.plan import Plan


def _cases() -> Iterator[tuple[str, Case]]:
    # Kinds over an account's leads are scenes of several leads, which Spark refuses.
    for kind in KINDS.keys() - ACCOUNT_KINDS:
        for case in importlib.import_module(f"tests.spec.test_{kind}").CASES:
            yield kind, case


def test_every_case_holds_on_spark(spark_engine: SparkEngine, tmp_path: Path) -> None:
    cases = list(_cases())
    plans = [case.plan(kind) for kind, case in cases]
    signals = dict.fromkeys(signal for plan in plans for signal in plan.signals)
    features = dict.fromkeys(feature for plan in plans for feature in plan.features)
    events = [
        row | {"lead_id": f"lead {place}"}
        for place, (_, case) in enumerate(cases)
        for row in case.events
    ]
    # The builder does the same for each drawing alone.
    named = [{"event_id": f"e{place:06d}"} | row for place, row in enumerate(events)]
    tables = make_tables(tmp_path, events=named)
    points = make_points(*((f"lead {n}", case.as_of) for n, (_, case) in enumerate(cases)))
    matrix = spark_engine.compute(tables, points, Plan(tuple(signals), tuple(features)))
    wrong = []
    for place, ((kind, case), plan) in enumerate(zip(cases, plans, strict=True)):
        found = matrix[plan.columns[0]][place]
        expected = np.nan if case.expected is None else case.expected
        if found != pytest.approx(expected, rel=1e-12, nan_ok=True):
            wrong.append(f"{kind}: {case.fact}: {found}, not {expected}")
    assert wrong == []
    assert len(cases) >= len(KINDS.keys() - ACCOUNT_KINDS)
