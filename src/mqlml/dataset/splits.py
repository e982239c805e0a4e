"""Splits by time: development, calibration, forward folds, and a test nobody looks at.

A lead belongs to the block of its first point (its cohort). Giving it to the
block of a later point, or dropping leads that straddle a boundary, would select
by how long a lead stayed open, and that depends on the label.

    |-------------- development --------------|  gap  |------ test ------|
    |  train 1  | gap | valid 1 |             |
    |  train 2              | gap | valid 2   |
    |  train 3                    | gap | valid 3 = calibration

The gap is one horizon plus the reporting lag: what trains for a block was
decided, and known, before the block begins. Times made from an order column
have no gap, and leads of equal time stay on one side.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml import timeline
from mqlml.dataset.labels import Labels, Times, gap_of
from mqlml.dataset.settings import SplitSettings, TargetSettings
from mqlml.errors import ConfigError, DataError, Fault

Rows = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

MIN_LEADS = 50
MIN_CLASS_LEADS = 5
MIN_FOLDS = 2


@dataclass(frozen=True)
class Fold:
    """Row positions of one step forward: train lies before valid, a gap between them."""

    train: Rows
    valid: Rows


@dataclass(frozen=True)
class Split:
    """Row positions of labelled points by block, and the instant at which the test begins.

    `calibration` is the latest block of `development` and the valid rows of the
    last fold.
    """

    development: Rows
    calibration: Rows
    test: Rows
    folds: tuple[Fold, ...]
    test_from: int


@dataclass(frozen=True)
class _Labelled:
    """The labelled rows, and what their leads' cohorts hold, in order of time.

    `leads`, `positives` and `negatives` count leads per distinct cohort time; a
    lead with points of both labels counts as both.
    """

    rows: Rows
    as_of: Times
    cohort: Times
    label: Labels
    gap: int
    times: Times
    leads: Rows
    positives: Rows
    negatives: Rows

    def train_rows(self, boundary: int) -> Rows:
        """Return the rows of leads from before `boundary` whose label was decided by then."""
        return self.rows[self._is_train(boundary)]

    def block_rows(self, start: int, stop: int) -> Rows:
        """Return the rows of leads whose cohort lies in `[start, stop)`."""
        is_block: Flags = np.asarray(timeline.is_from(self.cohort, start), dtype=bool)
        is_later: Flags = np.asarray(timeline.is_from(self.cohort, stop), dtype=bool)
        return self.rows[is_block & ~is_later]

    def can_train(self, boundary: int, least: int) -> bool:
        """Return whether enough rows of both classes may train for `boundary`."""
        labels = self.label[self._is_train(boundary)]
        positives = int(labels.sum())
        return len(labels) >= least and min(positives, len(labels) - positives) >= MIN_CLASS_LEADS

    def _is_train(self, boundary: int) -> Flags:
        is_later: Flags = np.asarray(timeline.is_from(self.cohort, boundary), dtype=bool)
        is_decided: Flags = np.asarray(timeline.is_purged(self.as_of, self.gap, boundary))
        return is_decided & ~is_later


def make_split(points: pd.DataFrame, target: TargetSettings, settings: SplitSettings) -> Split:
    """Return development, calibration, test and forward folds of the labelled points.

    Points come as `training_points` gives them; rows without a label belong to
    no block. With fewer periods than folds asked for, neighbouring slices are
    merged until each holds both classes. Raises DataError if leads, classes or
    periods do not suffice, saying what was found and what is needed.
    """
    labelled = _labelled(points, gap_of(target))
    _refuse_thin(points, labelled)
    test_from = _test_start(labelled, settings)
    test = labelled.block_rows(test_from, timeline.NEVER)
    development = labelled.train_rows(test_from)
    inner = _labelled(points.iloc[development], labelled.gap, development)
    folds = _forward_folds(inner, settings.folds)
    if not _has_classes(points["label"].to_numpy()[test]) or len(folds) < MIN_FOLDS:
        raise _too_few_periods(labelled, test_from, len(folds))
    return Split(development, folds[-1].valid, test, folds, test_from)


def _labelled(points: pd.DataFrame, gap: int, rows: Rows | None = None) -> _Labelled:
    label = points["label"].to_numpy(float)
    is_known = ~np.isnan(label)
    known = points[is_known]
    rows = np.arange(len(points)) if rows is None else rows
    per_lead = known.groupby("lead_id", sort=False).agg(
        cohort=("cohort", "first"), best=("label", "max"), worst=("label", "min")
    )
    per_lead["is_positive"] = per_lead["best"] == 1
    per_lead["is_negative"] = per_lead["worst"] == 0
    counts = per_lead.groupby("cohort").agg(
        leads=("best", "size"),
        positives=("is_positive", "sum"),
        negatives=("is_negative", "sum"),
    )
    return _Labelled(
        rows[is_known],
        known["as_of"].to_numpy(),
        known["cohort"].to_numpy(),
        label[is_known],
        gap,
        counts.index.to_numpy(np.int64),
        *(counts[name].to_numpy(np.intp) for name in ("leads", "positives", "negatives")),
    )


def _test_start(labelled: _Labelled, settings: SplitSettings) -> int:
    """Return where the test begins: the given date, or the smallest last part that suffices."""
    if settings.test_from is not None:
        return _instant(settings.test_from)
    needed = settings.test_share * labelled.leads.sum()
    enough = (
        (_from_end(labelled.leads) >= needed - 1e-9)
        & (_from_end(labelled.positives) >= MIN_CLASS_LEADS)
        & (_from_end(labelled.negatives) >= MIN_CLASS_LEADS)
    )
    return int(labelled.times[np.flatnonzero(enough)[-1]])


def _from_end(counts: Rows) -> Rows:
    return np.cumsum(counts[::-1])[::-1]


def _instant(text: str) -> int:
    try:
        instant = pd.Timestamp(text)
        if pd.isna(instant):
            raise ValueError(text)
    except ValueError:
        mend = "write a date such as 2025-01-31 (midnight UTC)"
        raise ConfigError(Fault("not a date", "split.test_from", repr(text), mend)) from None
    instant = instant.tz_localize("UTC") if instant.tzinfo is None else instant.tz_convert("UTC")
    return int(instant.to_datetime64().astype("datetime64[us]").astype(np.int64))


def _forward_folds(labelled: _Labelled, wanted: int) -> tuple[Fold, ...]:
    """Return up to `wanted` folds over slices of about equal numbers of leads.

    The first train set is as large as a slice; where a long gap leaves no room
    for that, any that can be learnt from will do.
    """
    starts = _fold_starts(labelled, wanted, len(labelled.rows) // (wanted + 1))
    if len(starts) < MIN_FOLDS:
        starts = _fold_starts(labelled, wanted, MIN_LEADS)
    stops = [*starts[1:], timeline.NEVER]
    return tuple(
        Fold(labelled.train_rows(start), labelled.block_rows(start, stop))
        for start, stop in zip(starts, stops, strict=False)
    )


def _fold_starts(labelled: _Labelled, wanted: int, first_train: int) -> list[int]:
    """Return where the valid blocks begin, each with both classes, in order of time."""
    first = _first_trainable(labelled, first_train)
    starts: list[int] = []
    totals = np.cumsum([labelled.leads, labelled.positives, labelled.negatives], axis=1)
    totals = np.concatenate([np.zeros((3, 1), dtype=np.intp), totals], axis=1)
    while first < len(labelled.times) and len(starts) < wanted:
        quota = (totals[0, -1] - totals[0, first]) // (wanted - len(starts))
        needed = (max(quota, 1), MIN_CLASS_LEADS, MIN_CLASS_LEADS)
        stop = int(max(np.searchsorted(totals[k], totals[k, first] + needed[k]) for k in range(3)))
        if stop > len(labelled.times):
            break  # the thin rest belongs to the slice before it
        starts.append(int(labelled.times[first]))
        first = stop
    return starts


def _first_trainable(labelled: _Labelled, least: int) -> int:
    """Return the position of the earliest cohort time before which `least` rows are decided."""
    low, high = 0, len(labelled.times)
    while low < high:  # what is decided only grows with time
        middle = (low + high) // 2
        if labelled.can_train(int(labelled.times[middle]), least):
            high = middle
        else:
            low = middle + 1
    return low


def _has_classes(labels: Labels) -> bool:
    return len(labels) > 0 and float(labels.min()) != float(labels.max())


def _refuse_thin(points: pd.DataFrame, labelled: _Labelled) -> None:
    """Raise DataError unless there are enough leads with a known outcome of both kinds."""
    leads = int(labelled.leads.sum())
    positives, negatives = int(labelled.positives.sum()), int(labelled.negatives.sum())
    found = f"{leads} leads with a known outcome of {points['lead_id'].nunique()}"
    if leads == 0:
        mend = "wait until the horizon of the first leads has passed, or shorten it"
        raise DataError(Fault("no outcome is known yet", "target", found, mend))
    if positives == 0 or negatives == 0:
        what = "the outcome never happens" if positives == 0 else "every lead converts"
        mend = "check target.stage, or the outcome column's positive and negative values"
        raise DataError(Fault(what, "target", f"{found}, {positives} converted", mend))
    if leads < MIN_LEADS:
        mend = f"at least {MIN_LEADS} such leads are needed; below that any figure is chance"
        raise DataError(Fault("too few leads to learn from", "leads", found, mend))
    if min(positives, negatives) < 3 * MIN_CLASS_LEADS:
        found = f"{positives} leads that converted, {negatives} that did not"
        mend = f"at least {3 * MIN_CLASS_LEADS} of each are needed: to train, to choose, to test"
        raise DataError(Fault("too few leads of one outcome", "target", found, mend))


def _too_few_periods(labelled: _Labelled, test_from: int, folds: int) -> DataError:
    is_test = np.asarray(timeline.is_from(labelled.times, test_from))
    days = (labelled.times[-1] - labelled.times[0]) / timeline.MICROS_PER_DAY
    span = f" over {days:.0f} days, a gap of {labelled.gap / timeline.MICROS_PER_DAY:g} days"
    found = (
        f"{len(is_test)} different times{span if labelled.gap else ''}, "
        f"{int((~is_test).sum())} of them before the test and {folds} usable forward folds; "
        f"the test holds {int(labelled.positives[is_test].sum())} converted and "
        f"{int(labelled.negatives[is_test].sum())} other leads"
    )
    mend = (
        f"a test with both outcomes and {MIN_FOLDS} forward folds before it are needed: "
        "bring a longer history, shorten target.horizon_days, or move split.test_from"
    )
    return DataError(Fault("too few periods to look forward in time", "split", found, mend))
