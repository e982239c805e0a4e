"""What every contestant of the tournament offers, before and after it is fitted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.modeling.matrix import BASE, MatrixShape

Floats = npt.NDArray[np.float64]

# One point of a contestant's search: named numbers, in a fixed order, so that it
# can be a key, a JSON value and a line of the report.
Setting = tuple[tuple[str, float], ...]

NO_HALF_LIFE = 0.0
# The window of a setting that learns from every row, however old.
ALL_ROWS = 0.0
# Fewer of either class than this and nothing beyond the base rate can be learnt.
FEWEST_OF_A_CLASS = 5


@dataclass(frozen=True)
class TrainingRows:
    """Rows to learn from; `age` is how many training rows of the fold are newer than each.

    `accepted` is what sales said within the horizon, NaN where nothing; None if nobody asks.
    """

    matrix: pd.DataFrame
    labels: Floats
    age: Floats
    shape: MatrixShape
    seed: int
    accepted: Floats | None = None

    @property
    def can_learn(self) -> bool:
        """Return whether both classes are frequent enough to learn from."""
        positives = int(self.labels.sum())
        return min(positives, len(self.labels) - positives) >= FEWEST_OF_A_CLASS

    def weights(self, half_life_rows: float) -> Floats:
        """Return the row weights: halved every `half_life_rows` newer rows; 0 means all equal."""
        if half_life_rows == NO_HALF_LIFE:
            return np.ones(len(self.labels))
        return np.asarray(0.5 ** (self.age / half_life_rows), dtype=np.float64)

    def latest(self, window_rows: float) -> "TrainingRows":
        """Return the rows with fewer than `window_rows` newer ones; 0 means all of them."""
        kept = np.flatnonzero(self.age < window_rows)
        if window_rows == ALL_ROWS or len(kept) == len(self.age):
            return self
        return self._of(kept)

    def drawn(self, most: int) -> "TrainingRows":
        """Return at most so many of the rows, drawn by the seed, with the ages they have here."""
        if len(self.labels) <= most:
            return self
        generator = np.random.default_rng(self.seed)
        return self._of(np.sort(generator.choice(len(self.labels), most, replace=False)))

    def _of(self, kept: npt.NDArray[np.intp]) -> "TrainingRows":
        return replace(
            self,
            matrix=self.matrix.iloc[kept],
            labels=self.labels[kept],
            age=self.age[kept],
            accepted=None if self.accepted is None else self.accepted[kept],
        )


class Fitted(Protocol):
    """A fitted contestant before calibration; all its figures are log-odds."""

    @property
    def kind(self) -> str:
        """Return the contestant's name."""
        ...

    def log_odds(self, matrix: pd.DataFrame) -> Floats:
        """Return the log-odds of each row."""
        ...

    def contributions(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return one column per used matrix column and `__base`; rows sum to the log-odds."""
        ...

    def parts(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return the columns base, fit and engagement; rows sum to the log-odds."""
        ...

    def to_files(self) -> dict[str, bytes]:
        """Return the files that hold it."""
        ...


class Contestant(Protocol):
    """A kind of model with a search space; the tournament sorts by `complexity`."""

    @property
    def name(self) -> str:
        """Return the contestant's name."""
        ...

    @property
    def complexity(self) -> int:
        """Return its rank in simplicity: of two equally good contestants the lower wins."""
        ...

    def search(self, rows: TrainingRows, valid: pd.DataFrame) -> Mapping[Setting, Floats]:
        """Return the log-odds of the `valid` rows under every setting, learnt from `rows`."""
        ...

    def fit(self, rows: TrainingRows, setting: Setting) -> Fitted:
        """Return the contestant learnt from `rows` under one setting."""
        ...


def setting_of(**values: float) -> Setting:
    """Return the setting with these values.

    >>> setting_of(c=0.1, half_life=0)
    (('c', 0.1), ('half_life', 0.0))
    """
    return tuple((name, float(value)) for name, value in values.items())


def window_of(setting: Setting) -> float:
    """Return how many of the newest rows a setting learns from; 0 means all."""
    return dict(setting).get("window", ALL_ROWS)


def by_window(settings: Iterable[Setting]) -> dict[float, list[Setting]]:
    """Return the settings by how many of the newest rows they learn from."""
    found: dict[float, list[Setting]] = {}
    for setting in settings:
        found.setdefault(window_of(setting), []).append(setting)
    return found


def parts_of(contributions: pd.DataFrame, shape: MatrixShape) -> pd.DataFrame:
    """Return contributions summed by axis: base, fit, engagement."""
    parts = {"base": contributions[BASE].to_numpy()}
    for axis in ("fit", "engagement"):
        names = [c for c, a in zip(shape.columns, shape.axes, strict=True) if a == axis]
        parts[axis] = contributions[names].to_numpy().sum(axis=1)
    return pd.DataFrame(parts)


def frame_of(values: Floats, columns: Sequence[str], base: float) -> pd.DataFrame:
    """Return contributions as a frame with `__base` as its last column."""
    frame = pd.DataFrame(values, columns=list(columns))
    frame[BASE] = base
    return frame
