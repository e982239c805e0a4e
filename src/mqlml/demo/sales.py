"""The sales team: the old points sheet that picks leads, and the reps who judge them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# The hand-made sheet, as marketing wrote it years ago. Signals count four weeks.
TITLE_POINTS = {"c_level": 20.0, "vp": 15.0, "head": 10.0, "director": 10.0, "manager": 10.0}
SIGNAL_POINTS: Mapping[str, float] = {
    "demo_request": 25.0,
    "webinar_registered": 20.0,
    "content_download": 10.0,
    "social": 10.0,
    "ad_click": 10.0,
    "email_open": 5.0,
    "email_click": 5.0,
}
WEBINAR_SOURCE_POINTS = 10.0
_POINTS_WEEKS = 4

# Reasons that close a lead; after the others it goes back to marketing.
CLOSING_REASONS = ("not_icp", "competitor", "duplicate", "wrong_data")
STRICTNESS = (-0.7, -0.4, -0.2, 0.0, 0.0, 0.2, 0.5, 0.8)


@dataclass(frozen=True)
class Planted:
    """Where the judgement of sales departs from what makes buyers, with the log-odds of it."""

    what: str
    column: str
    effect: float


PLANTED = (
    Planted("sales rejects students", "title__seniority", -3.0),
    Planted("sales rejects competitors", "is_competitor", -3.0),
    Planted("sales rejects small agencies", "industry", -1.6),
    Planted("sales doubts people who only sign up for webinars", "webinar_registered", -0.6),
)


def title_points(people: pd.DataFrame) -> Floats:
    """Return the points of the job titles alone."""
    points = people["seniority"].map(TITLE_POINTS).fillna(0.0)
    return np.asarray(points, dtype=np.float64)


def fixed_points(people: pd.DataFrame) -> Floats:
    """Return the points a lead gets for who it is and where it came from."""
    is_from_webinar = (people["source"] == "webinar").to_numpy()
    return np.asarray(title_points(people) + WEBINAR_SOURCE_POINTS * is_from_webinar)


def signal_points(counts: Mapping[str, Floats]) -> Floats:
    """Return the points for events of the four weeks before each week."""
    total = np.zeros_like(next(iter(counts.values())))
    for name, points in SIGNAL_POINTS.items():
        running = np.cumsum(counts[name], axis=1)
        total[:, 1:] += points * running[:, :-1]
        total[:, _POINTS_WEEKS + 1 :] -= points * running[:, : -_POINTS_WEEKS - 1]
    return total


def acceptance(
    people: pd.DataFrame, *, fit: Floats, engagement: Floats, signups: Floats, rep: Ints
) -> Floats:
    """Return the log-odds that the rep accepts each handed-over lead."""
    small_agency = (people["industry"] == "agency") & (people["size"] < 50)
    view = -0.6 + 0.9 * fit + 0.35 * engagement - np.asarray(STRICTNESS)[rep]
    view += PLANTED[0].effect * (people["seniority"] == "student").to_numpy()
    view += PLANTED[1].effect * people["is_competitor"].to_numpy()
    view += PLANTED[2].effect * small_agency.to_numpy()
    view += PLANTED[3].effect * np.log1p(signups)
    return np.asarray(view - 4.0 * people["is_twin"].to_numpy())


def reasons(
    people: pd.DataFrame, *, is_in_profile: npt.NDArray[np.bool_], engagement: Floats, luck: Floats
) -> npt.NDArray[np.object_]:
    """Return the reason a rep would write for each lead if it is rejected.

    The plainest flaw comes first; without one, chance picks among the usual words.
    """
    usual = np.array(("no_need", "not_now", "no_budget", "unreachable", "wrong_data", "other"))
    words = usual[np.searchsorted((0.3, 0.55, 0.75, 0.88, 0.94), luck % 1.0)].astype(object)
    seniority = people["seniority"]
    flaws = (
        ((engagement < 0.6) & (luck < 0.5), "no_need"),
        ((people["size"] < 20) & (luck < 0.5), "no_budget"),
        ((seniority == "individual") & (luck < 0.7), "no_authority"),
        (~is_in_profile & (luck < 0.8), "not_icp"),
        (seniority == "student", "not_icp"),
        (people["is_competitor"], "competitor"),
        (people["is_twin"], "duplicate"),
    )
    for holds, word in flaws:
        words[np.asarray(holds)] = word
    return words
