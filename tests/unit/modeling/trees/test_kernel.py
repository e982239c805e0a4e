"""The compiled kernel does what its Python says, to the last bit."""

import importlib.util
from types import ModuleType
from typing import Any

import numba
import numpy as np
import pytest
from tests.model_texts import chain_text, model_text
from tests.properties.test_trees import drawn_booster, drawn_rows

from mqlml.modeling.trees import codes as codes_module
from mqlml.modeling.trees import kernel
from mqlml.modeling.trees.codes import code_splits, narrowest
from mqlml.modeling.trees.forest import plant
from mqlml.modeling.trees.groups import group_leaves, quadrature
from mqlml.modeling.trees.text import read_trees


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


def results(module: Any, text: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    trees = read_trees(text)
    codes = code_splits(trees)
    sums, found = np.zeros((2, len(rows))), np.zeros((rows.shape[1], len(rows)))
    values = np.concatenate([tree.leaf_values for tree in trees])
    places = np.arange(len(trees), dtype=np.int64) % 3 - 1
    module.add_leaves(rows, codes, plant(trees, codes), module.Leaves(values, places), sums)
    module.explain(rows, codes, group_leaves(trees, codes), quadrature(20), found)
    return sums, found


@pytest.mark.parametrize("seed", range(3))
def test_the_compiled_kernel_equals_the_plain_one_to_the_last_bit(
    plain_kernel: ModuleType, seed: int
) -> None:
    text, rows = drawn_booster(seed).model_to_string(), drawn_rows(seed + 1, 70)
    for plain, compiled in zip(
        results(plain_kernel, text, rows), results(kernel, text, rows), strict=True
    ):
        np.testing.assert_array_equal(plain, compiled)


def test_a_path_with_too_many_answers_for_a_pattern_is_walked_row_by_row(
    plain_kernel: ModuleType,
) -> None:
    text = model_text([chain_text(18)], 18)
    rows = (np.random.default_rng(3).random((20, 18)) < 0.9).astype(float)
    for plain, compiled in zip(
        results(plain_kernel, text, rows), results(kernel, text, rows), strict=True
    ):
        np.testing.assert_array_equal(plain, compiled)


def test_codes_that_need_more_than_16_bits_get_32(
    plain_kernel: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert narrowest(65_534) == np.uint16
    assert narrowest(65_535) == np.uint32
    text, rows = drawn_booster(4).model_to_string(), drawn_rows(5, 30)
    narrow = results(plain_kernel, text, rows)
    monkeypatch.setattr(codes_module, "narrowest", lambda edges: np.dtype(np.uint32))
    for wide, same in zip(results(plain_kernel, text, rows), narrow, strict=True):
        np.testing.assert_array_equal(wide, same)


def test_the_kernel_has_one_specialisation_for_all_models() -> None:
    for seed in range(2):
        results(kernel, drawn_booster(seed).model_to_string(), drawn_rows(seed, 5))
    assert len(kernel._add_leaves.signatures) == 1
    assert len(kernel._explain.signatures) == 1
