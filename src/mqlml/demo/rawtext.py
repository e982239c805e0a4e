"""How the firm's systems write things down: times with and without zones, sizes, odd capitals."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.demo.draws import Dice, choose

Ints = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]

ZONE = "Europe/Berlin"
_BANDS = (
    (10, "1-10"),
    (50, "11-50"),
    (200, "51-200"),
    (500, "201-500"),
    (1_000, "501-1000"),
    (5_000, "1001-5000"),
    (10_000, "5001-10000"),
)


def utc_text(at: Ints) -> Texts:
    """Return times as `2024-03-01T08:12:33.120Z`."""
    text = np.datetime_as_string(at.astype("datetime64[us]"), unit="ms")
    return np.char.add(text, "Z").astype(object)


def offset_text(at: Ints) -> Texts:
    """Return times as the firm's wall clock with its offset, `2024-03-01T09:12:33+01:00`."""
    local, offset_hours = _wall_clock(at)
    text = np.datetime_as_string(local, unit="s")
    offset = np.where(offset_hours == 2, "+02:00", "+01:00")
    return np.char.add(text, offset).astype(object)


def naive_text(at: Ints) -> Texts:
    """Return times as the firm's wall clock without a zone, `2024-03-01 09:12:33`."""
    local, _ = _wall_clock(at)
    text = np.datetime_as_string(local, unit="s")
    return np.char.replace(text, "T", " ").astype(object)


def _wall_clock(at: Ints) -> tuple[npt.NDArray[np.datetime64], Ints]:
    utc = pd.DatetimeIndex(at.astype("datetime64[us]"), tz="UTC")
    local = utc.tz_convert(ZONE).tz_localize(None).to_numpy().astype("datetime64[us]")
    hours = (local.astype(np.int64) - at) // 3_600_000_000
    return local, hours


def size_text(dice: Dice, size: npt.NDArray[np.float64]) -> Texts:
    """Return company sizes as forms collect them: mostly bands, some numbers, some nothing."""
    edges = [edge for edge, _ in _BANDS]
    words = np.array([*(word for _, word in _BANDS), "10,000+"], dtype=object)
    text = words[np.searchsorted(edges, size, "left")]
    style = dice().random(len(size))
    plain = np.array([f"{int(value)}" for value in size], dtype=object)
    grouped = np.array([f"{int(value):,}" for value in size], dtype=object)
    text = np.where(style < 0.12, plain, np.where(style < 0.2, grouped, text))
    return np.where(style > 0.94, "", text)


def sloppy(dice: Dice, text: Texts, *, blank: float, select: float = 0.0) -> Texts:
    """Return texts as people leave them: odd capitals, stray spaces, blanks and "Select"."""
    kind = dice().random(len(text))
    style = choose(dice(), (80, 7, 7, 3, 3), len(text))
    forms = (
        text,
        np.array([value.upper() for value in text], dtype=object),
        np.array([value.lower() for value in text], dtype=object),
        np.array([f"{value} " for value in text], dtype=object),
        np.array([value.title() for value in text], dtype=object),
    )
    written = np.choose(style, forms)
    return np.where(kind < blank, "", np.where(kind < blank + select, "Select", written))
