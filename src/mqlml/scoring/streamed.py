"""Scores made of the matrix as it comes, part by part, so that it is never there whole."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from mqlml.modeling.bundle import Bundle
from mqlml.scoring.rows import RuleAttributes
from mqlml.scoring.score import SCORE_COLUMNS, Policy, in_order_of_score, score_points


@dataclass(frozen=True)
class ScoreSink:
    """Takes the parts of the plan's matrix, in any order and from several threads; keeps scores.

    `points` and `attributes` are those that the matrix is made for, row by row; `last` is
    each point's last score, None if nobody was ever scored. `scratch` is where whoever
    makes the parts may put files of its own.
    """

    bundle: Bundle
    points: pd.DataFrame
    attributes: RuleAttributes
    policy: Policy
    scratch: Path
    last: npt.NDArray[np.float64] | None = None
    row_column: str | None = "__row"
    _scored: list[pa.Table] = field(default_factory=list, repr=False, compare=False)
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def leads_of(self, name: str) -> pa.ChunkedArray | None:  # noqa: ARG002 - of the parts' port
        """Return None: every part is scored anew."""
        return None

    def write(self, name: str, tables: Iterable[pa.Table]) -> None:  # noqa: ARG002 - as above
        """Score the rows of the tables."""
        for table in tables:
            scored = self._score(table)
            del table
            with self._lock:
                self._scored.append(scored)

    def scores(self) -> pd.DataFrame:
        """Return what `score_points` returns for all points; asked once, as they are let go."""
        whole = pa.concat_tables(self._scored)
        self._scored.clear()
        frame: pd.DataFrame = whole.to_pandas(split_blocks=True, self_destruct=True)
        del whole
        return in_order_of_score(frame)

    def _score(self, table: pa.Table) -> pa.Table:
        rows = table[self.row_column].to_numpy()
        points = self.points.iloc[rows].reset_index(drop=True)
        matrix = table.select(list(self.bundle.plan.columns)).to_pandas()
        scores = score_points(
            self.bundle,
            points,
            matrix,
            rows=self.attributes.beside(matrix, rows),
            policy=self.policy,
            previous=self._previous(points, rows),
        )
        times = pa.array(scores["as_of"].astype("int64")).cast(pa.timestamp("us", "UTC"))
        rest = pa.Table.from_pandas(scores.drop(columns="as_of"), preserve_index=False)
        return rest.append_column("as_of", times).select(list(SCORE_COLUMNS))

    def _previous(self, points: pd.DataFrame, rows: npt.NDArray[np.int64]) -> pd.DataFrame | None:
        if self.last is None:
            return None
        last = self.last[rows]
        known = np.flatnonzero(~np.isnan(last))
        return pd.DataFrame({"lead_id": points["lead_id"].iloc[known], "score": last[known]})
