"""The truth about buying: log-odds of a purchase decision per week, part by part.

base + fit + engagement + work of sales, added up. A learner never sees these
numbers; tests and benchmarks do.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.demo import catalogue
from mqlml.demo.activity import LIFE_WEEKS, Activity
from mqlml.timeline import MICROS_PER_WEEK

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BASE = -9.0
WORKED = 2.6
WORKED_HALF_LIFE_WEEKS = 3.0
PRIOR_DROP = 0.9

_SENIORITY = {
    "c_level": 0.45,
    "vp": 0.6,
    "head": 0.55,
    "director": 0.55,
    "manager": 0.2,
    "individual": -0.5,
    "student": -2.5,
}
_FUNCTION = {"operations": 0.55, "it": 0.5, "finance": 0.3, "general": -0.1, "education": -0.5}
_OTHER_FUNCTION = -0.5
_TOOL = {"spreadsheets": 0.25, "competitor product": -0.4, "nothing": -0.1}
_SOURCE = {"referral": 0.5, "trade_fair": 0.2, "paid_social": -0.3}

# What a decayed count of each signal adds: weight times log(1 + count). Sign-ups for
# free webinars add nothing, though the old points sheet gives them fifteen points.
ENGAGEMENT: Mapping[str, float] = {
    "demo_request": 3.4,
    "pricing_view": 1.35,
    "case_study_view": 0.6,
    "webinar_attended": 1.2,
    "content_download": 0.4,
    "email_reply": 2.0,
    "email_click": 0.6,
    "visit": 0.4,
    "careers_view": -0.5,
    "webinar_registered": 0.0,
    "email_open": 0.0,
    "social": 0.0,
    "ad_click": 0.0,
}
DECAY_PER_WEEK = 0.75


def fit_parts(people: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return the fit part of each lead's log-odds under the old and the new profile."""
    person = people["seniority"].map(_SENIORITY) + people["function"].map(_FUNCTION).fillna(
        _OTHER_FUNCTION
    )
    person += people["tool"].map(_TOOL).fillna(0.0) + people["source"].map(_SOURCE).fillna(0.0)
    person += np.where(people["country"].isin(catalogue.HOME_COUNTRIES), 0.2, -0.3)
    person -= 0.7 * people["is_personal"] + 3.0 * people["is_competitor"]
    old = profile_part(people, catalogue.OLD_SIZES, catalogue.OLD_INDUSTRIES)
    new = profile_part(people, catalogue.NEW_SIZES, catalogue.NEW_INDUSTRIES)
    # Fewer companies are that large; those that are buy more readily.
    return person.to_numpy() + old, person.to_numpy() + new + 0.45


def profile_part(
    people: pd.DataFrame, sizes: tuple[int, int], industries: tuple[str, ...]
) -> Floats:
    """Return what company size and industry add: full marks inside, less with distance."""
    size = people["size"].to_numpy()
    low, high = np.log(sizes[0]), np.log(sizes[1] + 1)
    outside = np.maximum(low - np.log(size), np.log(size) - high).clip(min=0)
    match = people["industry"].isin(industries).to_numpy()
    return np.asarray(1.3 - 1.4 * outside.clip(max=1.8) + np.where(match, 0.8, -0.7))


def weekly_counts(people: pd.DataFrame, activity: Activity, start_at: int) -> dict[str, Floats]:
    """Return per signal the human events of each lead by calendar week since its creation.

    Shape: leads × (LIFE_WEEKS + 1); week 0 is the calendar week of creation.
    """
    first = (people["created"].to_numpy() - start_at) // MICROS_PER_WEEK
    counts = {}
    for name, frame in _signals(activity).items():
        lead = frame["lead"].to_numpy()
        week = (frame["at"].to_numpy() - start_at) // MICROS_PER_WEEK - first[lead]
        kept = (week >= 0) & (week <= LIFE_WEEKS)
        cell = lead[kept] * (LIFE_WEEKS + 1) + week[kept]
        flat = np.bincount(cell, minlength=len(people) * (LIFE_WEEKS + 1))
        counts[name] = flat.reshape(len(people), LIFE_WEEKS + 1).astype(np.float64)
    return counts


def _signals(activity: Activity) -> dict[str, pd.DataFrame]:
    web, mail, marketing = activity.web, activity.mail, activity.marketing
    human = mail[~mail["is_scanner"]]
    pages = {"pricing_view": catalogue.PRICING, "case_study_view": catalogue.CUSTOMERS}
    signals = {name: web[web["page"] == page] for name, page in pages.items()}
    signals["careers_view"] = web[web["page"] == catalogue.CAREERS]
    signals["visit"] = web[~web["session"].duplicated()]
    kinds = {"email_open": "opened", "email_click": "clicked", "email_reply": "replied"}
    signals |= {name: human[human["kind"] == kind] for name, kind in kinds.items()}
    names = ("demo_request", "webinar_registered", "webinar_attended", "content_download")
    signals |= {name: marketing[marketing["kind"] == name] for name in names}
    signals["ad_click"] = marketing[marketing["kind"] == "ad_click"]
    signals["social"] = marketing[marketing["kind"] == "social_engagement"]
    return signals


def engagement_part(counts: Mapping[str, Floats]) -> Floats:
    """Return the engagement part before each week: events of week w count from week w + 1."""
    part = np.zeros_like(next(iter(counts.values())))
    for name, weight in ENGAGEMENT.items():
        if weight == 0.0:
            continue
        level = np.zeros(len(part))
        for week in range(1, part.shape[1]):
            level = DECAY_PER_WEEK * level + counts[name][:, week - 1]
            part[:, week] += weight * np.log1p(level)
    return part


def first_request(people: pd.DataFrame, activity: Activity) -> Ints:
    """Return when each lead first asked for a demo, or -1."""
    asked = activity.marketing[activity.marketing["kind"] == "demo_request"]
    first = asked.groupby("lead")["at"].min()
    return first.reindex(range(len(people)), fill_value=-1).to_numpy()
