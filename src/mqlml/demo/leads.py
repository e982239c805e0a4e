"""The people of the demo company: who they are, when they came, how interested they are."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.demo import catalogue
from mqlml.demo.draws import Dice, choose, day_weights, time_of_day
from mqlml.demo.drift import progress
from mqlml.demo.settings import DemoSettings
from mqlml.timeline import MICROS_PER_DAY

Ints = npt.NDArray[np.int64]

_TITLE_TEXT = np.array([title.text for title in catalogue.TITLES], dtype=object)
_SENIORITY = np.array([title.seniority for title in catalogue.TITLES], dtype=object)
_FUNCTION = np.array([title.function for title in catalogue.TITLES], dtype=object)
_SOURCE_INTEREST = {"referral": 0.5, "trade_fair": 0.1, "paid_social": -0.25, "webinar": 0.1}
_GIVEAWAY_TITLES = {"student": 4.0, "individual": 2.0}


def draw_people(settings: DemoSettings, seed: int) -> pd.DataFrame:
    """Return one row per lead in order of creation: attributes as they truly are.

    Columns: lead_id, created (microseconds UTC), title, seniority, function,
    industry, size (employees), country, source, campaign, tool, is_personal,
    is_competitor, is_twin, interest (standard normal plus source effects).
    """
    n = settings.n_leads
    created = _creation_times(settings, seed)
    dice = Dice(seed, "people")
    is_giveaway = dice().random(n) < 0.25 * progress(settings.all_drifts, "covariate", created)
    title = np.where(is_giveaway, _giveaway_titles(dice, n), _titles(dice, n))
    source = _pick(dice, catalogue.SOURCES, n)
    source[is_giveaway] = "paid_social"
    campaign = _campaigns(dice, source)
    campaign[is_giveaway] = catalogue.GIVEAWAY
    people = pd.DataFrame(
        {
            "lead_id": [f"L{number:06d}" for number in range(1, n + 1)],
            "created": created,
            "title": _TITLE_TEXT[title],
            "seniority": _SENIORITY[title],
            "function": _FUNCTION[title],
            "industry": _pick(dice, catalogue.INDUSTRIES, n),
            "size": _sizes(dice, n, is_giveaway),
            "country": _pick(dice, catalogue.COUNTRIES, n),
            "source": source,
            "campaign": campaign,
            "tool": np.array(catalogue.TOOLS, dtype=object)[choose(dice(), (40, 30, 12, 18), n)],
            "is_personal": dice().random(n) < np.where(is_giveaway, 0.45, 0.14),
            "is_competitor": dice().random(n) < 0.015,
            "is_twin": dice().random(n) < 0.015,
            "interest": dice().normal(0.0, 1.0, n) - 0.5 * is_giveaway,
        }
    )
    return _with_manners(people)


def _with_manners(people: pd.DataFrame) -> pd.DataFrame:
    is_student = (people["seniority"] == "student").to_numpy()
    interest = people["interest"] + people["source"].map(_SOURCE_INTEREST).fillna(0.0)
    return people.assign(
        is_personal=people["is_personal"] | is_student,
        industry=np.where(is_student, "education", people["industry"]),
        interest=interest + 0.4 * is_student,
    )


def _creation_times(settings: DemoSettings, seed: int) -> Ints:
    dice = Dice(seed, "arrival")
    weights = day_weights(settings.start_at // MICROS_PER_DAY, settings.days)
    day = choose(dice(), list(weights), settings.n_leads)
    return np.sort(settings.start_at + day * MICROS_PER_DAY + time_of_day(dice, len(day)))


def _pick(dice: Dice, weights: dict[str, float], n: int) -> npt.NDArray[np.object_]:
    return np.array(list(weights), dtype=object)[choose(dice(), list(weights.values()), n)]


def _titles(dice: Dice, n: int) -> Ints:
    return choose(dice(), [title.weight for title in catalogue.TITLES], n)


def _giveaway_titles(dice: Dice, n: int) -> Ints:
    weights = [t.weight * _GIVEAWAY_TITLES.get(t.seniority, 0.4) for t in catalogue.TITLES]
    return choose(dice(), weights, n)


def _sizes(dice: Dice, n: int, is_giveaway: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    median = np.where(is_giveaway, 40.0, 160.0)
    return np.asarray(np.ceil(median * np.exp(1.6 * dice().normal(size=n))).clip(1, 60_000))


def _campaigns(dice: Dice, source: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    pick = dice().random(len(source))
    names = [
        catalogue.CAMPAIGNS[s][int(u * len(catalogue.CAMPAIGNS[s]))]
        for s, u in zip(source, pick, strict=True)
    ]
    return np.array(names, dtype=object)
