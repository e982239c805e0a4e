"""The trees of a boosting model, ready to score rows and to explain them.

Each row's figures depend on the row alone, and are the same bits whatever the other
rows, the number of threads and how rows are cut among them.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from mqlml.modeling.trees.codes import Codes, code_splits
from mqlml.modeling.trees.forest import Forest, plant
from mqlml.modeling.trees.groups import Groups, Quadrature, group_leaves, quadrature
from mqlml.modeling.trees.text import Tree, read_trees

Floats = npt.NDArray[np.float64]

_SCORED_AT_ONCE = 16_384
# The more rows share one table of patterns the less each costs, up to what memory
# the codes may take.
_FEWEST_EXPLAINED_AT_ONCE, _EXPLAINED_AT_ONCE = 4_096, 16_384


@dataclass(frozen=True)
class Ensemble:
    """The trees of a model whose raw score is the sum of one leaf of each."""

    trees: tuple[Tree, ...]

    @classmethod
    def from_text(cls, text: str) -> "Ensemble":
        """Return the trees of a LightGBM model text; BundleError if it is not one."""
        return cls(read_trees(text))

    @property
    def base(self) -> float:
        """Return the mean raw score over the training rows: what no feature explains."""
        return float(sum(tree.average for tree in self.trees))

    def raw_scores(self, rows: Floats, *, threads: int = 1) -> Floats:
        """Return each row's sum of leaf values, equal to LightGBM's raw score to the last bit.

        Args:
            rows: one row of feature values per row, in the order of training's columns.
            threads: how many rows' blocks are worked on at once; changes no figure.
        """
        values = [tree.leaf_values for tree in self.trees]
        found: Floats = self.sums(rows, values, [0] * len(values), 1, threads=threads)[0]
        return found

    def sums(
        self,
        rows: Floats,
        values: Sequence[Floats],
        places: Sequence[int],
        count: int,
        *,
        threads: int = 1,
    ) -> Floats:
        """Return sums over trees (line per sum, column per row) of `values` of the rows' leaves.

        Args:
            rows: as in `raw_scores`.
            values: what each tree's leaves add.
            places: to which of the `count` sums each tree adds; -1 for none.
            count: how many sums there are.
            threads: changes no figure.
        """
        # Imported late: numba takes half a second.
        from mqlml.modeling.trees.kernel import Leaves, add_leaves

        leaves = Leaves(np.concatenate([np.zeros(0), *values]), np.array(places, dtype=np.int64))
        found = np.zeros((count, len(rows)))
        codes, forest, rows = self._codes, self._forest, np.ascontiguousarray(rows)

        def work(part: slice) -> None:
            add_leaves(rows[part], codes, forest, leaves, found[:, part])

        _in_parts(work, len(rows), _SCORED_AT_ONCE, threads)
        return found

    def contributions(self, rows: Floats, *, threads: int = 1) -> Floats:
        """Return the Shapley values: one line per feature, one column per row.

        With `base` they sum to the raw score. See `kernel` for the definition.
        """
        from mqlml.modeling.trees.kernel import explain

        found = np.zeros((rows.shape[1], len(rows)))
        codes, (groups, rule) = self._codes, self._groups
        rows = np.ascontiguousarray(rows)
        fair = -(-len(rows) // threads)
        at_once = min(max(fair, _FEWEST_EXPLAINED_AT_ONCE), _EXPLAINED_AT_ONCE)

        def work(part: slice) -> None:
            explain(rows[part], codes, groups, rule, found[:, part])

        _in_parts(work, len(rows), at_once, threads)
        return found

    @cached_property
    def _codes(self) -> Codes:
        return code_splits(self.trees)

    @cached_property
    def _forest(self) -> Forest:
        return plant(self.trees, self._codes)

    @cached_property
    def _groups(self) -> tuple[Groups, Quadrature]:
        groups = group_leaves(self.trees, self._codes)
        most = int(np.diff(groups.slot_starts).max(initial=1))
        return groups, quadrature((most + 1) // 2)


def _in_parts(work: Callable[[slice], None], rows: int, at_once: int, threads: int) -> None:
    """Call `work` on consecutive parts of the rows, on several threads if there are several."""
    parts = [slice(first, min(first + at_once, rows)) for first in range(0, rows, at_once)]
    if len(parts) < 2 or threads < 2:
        for part in parts:
            work(part)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, parts))
