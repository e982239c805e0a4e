"""A fitted model that learnt whether leads were handed over, and speaks as if all were.

Leads that nobody works hardly convert, whoever they are. A model that is not told who was
worked takes the taste of the old routing for that of buyers; one that learns from worked leads
alone knows nothing of the others. So whether a lead was handed over is learnt as a column, and
set to 1 whenever a lead is scored: the chance to convert, if sales works it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.modeling.contestants.contestant import Fitted
from mqlml.modeling.files import json_bytes, json_value
from mqlml.modeling.matrix import BASE

KIND = "routed"
FILE = "routed.json"
# No column of a plan: it is never asked for, shown or given as a reason.
COLUMN = "__handed_over"
_INNER = "routed_"
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FittedRouted:
    """A contestant fitted with `COLUMN`, which takes matrices without it."""

    inner: Fitted

    @property
    def kind(self) -> str:
        """Return the kind of the files that hold it."""
        return KIND

    def log_odds(self, matrix: pd.DataFrame) -> Floats:
        """Return the log-odds of each row, were it handed over."""
        return self.inner.log_odds(with_column(matrix, 1.0))

    def contributions(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return one column per used column of the plan and `__base`; rows sum to the log-odds.

        What being handed over adds is the same for nearly everybody, and goes to the base.
        """
        found = self.inner.contributions(with_column(matrix, 1.0))
        if COLUMN in found.columns:
            found[BASE] += found.pop(COLUMN)
        return found

    def parts(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return the columns base, fit and engagement; rows sum to the log-odds."""
        return self.inner.parts(with_column(matrix, 1.0))

    def to_files(self) -> dict[str, bytes]:
        """Return the files that hold it, those of the model inside under names of their own."""
        inner = {f"{_INNER}{name}": content for name, content in self.inner.to_files().items()}
        return {FILE: json_bytes({"kind": self.inner.kind}), **inner}


def inner_of(files: Mapping[str, bytes]) -> tuple[str, dict[str, bytes]]:
    """Return the kind of the model inside, and its files by the names that it gave them."""
    inner = {name[len(_INNER) :]: files[name] for name in files if name.startswith(_INNER)}
    return str(json_value(files[FILE])["kind"]), inner


def with_column(matrix: pd.DataFrame, handed_over: Floats | float) -> pd.DataFrame:
    """Return the matrix and, last, whether each row's lead was handed over (1 or 0)."""
    column = np.broadcast_to(np.asarray(handed_over, dtype=np.float64), len(matrix))
    return pd.concat([matrix, pd.Series(column, matrix.index, name=COLUMN)], axis=1)
