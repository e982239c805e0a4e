"""The sweep: fills the feature matrix for the leads of one bucket, compiled by numba.

For each signal the bucket's events are listed once, lead by lead. Then every
(signal, window) walks two pointers along each lead's points and leaves for each
point the range [low, high) of listed events inside its window. Counts and
recency read off the ends of the range; what must look inside goes on from the
point before whenever the range begins at the same place of the list (a lead
without events leaves the next one an empty range to go on from, which is a
fresh one). So the work grows with events + points × features, each feature is
one long loop that writes one row of the matrix from end to end, and numbers are
always added oldest first, as the reference adds them.

All compiled code is in this file: numba compiles anew when the file that holds a
function has changed, and does not look at others (timeline's rules, by which times
are compared, the arrays' names, the kinds' numbers). Touch it when those change.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from mqlml import timeline
from mqlml.features import kind_numbers
from mqlml.features.arrays import (
    BucketEvents,
    BucketLeads,
    Codes,
    Flags,
    Floats,
    Ints,
    Listed,
    Ranges,
    Tasks,
)
from mqlml.features.compiling import compiled, compiled_once
from mqlml.features.kinds.visits import SESSION_GAP
from mqlml.features.windows import MICROS_PER_MINUTE

_DAY = timeline.MICROS_PER_DAY
_WEEK = timeline.MICROS_PER_WEEK


_is_seen = compiled(timeline.is_seen)
_is_in_lookback = compiled(timeline.is_in_lookback)


def sweep(
    events: BucketEvents, leads: BucketLeads, as_of: Ints, tasks: Tasks, matrix: Floats
) -> None:
    """Fill `matrix`, which comes holding what a point without events has.

    `as_of` has the points of `leads`, and no others, sorted by (lead, as_of); the matrix
    has them in this order, and one row for each feature, so that a feature's values lie
    together in memory.
    """
    _sweep(tuple(events), tuple(leads), as_of, tuple(tasks), matrix)


@compiled_once
def _sweep(
    event_arrays: tuple[npt.NDArray[Any], ...],
    lead_arrays: tuple[Ints, ...],
    as_of: Ints,
    task_arrays: tuple[npt.NDArray[Any], ...],
    matrix: Floats,
) -> None:
    # Plain tuples come in: the machine code that is kept must not refer to our classes, or
    # renaming one would leave files that numba cannot read.
    events, leads = BucketEvents(*event_arrays), BucketLeads(*lead_arrays)
    tasks = Tasks(*task_arrays)
    points, lead_count = len(as_of), len(leads.event_starts)
    ranges = Ranges(as_of, np.empty(points, np.int64), np.empty(points, np.int64))
    is_member = np.zeros(len(events.pattern_starts) - 1, np.bool_)
    starts = np.zeros(lead_count + 1, np.int64)
    room = 0
    for lead in range(lead_count):
        room += leads.event_ends[lead] - leads.event_starts[lead]
    listed = Listed(starts, np.empty(room, np.int32))
    for task in range(len(tasks.kinds)):
        signal, window = tasks.signals[task], tasks.windows[task]
        is_new_signal = task == 0 or tasks.signals[task - 1] != signal
        if is_new_signal:
            _find_members(events, signal, is_member)
            _list_signal(events, leads, is_member, listed)
            _walk_ends(events.at, listed, leads, ranges)
        if starts[-1] == 0:
            continue  # the matrix already holds what no events mean
        if is_new_signal or tasks.windows[task - 1] != window:
            _walk_starts(events.at, listed, leads, ranges, window)
        places = listed.places[: starts[-1]]
        values = matrix[tasks.columns[task]]
        if tasks.of[task] >= 0:
            _measure_values(task, tasks, events, places, ranges, values)
        else:
            _measure_times(task, tasks, events.at, places, ranges, values)


@compiled
def _find_members(events: BucketEvents, signal: int, is_member: Flags) -> None:
    """Say of each pattern whether it has the signal."""
    for pattern in range(len(is_member)):
        is_member[pattern] = False
        for k in range(events.pattern_starts[pattern], events.pattern_starts[pattern + 1]):
            is_member[pattern] |= events.pattern_signals[k] == signal


@compiled
def _list_signal(
    events: BucketEvents, leads: BucketLeads, is_member: Flags, listed: Listed
) -> None:
    """List the signal's events, lead by lead, in order."""
    filled = 0
    for lead in range(len(leads.event_starts)):
        for event in range(leads.event_starts[lead], leads.event_ends[lead]):
            # Written always and kept only if it is one: no branch to guess wrong.
            listed.places[filled] = event
            filled += is_member[events.patterns[event]]
        listed.starts[lead + 1] = filled


@compiled
def _walk_ends(at: Ints, listed: Listed, leads: BucketLeads, ranges: Ranges) -> None:
    """Set for each point where the events that it sees end; points come in time order."""
    for lead in range(len(leads.point_starts)):
        end, last = listed.starts[lead], listed.starts[lead + 1]
        for k in range(leads.point_starts[lead], leads.point_ends[lead]):
            while end < last and _is_seen(at[listed.places[end]], ranges.as_of[k]):
                end += 1
            ranges.high[k] = end


@compiled
def _walk_starts(at: Ints, listed: Listed, leads: BucketLeads, ranges: Ranges, window: int) -> None:
    """Set for each point where the events of its window begin."""
    for lead in range(len(leads.point_starts)):
        begin = listed.starts[lead]
        for k in range(leads.point_starts[lead], leads.point_ends[lead]):
            as_of, end = ranges.as_of[k], ranges.high[k]
            while begin < end and not _is_in_lookback(at[listed.places[begin]], as_of, window):
                begin += 1
            ranges.low[k] = begin


@compiled
def _measure_values(
    task: int, tasks: Tasks, events: BucketEvents, places: Codes, ranges: Ranges, values: Floats
) -> None:
    """Set `values` to what a kind that reads a column makes of each range."""
    kind, of = tasks.kinds[task], tasks.of[task]
    if kind == kind_numbers.DISTINCT:
        _distinct(events.codes[of], places, ranges, events.latest, values)
    elif kind in (kind_numbers.SUM, kind_numbers.MEAN, kind_numbers.SHARE):
        _add_up(events.numbers[of], places, ranges, kind != kind_numbers.SUM, values)
    elif kind in (kind_numbers.MAX, kind_numbers.MIN):
        sign = 1.0 if kind == kind_numbers.MAX else -1.0
        _largest(events.numbers[of], places, ranges, sign, values)
    elif kind == kind_numbers.LAST_VALUE:
        _last_value(events.numbers[of], places, ranges, values)
    elif kind == kind_numbers.TIME_SPENT:
        _time_spent(events.numbers[of], places, ranges, tasks.parameters[task], values)


@compiled
def _measure_times(
    task: int, tasks: Tasks, at: Ints, places: Codes, ranges: Ranges, values: Floats
) -> None:
    """Set `values` to what a kind that needs times only makes of each range."""
    kind = tasks.kinds[task]
    if kind == kind_numbers.COUNT:
        _count(ranges, values)
    elif kind in (kind_numbers.DAYS_SINCE_LAST, kind_numbers.DAYS_SINCE_FIRST):
        _days_since(at, places, ranges, kind == kind_numbers.DAYS_SINCE_LAST, values)
    elif kind in (kind_numbers.ACTIVE_DAYS, kind_numbers.SESSIONS):
        _groups(at, places, ranges, kind == kind_numbers.SESSIONS, values)
    elif kind == kind_numbers.DECAYED_COUNT:
        _decayed_count(at, places, ranges, tasks.parameters[task], values)
    elif kind == kind_numbers.ACTIVE_WEEKS_STREAK:
        _streak(at, places, ranges, values)
    elif kind == kind_numbers.WEEKLY_SLOPE:
        _slope(at, places, ranges, tasks.windows[task] // _WEEK, values)
    elif kind in (kind_numbers.MEAN_GAP_DAYS, kind_numbers.MAX_GAP_DAYS):
        _gaps(at, places, ranges, kind == kind_numbers.MEAN_GAP_DAYS, values)
    else:
        _visits(at, places, ranges, kind, values)


@compiled
def _count(ranges: Ranges, values: Floats) -> None:
    for k in range(len(values)):
        values[k] = ranges.high[k] - ranges.low[k]


@compiled
def _days_since(at: Ints, places: Codes, ranges: Ranges, is_last: bool, values: Floats) -> None:
    for k in range(len(values)):
        low, high = ranges.low[k], ranges.high[k]
        if low == high:
            values[k] = np.nan
        else:
            values[k] = (ranges.as_of[k] - at[places[high - 1 if is_last else low]]) / _DAY


@compiled
def _groups(at: Ints, places: Codes, ranges: Ranges, is_sessions: bool, values: Floats) -> None:
    """Count groups of neighbours: days, or visits; a group ends where the next begins."""
    ranks = np.zeros(len(places), np.int32)
    day = at[places[0]] // _DAY if len(places) else 0
    for i in range(1, len(places)):
        if is_sessions:
            is_new = at[places[i]] - at[places[i - 1]] > SESSION_GAP
        else:
            before, day = day, at[places[i]] // _DAY
            is_new = day != before
        ranks[i] = ranks[i - 1] + is_new
    for k in range(len(values)):
        low, high = ranges.low[k], ranges.high[k]
        values[k] = ranks[high - 1] - ranks[low] + 1 if low < high else 0


@compiled
def _add_up(numbers: Floats, places: Codes, ranges: Ranges, is_mean: bool, values: Floats) -> None:
    total, count, begin, done = 0.0, 0, -1, 0
    for k in range(len(values)):
        if ranges.low[k] != begin:
            total, count, begin, done = 0.0, 0, ranges.low[k], ranges.low[k]
        while done < ranges.high[k]:
            number = numbers[places[done]]
            if not math.isnan(number):
                total += number
                count += 1
            done += 1
        if is_mean:
            values[k] = total / count if count else np.nan
        else:
            values[k] = total


@compiled
def _time_spent(numbers: Floats, places: Codes, ranges: Ranges, cap: float, values: Floats) -> None:
    """Add up seconds, each at least 0 and at most `cap`, and set minutes."""
    total, begin, done = 0.0, -1, 0
    for k in range(len(values)):
        if ranges.low[k] != begin:
            total, begin, done = 0.0, ranges.low[k], ranges.low[k]
        while done < ranges.high[k]:
            number = numbers[places[done]]
            if not math.isnan(number):
                total += min(max(number, 0.0), cap)
            done += 1
        values[k] = total / 60.0


@compiled
def _largest(numbers: Floats, places: Codes, ranges: Ranges, sign: float, values: Floats) -> None:
    """Set the largest number of each range, or the smallest with sign -1."""
    best, count, begin, done = -np.inf, 0, -1, 0
    for k in range(len(values)):
        if ranges.low[k] != begin:
            best, count, begin, done = -np.inf, 0, ranges.low[k], ranges.low[k]
        while done < ranges.high[k]:
            # A missing number compares as smaller, without a branch to guess wrong.
            signed = sign * numbers[places[done]]
            best = max(best, signed)
            count += not math.isnan(signed)
            done += 1
        values[k] = sign * best if count else np.nan


@compiled
def _last_value(numbers: Floats, places: Codes, ranges: Ranges, values: Floats) -> None:
    latest, at, done = np.nan, -1, 0
    for k in range(len(values)):
        while done < ranges.high[k]:
            if not math.isnan(numbers[places[done]]):
                latest, at = numbers[places[done]], done
            done += 1
        values[k] = latest if at >= ranges.low[k] else np.nan


@compiled
def _distinct(codes: Codes, places: Codes, ranges: Ranges, latest: Ints, values: Floats) -> None:
    """Count in each range the events whose value has not come earlier in the range."""
    before = _places_before(codes, places, latest)
    count, begin, done = 0, -1, 0
    for k in range(len(values)):
        if ranges.low[k] != begin:
            count, begin, done = 0, ranges.low[k], ranges.low[k]
        while done < ranges.high[k]:
            if codes[places[done]] >= 0 and before[done] < begin:
                count += 1
            done += 1
        values[k] = count


@compiled
def _places_before(codes: Codes, places: Codes, latest: Ints) -> Codes:
    """Return for each event where the same value came last, -1 if never.

    `latest` has a -1 for each code, before and after.
    """
    before = np.empty(len(places), np.int32)
    for i in range(len(places)):
        code = codes[places[i]]
        before[i] = latest[code]
        latest[code] = i
    for place in places:
        latest[codes[place]] = -1
    return before


@compiled
def _decayed_count(at: Ints, places: Codes, ranges: Ranges, rate: float, values: Floats) -> None:
    total, begin, done = 0.0, -1, 0
    for k in range(len(values)):
        if ranges.low[k] != begin:
            total, begin, done = 0.0, ranges.low[k], ranges.low[k]
        while done < ranges.high[k]:
            if done > begin:
                total *= math.exp(-rate * (at[places[done]] - at[places[done - 1]]))
            total += 1.0
            done += 1
        if done > begin:
            values[k] = total * math.exp(-rate * (ranges.as_of[k] - at[places[done - 1]]))
        else:
            values[k] = 0.0


@compiled
def _streak(at: Ints, places: Codes, ranges: Ranges, values: Floats) -> None:
    for k in range(len(values)):
        streak, i = 0, ranges.high[k] - 1
        while i >= ranges.low[k]:
            block = (ranges.as_of[k] - at[places[i]] - 1) // _WEEK
            if block > streak:
                break
            streak = block + 1
            i -= 1
        values[k] = streak


@compiled
def _slope(at: Ints, places: Codes, ranges: Ranges, weeks: int, values: Floats) -> None:
    for k in range(len(values)):
        weighted = 0
        for i in range(ranges.low[k], ranges.high[k]):
            block = (ranges.as_of[k] - at[places[i]] - 1) // _WEEK
            if block < weeks:
                weighted += weeks - 1 - 2 * block
        values[k] = (6 * weighted) / (weeks * (weeks * weeks - 1))


@compiled
def _gaps(at: Ints, places: Codes, ranges: Ranges, is_mean: bool, values: Floats) -> None:
    longest, begin, done = 0, -1, 0
    for k in range(len(values)):
        low, high = ranges.low[k], ranges.high[k]
        if low != begin:
            longest, begin, done = 0, low, low + 1
        while done < high:
            longest = max(longest, at[places[done]] - at[places[done - 1]])
            done += 1
        if high - low < 2:
            values[k] = np.nan
        elif is_mean:
            values[k] = (at[places[high - 1]] - at[places[low]]) / (high - low - 1) / _DAY
        else:
            values[k] = longest / _DAY


@compiled
def _visits(at: Ints, places: Codes, ranges: Ranges, kind: int, values: Floats) -> None:
    """Follow the visits of each range: their number, depth and length."""
    begin, done = -1, 0
    visits, start, size, spent, deepest, longest = 0, 0, 0, 0, 0, 0
    for k in range(len(values)):
        low, high = ranges.low[k], ranges.high[k]
        if low != begin:
            begin, done = low, low
            visits, start, size, spent, deepest, longest = 0, 0, 0, 0, 0, 0
        while done < high:
            if done == begin or at[places[done]] - at[places[done - 1]] > SESSION_GAP:
                visits, start, size = visits + 1, at[places[done]], 0
            else:
                spent += at[places[done]] - at[places[done - 1]]
            size += 1
            deepest = max(deepest, size)
            longest = max(longest, at[places[done]] - start)
            done += 1
        if low == high:
            values[k] = np.nan
        elif kind == kind_numbers.MEAN_SESSION_EVENTS:
            values[k] = (high - low) / visits
        elif kind == kind_numbers.MAX_SESSION_EVENTS:
            values[k] = deepest
        elif kind == kind_numbers.MEAN_SESSION_MINUTES:
            values[k] = spent / visits / MICROS_PER_MINUTE
        elif kind == kind_numbers.MAX_SESSION_MINUTES:
            values[k] = longest / MICROS_PER_MINUTE
