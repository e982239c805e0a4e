"""A few damaged variants of every real export file; tests/damage.py runs thousands."""

from collections import Counter

import pytest
from tests.damage import RAW, cases, run

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not RAW.is_dir(), reason=f"REAL DATA NOT FOUND in {RAW}: not tested"),
]
VARIANTS = 200


def test_damaged_files_are_read_or_refused_in_words_and_no_row_is_lost():
    found = Counter(what for _, what in run(VARIANTS, seed=20_260_101))
    assert sum(found.values()) == VARIANTS
    assert found["read"] > VARIANTS // 4
    assert set(found) <= {"read", "DataError", "SchemaError", "ConfigError"}


def test_every_system_with_real_files_takes_part():
    assert {"ga4", "hubspot"} <= {case.system for case in cases()}
