"""Leads that chance sends to sales: without them nobody learns of those that the score leaves out.

Chance is a digest of the lead and of when its period began: it favours nobody, cannot be
turned to a lead's advantage, and gives a past day again byte for byte.
"""

from collections.abc import Iterable
from hashlib import sha256

import numpy as np
import numpy.typing as npt

_Rows = npt.NDArray[np.int64]
_DIGITS = 13


def explored_places(places: int, share: float, *, start: int) -> int:
    """Return how many of the places chance fills: `share` of them on average, never all of 0.

    The rest of a place is filled or not by a coin of the period's start and the places, so
    that five of a hundred places a week are explored also where a run has only ten of them.

    >>> explored_places(40, 0.05, start=0), explored_places(0, 0.05, start=0)
    (2, 0)
    """
    wanted = places * share
    whole = int(wanted + 1e-9)
    return whole + int(_luck(f"{start}:{places}") < wanted - whole - 1e-9)


def drawn_leads(lead_ids: Iterable[str], rows: _Rows, count: int, *, start: int) -> _Rows:
    """Return `count` of the rows (fewer if there are not so many), drawn among all of them alike.

    Args:
        lead_ids: of `rows`, in their order.
        rows: positions among which is drawn.
        count: how many.
        start: when the period began; another period draws others.
    """
    luck = np.array([_luck(f"{start}:{lead}") for lead in lead_ids], dtype=np.float64)
    return np.asarray(rows[np.argsort(luck, kind="stable")[:count]], dtype=np.int64)


def _luck(text: str) -> float:
    """Return a number from 0 to 1 that the text alone decides."""
    return float(int(sha256(text.encode()).hexdigest()[:_DIGITS], 16) / 16**_DIGITS)
