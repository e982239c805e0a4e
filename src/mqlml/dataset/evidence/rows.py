"""Columns that never vary, columns written in one act, and leads that stand on both sides."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.dataset.evidence.views import view
from mqlml.dataset.findings import Finding

Mask = npt.NDArray[np.bool_]

SAME_SHARE = 0.995
SOME_MISSING = 0.02
TWIN_SHARE = 0.01
DISTINCT_SHARE = 0.8


def constant_columns(matrix: pd.DataFrame) -> Iterator[Finding]:
    """Yield a warning for every column with one value, or none, in all rows."""
    for name in matrix.columns:
        levels = len(matrix[name].drop_duplicates())
        if levels <= 1:
            evidence = f"the same in all {len(matrix):,} development rows"
            mend = "nothing need be done; it takes no part in the model"
            yield Finding(str(name), "constant", evidence, "warn", mend)


def written_together(missing: Mapping[str, Mask], stopped: Sequence[str]) -> Iterator[Finding]:
    """Yield a stop for columns missing in the very rows in which a stopped column is missing.

    Columns that are always filled together are written in one act, hence known
    at one time.
    """
    for name, mask in missing.items():
        if name in stopped or not SOME_MISSING <= mask.mean() <= 1 - SOME_MISSING:
            continue
        for other in stopped:
            together = _jaccard(mask, missing[other])
            if together >= SAME_SHARE:
                evidence = (
                    f"missing in {mask.mean():.1%} of rows, {together:.1%} of them the very rows "
                    f"in which '{other}' is missing: written in one act, known at one time"
                )
                figures = {"missing": float(mask.mean()), "same_rows": together}
                what = "written together with a leak"
                seen = view(
                    "share of the rows",
                    ["the column is missing", f"{other} is missing", "both are missing"],
                    [(float(len(mask)), float(m.sum())) for m in _three(mask, missing[other])],
                )
                yield Finding(name, what, evidence, "stop", figures=figures, view=seen)
                break


def twins(test: pd.DataFrame, development: pd.DataFrame) -> Iterator[Finding]:
    """Yield a warning if many rows of the test also stand in development, word for word.

    Both are indexed by lead_id; a lead's equal rows count once. Where most rows
    have equals anyway (few columns), twins say nothing.
    """
    if not len(test.columns) or not len(test):
        return
    known, late = _hashes(development), _hashes(test)
    again = late.isin(set(known))
    if again.mean() >= TWIN_SHARE and known.nunique() >= DISTINCT_SHARE * len(known):
        evidence = (
            f"{int(again.sum()):,} of {len(again):,} test rows ({again.mean():.1%}) equal a "
            "development row in every column"
        )
        mend = "look for leads that were loaded twice under different ids"
        figures = {"rows": float(again.sum()), "share": float(again.mean())}
        groups = [(float(len(again)), float(n)) for n in (again.sum(), (~again).sum())]
        seen = view("share of the test rows", ["stand in development too", "are new"], groups)
        what = "twins between development and test"
        yield Finding("(rows)", what, evidence, "warn", mend, figures, view=seen)


def _hashes(rows: pd.DataFrame) -> "pd.Series[int]":
    """Return one number per lead and different row; equal rows have equal numbers."""
    hashes = pd.util.hash_pandas_object(rows, index=False)
    pairs = pd.DataFrame({"lead": rows.index, "hash": hashes.to_numpy()})
    return pairs.drop_duplicates()["hash"]


def _three(one: Mask, other: Mask) -> tuple[Mask, Mask, Mask]:
    return one, other, one & other


def _jaccard(one: Mask, other: Mask) -> float:
    either = int((one | other).sum())
    return float((one & other).sum() / either) if either else 0.0
