"""A selection keeps what predicts later leads, and says of each other column why it went."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mqlml.dataset.splits import Fold
from mqlml.modeling.matrix import MatrixShape
from mqlml.modeling.search import Material
from mqlml.modeling.selection import Selection, select

ROWS = 1_200
NAMES = ("fit", "strong", "louder", "flat", "rare", "weak", "noise_a", "noise_b", "noise_c")


@pytest.fixture(scope="module")
def material() -> Material:
    draw = np.random.default_rng(3)
    values = {name: draw.normal(size=ROWS) for name in NAMES}
    values["louder"] = np.exp(values["strong"])  # the same ranks
    values["flat"] = np.full(ROWS, 4.0)
    values["rare"] = np.where(np.arange(ROWS) % 400 == 0, 1.0, np.nan)
    odds = 2.0 * values["strong"] + 0.8 * values["weak"] + 0.8 * values["fit"]
    labels = (draw.random(ROWS) < 1 / (1 + np.exp(-odds))).astype(np.float64)
    axes = ("fit", *("engagement",) * (len(NAMES) - 1))
    shape = MatrixShape(NAMES, (), axes)
    return Material(
        matrix=pd.DataFrame(values),
        labels=labels,
        as_of=np.arange(ROWS),
        leads=np.arange(ROWS),
        plan_shape=shape,
        shape=shape,
        seed=0,
    )


FOLDS = tuple(Fold(np.arange(start), np.arange(start, start + 300)) for start in (300, 600, 900))


@pytest.fixture(scope="module")
def selection(material: Material) -> Selection:
    return select(material, FOLDS, NAMES[1:])


def test_what_predicts_is_kept_best_first(selection: Selection) -> None:
    kept = [gain.column for gain in selection.kept]
    assert kept[:2] == ["strong", "weak"]
    assert selection.kept[0].gain > selection.kept[1].gain > 0


def test_each_column_that_goes_has_its_reason(selection: Selection) -> None:
    assert selection.dropped["flat"] == "says the same of nearly every lead"
    assert selection.dropped["rare"] == "says the same of nearly every lead"
    assert selection.dropped["louder"] == "says what strong says"
    fates = [*(gain.column for gain in selection.kept), *selection.dropped]
    assert sorted(fates) == sorted(NAMES[1:])


def test_the_sets_grow_and_the_best_beats_the_empty_one(selection: Selection) -> None:
    sizes = [judged.columns for judged in selection.sets]
    assert sizes == sorted(set(sizes))
    assert sizes[0] == 0
    assert min(judged.log_loss for judged in selection.sets) < selection.sets[0].log_loss - 0.05


def test_noise_alone_keeps_nothing(material: Material) -> None:
    shuffled = np.random.default_rng(5).permutation(material.labels)
    found = select(replace(material, labels=shuffled), FOLDS, NAMES[1:])
    assert found.kept == ()


def test_what_a_rule_reads_stays_and_its_twin_goes(material: Material) -> None:
    found = select(material, FOLDS, NAMES[1:], always=("louder", "flat"))
    kept = {gain.column for gain in found.kept}
    assert {"louder", "flat", "weak"} <= kept
    assert found.dropped["strong"] == "says what louder says"


def test_the_same_seed_gives_the_same_selection(material: Material, selection: Selection) -> None:
    assert select(material, FOLDS, NAMES[1:]) == selection


def test_no_candidates_are_no_selection(material: Material) -> None:
    found = select(material, FOLDS, ())
    assert (found.kept, dict(found.dropped)) == ((), {})
