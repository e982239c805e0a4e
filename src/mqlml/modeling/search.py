"""Choosing a setting on forward folds: the whole procedure is judged, calibration included.

A fold's model is calibrated on the fold before it, as the real one will be on
the latest mature block. So the first fold only calibrates; the others judge.
"""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.dataset.splits import Fold, Split
from mqlml.modeling.calibration import (
    CalibrationKind,
    Floats,
    fit_calibration,
    probability_of,
)
from mqlml.modeling.contestants.contestant import (
    NO_HALF_LIFE,
    Contestant,
    Setting,
    TrainingRows,
    window_of,
)
from mqlml.modeling.matrix import MatrixShape
from mqlml.modeling.metrics import log_losses, pr_auc, roc_auc

Rows = npt.NDArray[np.intp]

# From simple to involved: of equal ones the first is taken.
_KINDS: tuple[CalibrationKind, ...] = ("none", "shift", "platt")
# Rows times columns of a fold while searching; beyond, rows are drawn.
_MOST_SEARCH_CELLS = 1_200_000
# Judged rows of a fold while searching; beyond, rows are drawn.
_MOST_JUDGED_ROWS = 50_000
# Of a wide search so many settings are remembered.
_KEPT_SETTINGS = 40


@dataclass(frozen=True)
class Material:
    """The rows that a tournament works on: matrix, labels, and order in time.

    `plan_shape` is of the whole matrix, `shape` of the columns that models may use,
    `accepted` the second target (see `TrainingRows`).
    """

    matrix: pd.DataFrame
    labels: Floats
    as_of: npt.NDArray[np.int64]
    leads: npt.NDArray[np.int64]
    plan_shape: MatrixShape
    shape: MatrixShape
    seed: int
    accepted: Floats | None = None

    def training(self, rows: Rows) -> TrainingRows:
        """Return the rows to learn from, each with its age."""
        return self._aged(rows, np.arange(len(rows)))

    def search_training(self, rows: Rows) -> TrainingRows:
        """Return the rows to learn from; of a large table some, drawn by seed, with their ages."""
        most = _MOST_SEARCH_CELLS // max(len(self.shape.columns), 1)
        if len(rows) <= most:
            return self.training(rows)
        generator = np.random.default_rng(self.seed)
        return self._aged(rows, np.sort(generator.choice(len(rows), most, replace=False)))

    def _aged(self, rows: Rows, drawn: Rows) -> TrainingRows:
        """Return those of the rows at the `drawn` positions, their ages among all of them."""
        newest_first = np.sort(-self.as_of[rows])
        kept = rows[drawn]
        age = np.searchsorted(newest_first, -self.as_of[kept], side="left").astype(np.float64)
        accepted = None if self.accepted is None else self.accepted[kept]
        return TrainingRows(
            self.matrix.iloc[kept], self.labels[kept], age, self.shape, self.seed, accepted
        )

    def judged(self, rows: Rows) -> Rows:
        """Return the rows to judge on, sorted; of many some, drawn by seed."""
        if len(rows) > _MOST_JUDGED_ROWS:
            generator = np.random.default_rng(self.seed)
            rows = generator.choice(rows, _MOST_JUDGED_ROWS, replace=False)
        return np.sort(rows)


@dataclass(frozen=True)
class Choice:
    """A contestant's best setting with its forward figures.

    `losses` are the rows' log losses per judged fold; `leads` the leads of these rows.
    `latest` are the log-odds of `latest_rows`, rows of the latest development block, from
    the model that had not seen it.
    """

    contestant: Contestant
    setting: Setting
    kind: CalibrationKind
    losses: tuple[Floats, ...]
    leads: tuple[Rows, ...]
    latest: Floats
    latest_rows: Rows
    roc_auc: float
    pr_auc: float

    @property
    def fold_log_loss(self) -> tuple[float, ...]:
        """Return the mean log loss of each judged fold."""
        return tuple(float(losses.mean()) for losses in self.losses)

    @property
    def log_loss(self) -> float:
        """Return the mean over the judged folds."""
        return float(np.mean(self.fold_log_loss))


@dataclass(frozen=True)
class Step:
    """What a fold's models say, by setting: of its valid rows, and of the block before.

    `before` are those rows of the block before whose label was decided in time.
    """

    valid: Rows
    before: Rows
    of_valid: Mapping[Setting, Floats]
    of_before: Mapping[Setting, Floats]

    def forward(self, setting: Setting, rows: Rows) -> Floats:
        """Return what was said of some of the valid rows."""
        return self.of_valid[setting][np.searchsorted(self.valid, rows)]

    def joined(self, more: "Step", settings: Collection[Setting]) -> "Step":
        """Return what both say of the same rows under the `settings`."""
        of_valid = {**self.of_valid, **more.of_valid}
        of_before = {**self.of_before, **more.of_before}
        return Step(
            self.valid,
            self.before,
            {setting: said for setting, said in of_valid.items() if setting in settings},
            {setting: said for setting, said in of_before.items() if setting in settings},
        )


@dataclass(frozen=True)
class _Option:
    """One setting and kind of calibration with its losses per judged fold."""

    setting: Setting
    kind: CalibrationKind
    losses: tuple[Floats, ...]

    @property
    def log_loss(self) -> float:
        return float(np.mean([losses.mean() for losses in self.losses]))

    @property
    def forgetting(self) -> float:
        """Return how fast old rows lose weight: 0 is the simplest."""
        half_life = dict(self.setting).get("half_life", NO_HALF_LIFE)
        rows = [rows for rows in (half_life, window_of(self.setting)) if rows > 0]
        return 1.0 / min(rows) if rows else 0.0


@dataclass(frozen=True)
class Searched:
    """Settings of a contestant: what each fold's models say under them, and their losses."""

    contestant: Contestant
    steps: tuple[Step, ...]
    options: tuple[_Option, ...]

    @property
    def lowest(self) -> float:
        """Return the lowest forward log loss of all."""
        return min(option.log_loss for option in self.options)

    def joined(self, more: "Searched") -> "Searched":
        """Return both sets of settings, but of many only the best ones."""
        options = (*self.options, *more.options)
        plain = [option.log_loss for option in options if option.forgetting == 0]
        # What remembers everything may win although it is not among the best.
        best = {o.setting for o in options if o.forgetting == 0 and o.log_loss == min(plain)}
        for option in sorted(options, key=lambda option: option.log_loss):
            if len(best) < _KEPT_SETTINGS:
                best.add(option.setting)
        steps = tuple(a.joined(b, best) for a, b in zip(self.steps, more.steps, strict=True))
        return Searched(self.contestant, steps, tuple(o for o in options if o.setting in best))

    def best(self, material: Material) -> Choice:
        """Return the setting and kind of calibration with the lowest mean forward log loss.

        What forgets old rows must earn it: an option without is taken unless a forgetting
        one is better by more than one standard error.
        """
        leads = tuple(material.leads[step.valid] for step in self.steps[1:])
        return _choice(self.contestant, _simplest_good(self.options, leads), self.steps, material)


def search(contestant: Contestant, material: Material, split: Split, *, jobs: int) -> Searched:
    """Return every setting of the contestant, judged on the folds of the development part."""
    valids = [material.judged(fold.valid) for fold in split.folds]
    befores = [valids[0][:0]]
    befores += [
        np.intersect1d(before, fold.train)
        for before, fold in zip(valids[:-1], split.folds[1:], strict=True)
    ]
    # Threads serve: fitting is compiled code that lets the interpreter go.
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        steps = tuple(pool.map(partial(_step, contestant, material), split.folds, valids, befores))
    options = tuple(
        _Option(setting, kind, _judged(setting, kind, steps, material.labels))
        for setting in steps[0].of_valid
        for kind in _KINDS
    )
    return Searched(contestant, steps, options)


def _step(
    contestant: Contestant, material: Material, fold: Fold, valid: Rows, before: Rows
) -> Step:
    wanted = material.matrix.iloc[np.concatenate([valid, before])]
    found = contestant.search(material.search_training(fold.train), wanted)
    return Step(
        valid,
        before,
        {setting: said[: len(valid)] for setting, said in found.items()},
        {setting: said[len(valid) :] for setting, said in found.items()},
    )


def _judged(
    setting: Setting, kind: CalibrationKind, steps: Sequence[Step], labels: Floats
) -> tuple[Floats, ...]:
    """Return the losses of every fold but the first, calibrated on the block before."""
    judged = []
    for earlier, step in pairwise(steps):
        calibration = fit_calibration(
            step.of_before[setting],
            earlier.forward(setting, step.before),
            labels[step.before],
            kind,
        )
        probability = probability_of(calibration.apply(step.of_valid[setting]))
        judged.append(log_losses(labels[step.valid], probability))
    return tuple(judged)


def _simplest_good(options: Sequence[_Option], leads: Sequence[Rows]) -> _Option:
    best = min(options, key=lambda option: option.log_loss)
    good = [
        option
        for option in options
        if option.log_loss - best.log_loss <= difference_error(option.losses, best.losses, leads)
    ]
    return min(good, key=lambda option: (option.forgetting, option.log_loss))


def difference_error(
    losses: Sequence[Floats], others: Sequence[Floats], leads: Sequence[Rows]
) -> float:
    """Return the standard error of the difference of two mean fold losses.

    The larger of two: from leads (rows of one lead err together), and from folds
    (all rows of a period err together).
    """
    apart = [a - b for a, b in zip(losses, others, strict=True)]
    means = np.array([values.mean() for values in apart])
    count = len(means)
    by_leads = [
        (np.bincount(lead, values - mean) ** 2).sum() / len(values) ** 2
        for values, mean, lead in zip(apart, means, leads, strict=True)
    ]
    from_leads = float(np.sqrt(np.sum(by_leads))) / count
    from_folds = float(means.std(ddof=1)) / np.sqrt(count) if count > 1 else 0.0
    return float(max(from_leads, from_folds))


def _choice(
    contestant: Contestant, option: _Option, steps: Sequence[Step], material: Material
) -> Choice:
    said = [(material.labels[s.valid], s.of_valid[option.setting]) for s in steps[1:]]
    return Choice(
        contestant=contestant,
        setting=option.setting,
        kind=option.kind,
        losses=option.losses,
        leads=tuple(material.leads[step.valid] for step in steps[1:]),
        latest=steps[-1].of_valid[option.setting],
        latest_rows=steps[-1].valid,
        roc_auc=float(np.mean([roc_auc(y, log_odds) for y, log_odds in said])),
        pr_auc=float(np.mean([pr_auc(y, log_odds) for y, log_odds in said])),
    )
