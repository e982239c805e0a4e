import importlib.util
from types import ModuleType
from typing import Any

import numba
import numpy as np
import pytest

from mqlml.features import kernel
from mqlml.features.kinds.catalogue import KINDS, NUMBERS
from mqlml.timeline import EVER, MICROS_PER_DAY, MICROS_PER_WEEK


@pytest.fixture
def plain_kernel() -> ModuleType:
    """Return the kernel as plain Python, uncompiled."""
    spec = importlib.util.spec_from_file_location("plain_kernel", kernel.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "DISABLE_JIT", True)
        spec.loader.exec_module(module)
    return module


def _random_bucket(module: Any) -> tuple[Any, ...]:
    random = np.random.default_rng(7)
    leads, events, points = 4, 120, 40
    lead = np.sort(random.integers(0, leads, events))
    at = random.integers(0, 90 * MICROS_PER_DAY, events)
    at[::7] = (at[::7] // MICROS_PER_DAY) * MICROS_PER_DAY
    at = at[np.lexsort((at, lead))]
    point_lead = np.sort(random.integers(0, leads, points))
    as_of = random.integers(0, 100, points) * MICROS_PER_DAY
    as_of = as_of[np.lexsort((as_of, point_lead))]
    numbers = random.normal(size=(1, events))
    numbers[0, ::5] = np.nan
    codes = random.integers(-1, 4, (1, events)).astype(np.int32)
    patterns = random.integers(0, 3, events).astype(np.int32)
    tasks = sorted(
        (signal, window, NUMBERS[name], 0 if kind.of != "nothing" else -1, 1e-12)
        for signal in range(3)
        for window in (EVER, 30 * MICROS_PER_DAY, 3 * MICROS_PER_WEEK)
        for name, kind in KINDS.items()
        if not (kind.min_weeks and window == EVER)
    )
    columns = [np.array(column) for column in zip(*tasks, strict=True)]
    ints = [column.astype(np.int64) for column in columns[:4]]
    return (
        module.BucketEvents(
            at=at,
            patterns=patterns,
            # Pattern 0 has signal 0, pattern 1 has signals 0 and 1, pattern 2 none; 2 never comes.
            pattern_starts=np.array([0, 1, 3, 3]),
            pattern_signals=np.array([0, 0, 1]),
            numbers=numbers,
            codes=codes,
            latest=np.full(6, -1),
        ),
        module.BucketLeads(
            np.searchsorted(lead, np.arange(leads)),
            np.searchsorted(lead, np.arange(leads), side="right"),
            np.searchsorted(point_lead, np.arange(leads)),
            np.searchsorted(point_lead, np.arange(leads), side="right"),
        ),
        as_of,
        module.Tasks(*ints, columns[4].astype(np.float64), np.arange(len(tasks))),
        np.full((len(tasks), points), -7.0),
    )


def test_the_compiled_sweep_equals_the_plain_one_to_the_last_bit(plain_kernel: ModuleType) -> None:
    plain, compiled = _random_bucket(plain_kernel), _random_bucket(kernel)
    plain_kernel.sweep(*plain)
    kernel.sweep(*compiled)
    assert plain[-1].tobytes() == compiled[-1].tobytes()
    assert not (plain[-1] == -7.0).all()


def test_a_signal_without_events_leaves_the_matrix_as_it_was(plain_kernel: ModuleType) -> None:
    bucket = _random_bucket(plain_kernel)
    plain_kernel.sweep(*bucket)
    tasks, matrix = bucket[3], bucket[-1]
    assert (matrix[tasks.signals == 2] == -7.0).all()


def test_a_lead_may_have_any_number_of_events(plain_kernel: ModuleType) -> None:
    events = 3_000
    bucket = list(_random_bucket(plain_kernel))
    bucket[0] = bucket[0]._replace(
        at=np.arange(events), patterns=np.zeros(events, np.int32), numbers=np.ones((1, events))
    )
    bucket[0] = bucket[0]._replace(codes=np.zeros((1, events), np.int32))
    starts = np.zeros(1, np.int64)
    bucket[1] = plain_kernel.BucketLeads(starts, starts + events, starts, starts + 1)
    bucket[2] = np.array([EVER // 2])
    bucket[-1] = bucket[-1][:, :1].copy()
    plain_kernel.sweep(*bucket)
    tasks, matrix = bucket[3], bucket[-1]
    is_count = (tasks.kinds == NUMBERS["count"]) & (tasks.signals == 0) & (tasks.windows == EVER)
    assert matrix[is_count, 0].tolist() == [events]


def test_the_compiled_sweep_has_one_specialisation() -> None:
    kernel.sweep(*_random_bucket(kernel))
    assert len(kernel._sweep.signatures) == 1
