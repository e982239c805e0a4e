"""Grades: letters A to D for fit, figures 1 to 4 for engagement.

Cut from the two parts of the log-odds over the training rows. Neighbours that do
not differ in conversion are one band and carry the lesser name: a grade never
promises more than was seen.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

FIT_NAMES = ("A", "B", "C", "D")
ENGAGEMENT_NAMES = ("1", "2", "3", "4")
# The best tenth, the next sixth or so, the next quarter, the lower half.
_SHARES_BELOW = (0.9, 0.75, 0.5)
# Neighbours count as different from this many standard errors on.
_LEAST_Z = 1.64


@dataclass(frozen=True)
class AxisBands:
    """Bands of one part, best first: a row is in the first band whose cut it reaches.

    There is one cut less than names; the last band takes the rest.
    """

    names: tuple[str, ...]
    cuts: tuple[float, ...]

    def assign(self, part: Floats) -> npt.NDArray[np.object_]:
        """Return the band's name for each value."""
        position = (part[:, None] < np.array(self.cuts)[None, :]).sum(axis=1)
        return np.asarray(np.array(self.names, dtype=object)[position], dtype=np.object_)


@dataclass(frozen=True)
class GradeCuts:
    """The bands of both axes."""

    fit: AxisBands
    engagement: AxisBands

    def grades(self, parts: pd.DataFrame) -> "pd.Series[str]":
        """Return grades such as "B2" for parts as `Model.parts` gives them."""
        letters = self.fit.assign(parts["fit"].to_numpy(np.float64))
        figures = self.engagement.assign(parts["engagement"].to_numpy(np.float64))
        return pd.Series(letters + figures, index=parts.index, dtype="str", name="grade")

    def to_json(self) -> dict[str, Any]:
        """Return the cuts as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "GradeCuts":
        """Return the cuts that `to_json` gave."""
        fit, engagement = (
            AxisBands(tuple(values[axis]["names"]), tuple(values[axis]["cuts"]))
            for axis in ("fit", "engagement")
        )
        return cls(fit, engagement)


def cut_grades(parts: pd.DataFrame, labels: Floats) -> GradeCuts:
    """Return the bands of training rows with these parts and labels."""
    return GradeCuts(
        _cut_axis(parts["fit"].to_numpy(np.float64), labels, FIT_NAMES),
        _cut_axis(parts["engagement"].to_numpy(np.float64), labels, ENGAGEMENT_NAMES),
    )


def _cut_axis(part: Floats, labels: Floats, names: Sequence[str]) -> AxisBands:
    cuts = [float(cut) for cut in np.quantile(part, _SHARES_BELOW)]
    bands = AxisBands(tuple(names), tuple(cuts))
    while len(bands.names) > 1:
        steps = _steps(bands, part, labels)
        closest = int(np.argmin(steps))
        if steps[closest] >= _LEAST_Z:
            break
        bands = AxisBands(
            (*bands.names[:closest], *bands.names[closest + 1 :]),
            (*bands.cuts[:closest], *bands.cuts[closest + 1 :]),
        )
    return bands


def _steps(bands: AxisBands, part: Floats, labels: Floats) -> Floats:
    """Return by how many standard errors each band converts better than the next."""
    position = (part[:, None] < np.array(bands.cuts)[None, :]).sum(axis=1)
    count = np.bincount(position, minlength=len(bands.names)).astype(np.float64)
    positives = np.bincount(position, labels, minlength=len(bands.names))
    # Half a case of each class keeps the rate of an empty or pure band sensible.
    rate = (positives + 0.5) / (count + 1.0)
    variance = rate * (1 - rate) / (count + 1.0)
    return np.asarray((rate[:-1] - rate[1:]) / np.sqrt(variance[:-1] + variance[1:]))
