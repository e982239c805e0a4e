import math

import numpy as np
import pytest

from mqlml.features.demographics import company_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("51-200", 125.5),
        ("51 – 200 employees", 125.5),
        ("51 to 200", 125.5),
        ("10,000+", 10_000),
        ("10.000+ Mitarbeiter", 10_000),
        ("1,234", 1_234),
        ("1 234", 1_234),
        ("1'234'567", 1_234_567),
        ("12,5", 12.5),
        ("350.0", 350),
        ("1.5k", 1_500),
        ("10k-50k", 30_000),
        ("2M", 2_000_000),
        ("> 500", 500),
        ("<10", 5),
        ("up to 50", 25),
        ("unter 20", 10),
        ("Self-employed", 1),
        ("Freelancer", 1),
        (350, 350),
        (np.int64(7), 7),
        (12.0, 12),
    ],
)
def test_a_size_becomes_a_number(text: object, size: float) -> None:
    assert company_size(text) == size


@pytest.mark.parametrize(
    "text",
    ["", "many", "-5", "2019-05-03", "200-51", None, math.nan, math.inf, -3, "🚀", "x" * 10_000],
)
def test_what_is_no_size_is_missing(text: object) -> None:
    assert math.isnan(company_size(text))
