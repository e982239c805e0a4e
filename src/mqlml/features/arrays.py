"""What the kernel works on: arrays that belong together, under their names."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class BucketEvents(NamedTuple):
    """Events of one bucket, sorted by (lead, at, event_id).

    Event `e` has the signals `pattern_signals[pattern_starts[k]:pattern_starts[k + 1]]`
    with `k = patterns[e]`. `numbers` and `codes` have one row per column that
    features read, missing as NaN and -1; after the columns, `numbers` says of
    signals whether an event is one of theirs (1 or 0). `latest` is room for the kernel to work
    in: a -1 for each code, and one for the missing code.
    """

    at: Ints
    patterns: Codes
    pattern_starts: Ints
    pattern_signals: Ints
    numbers: Floats
    codes: Codes
    latest: Ints


class BucketLeads(NamedTuple):
    """Where the events and the points of each lead of the bucket begin and end.

    The points of a lead begin where those of the lead before it end.
    """

    event_starts: Ints
    event_ends: Ints
    point_starts: Ints
    point_ends: Ints


class Tasks(NamedTuple):
    """The features sorted by (signal, window); `of` is a row of numbers or codes, or -1.

    `parameters` are rates of decay per microsecond, or caps in seconds.
    """

    signals: Ints
    windows: Ints
    kinds: Ints
    of: Ints
    parameters: Floats
    columns: Ints


class Listed(NamedTuple):
    """The events of one signal, lead by lead, by where they stand.

    Lead `i` has those from `starts[i]` to `starts[i + 1]`; `places` has room for more.
    """

    starts: Ints
    places: Codes


class Ranges(NamedTuple):
    """For each point: when it is, and which listed events its window holds."""

    as_of: Ints
    low: Ints
    high: Ints
