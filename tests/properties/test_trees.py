"""Whatever LightGBM learns, our trees score and explain it as LightGBM does."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mqlml.modeling.trees.ensemble import Ensemble

FEATURES, CATEGORIES = 7, (5, 6)
ODD = [np.nan, 0.0, -0.0, 1e-36, -1e-36, 2e-35, -2e-35, 1e300, -1e300, np.inf, -np.inf]
ODD_CATEGORIES = [np.nan, -1.0, -0.5, 0.5, 3.9, 77.0, 31.0, 32.0, 2.0**31, 1e18, np.inf, -np.inf]


def drawn_rows(seed: int, rows: int) -> np.ndarray:
    """Return rows with ties, zeros, missing values, and categories beyond those of training."""
    rng = np.random.default_rng(seed)
    found = rng.normal(size=(rows, FEATURES))
    found[:, 1] = np.round(found[:, 1], 1)
    found[:, 2] = rng.poisson(1.0, rows)
    found[:, 3] *= rng.random(rows) < 0.5
    for column in CATEGORIES:
        found[:, column] = rng.integers(0, 40 if column == CATEGORIES[0] else 4, rows)
    found[rng.random(found.shape) < 0.08] = np.nan
    return found


def odd_rows(seed: int, rows: int, trees: Ensemble) -> np.ndarray:
    """Return rows in which many values are at a threshold, or such as nobody expects."""
    splits = [split for tree in trees.trees for split in tree.splits]
    rng = np.random.default_rng(seed)
    found = drawn_rows(seed, rows)
    for column in range(FEATURES):
        odd = rng.choice(ODD_CATEGORIES if column in CATEGORIES else ODD, rows)
        found[:, column] = np.where(rng.random(rows) < 0.3, odd, found[:, column])
        own = [s.threshold for s in splits if s.feature == column and s.categories is None]
        if own:
            exact = rng.choice(own, rows)
            beside = np.nextafter(exact, rng.choice([-np.inf, np.inf], rows))
            exact = np.where(rng.random(rows) < 0.5, exact, beside)
            found[:, column] = np.where(rng.random(rows) < 0.4, exact, found[:, column])
    return found


def drawn_booster(seed: int, **parameters: Any) -> Any:
    """Return a booster learnt from drawn rows."""
    import lightgbm

    rng = np.random.default_rng(seed)
    rows = drawn_rows(seed, int(rng.integers(30, 400)))
    score = np.nan_to_num(rows[:, 0]) * np.nan_to_num(rows[:, 1]) + np.isnan(rows[:, 2])
    labels = score + (rows[:, 5] % 3 == 1) + rng.normal(size=len(rows)) > 0.4
    settings_of = {
        "objective": "binary",
        "num_leaves": int(rng.integers(2, 40)),
        "max_bin": int(rng.choice([3, 15, 127, 255])),
        "min_data_in_leaf": int(rng.integers(1, 20)),
        "min_data_per_group": 1,
        "cat_smooth": 1.0,
        "learning_rate": 0.3,
        "bagging_fraction": float(rng.choice([0.6, 1.0])),
        "bagging_freq": 1,
        "seed": seed,
        "num_threads": 1,
        "verbosity": -1,
        **parameters,
    }
    data = lightgbm.Dataset(
        rows, labels.astype(float), categorical_feature=list(CATEGORIES), params=settings_of
    )
    return lightgbm.train(settings_of, data, num_boost_round=int(rng.integers(1, 8)))


def check(booster: Any, rows: np.ndarray) -> None:
    found = Ensemble.from_text(booster.model_to_string())
    scores, contributions = found.raw_scores(rows), found.contributions(rows).T
    expected = booster.predict(rows, raw_score=True, num_threads=1)
    np.testing.assert_array_equal(scores, expected)
    referee = booster.predict(rows, pred_contrib=True, num_threads=1)
    np.testing.assert_allclose(contributions, referee[:, :-1], rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.base, referee[:, -1], rtol=0, atol=1e-9)
    np.testing.assert_allclose(contributions.sum(axis=1) + found.base, scores, atol=1e-9)
    # The five strongest of ours are as strong as LightGBM's, one by one.
    ranked = np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, :5]
    best = -np.sort(-np.abs(referee[:, :-1]), axis=1)[:, :5]
    strengths = np.take_along_axis(np.abs(referee[:, :-1]), ranked, axis=1)
    np.testing.assert_allclose(strengths, best, rtol=0, atol=1e-9)


@given(
    seed=st.integers(0, 2**20),
    zero_as_missing=st.booleans(),
    use_missing=st.booleans(),
    boosting=st.sampled_from(["gbdt", "dart"]),
)
def test_scores_equal_lightgbm_to_the_bit_and_reasons_to_1e_9(
    seed: int, zero_as_missing: bool, use_missing: bool, boosting: str
) -> None:
    booster = drawn_booster(
        seed, zero_as_missing=zero_as_missing, use_missing=use_missing, boosting=boosting
    )
    check(booster, odd_rows(seed + 1, 150, Ensemble.from_text(booster.model_to_string())))
    check(booster, drawn_rows(seed, 30))


@settings(max_examples=5)
@given(seed=st.integers(0, 2**20))
def test_one_row_alone_gets_what_it_gets_in_a_batch(seed: int) -> None:
    found = Ensemble.from_text(drawn_booster(seed).model_to_string())
    rows = drawn_rows(seed + 1, 90)
    scores, contributions = found.raw_scores(rows), found.contributions(rows)
    for row in range(0, 90, 13):
        alone = rows[row : row + 1]
        np.testing.assert_array_equal(found.raw_scores(alone), scores[[row]])
        np.testing.assert_array_equal(found.contributions(alone)[:, 0], contributions[:, row])


def test_labels_that_never_change_give_a_model_without_a_split() -> None:
    booster = drawn_booster(1, min_data_in_leaf=10_000)
    check(booster, drawn_rows(2, 20))
