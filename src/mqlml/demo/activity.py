"""What the leads do: visits, mails, webinars, downloads, demo requests, ad clicks, social.

All events follow one weekly path of interest per lead: it fades with age, wanders,
and sometimes flares up again. Columns of every frame: `lead` (row number of the
lead), `at` and `arrives` in microseconds UTC, then the event's own.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.demo import catalogue
from mqlml.demo.draws import Dice, choose, choose_by_row, day_in_week, time_of_day
from mqlml.demo.settings import DemoSettings
from mqlml.timeline import MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_SECOND

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LIFE_WEEKS = 26
_WEBINAR_EVERY_DAYS = 14
_MAIL_DAYS = (1, 4, 9, 16, 30, 44, *range(65, 7 * LIFE_WEEKS, 28))


@dataclass(frozen=True)
class Activity:
    """All events of the simulation, one frame per system that records them."""

    web: pd.DataFrame
    mail: pd.DataFrame
    marketing: pd.DataFrame


def draw_activity(people: pd.DataFrame, settings: DemoSettings, seed: int) -> Activity:
    """Return every event before the end of the simulation, in order of lead and time."""
    path = _interest_path(people, seed)
    return Activity(
        web=_ended(_visits(people, path, seed), settings),
        mail=_ended(_mails(people, path, seed), settings),
        marketing=_ended(_marketing(people, path, seed), settings),
    )


def _ended(events: pd.DataFrame, settings: DemoSettings) -> pd.DataFrame:
    kept = events[events["at"] < settings.end_at]
    return kept.sort_values(["lead", "at"], kind="stable", ignore_index=True)


def _interest_path(people: pd.DataFrame, seed: int) -> Floats:
    """Return interest per lead (rows) and week of life (columns)."""
    dice = Dice(seed, "path")
    n = len(people)
    shock = dice().normal(0.0, 0.6, (n, LIFE_WEEKS))
    flare = 1.9 * (dice().random((n, LIFE_WEEKS)) < 0.035)
    path = np.empty((n, LIFE_WEEKS))
    wander = np.zeros(n)
    for week in range(LIFE_WEEKS):
        wander = 0.75 * wander + shock[:, week] + flare[:, week]
        path[:, week] = wander - 0.1 * week
    return path + 0.8 * people["interest"].to_numpy()[:, None]


def _repeat(counts: npt.NDArray[np.int64]) -> tuple[Ints, Ints]:
    """Return (lead, week) once for each of the counted events, lead by lead."""
    cells = np.repeat(np.arange(counts.size), counts.ravel())
    return cells // counts.shape[1], cells % counts.shape[1]


def _moments(dice: Dice, created: Ints, week: Ints) -> Ints:
    """Return a time in the given week of life, never before the lead was created."""
    first_day = created // MICROS_PER_DAY + 7 * week
    at = (first_day + day_in_week(dice(), first_day)) * MICROS_PER_DAY + time_of_day(
        dice, len(week)
    )
    soon = created + 60 * MICROS_PER_SECOND + dice().integers(0, 3 * MICROS_PER_HOUR, len(week))
    return np.where(at <= created, soon, at) // 1_000 * 1_000


def _visits(people: pd.DataFrame, path: Floats, seed: int) -> pd.DataFrame:
    dice = Dice(seed, "web")
    created = people["created"].to_numpy()
    lead, week = _repeat(dice().poisson(np.exp(np.minimum(path - 1.5, 1.2))))
    starts = _moments(dice, created[lead], week)
    length = 1 + dice().geometric(0.45, len(lead))
    visit = np.repeat(np.arange(len(lead)), length)
    step = np.arange(len(visit)) - np.repeat(np.cumsum(length) - length, length)
    interest = path[lead, week][visit]
    lead = lead[visit]
    page = _pages(dice, interest, (people["seniority"] == "student").to_numpy()[lead])
    duration = np.round(np.exp(dice().normal(3.3, 0.8, len(page)) + 0.15 * interest), 1)
    at = (
        starts[visit]
        + step * 60 * MICROS_PER_SECOND
        + dice().integers(0, 55_000, len(page)) * 1_000
    )
    arrives = at + dice().integers(1, 90, len(page)) * MICROS_PER_SECOND
    columns = {"lead": lead, "at": at, "arrives": arrives, "session": visit, "page": page}
    return pd.DataFrame(columns | {"duration": duration})


def _pages(dice: Dice, interest: Floats, is_student: npt.NDArray[np.bool_]) -> Ints:
    tilt = np.exp(np.outer(np.clip(interest, -2, 3), catalogue.PAGE_INTEREST))
    weights = np.asarray(catalogue.PAGE_WEIGHTS) * tilt
    weights[:, catalogue.CAREERS] *= np.where(is_student, 5.0, 1.0)
    return choose_by_row(dice(), weights)


def _mails(people: pd.DataFrame, path: Floats, seed: int) -> pd.DataFrame:
    """Return sent, opened, clicked and replied mails; scanners click in some companies."""
    dice = Dice(seed, "mail")
    n, per_lead = len(people), len(_MAIL_DAYS)
    day = np.tile(np.array(_MAIL_DAYS), n)
    lead = np.repeat(np.arange(n), per_lead)
    first = people["created"].to_numpy()[lead] // MICROS_PER_DAY
    sent = (first + day) * MICROS_PER_DAY + 8 * MICROS_PER_HOUR
    sent = sent + dice().integers(0, 1_800, len(lead)) * MICROS_PER_SECOND
    interest = path[lead, np.minimum(day // 7, LIFE_WEEKS - 1)]
    is_subscribed = dice().random(n) > 0.12
    sent_mail = pd.DataFrame({"lead": lead, "at": sent, "mail": day, "kind": "sent"})
    reactions = _reactions(dice, sent_mail, interest)
    frame = pd.concat(
        [sent_mail.assign(is_bot="", is_scanner=False), *reactions], ignore_index=True
    )
    frame = frame[is_subscribed[frame["lead"]] | (frame["mail"] < 14)]
    return frame.assign(arrives=frame["at"] + 5 * MICROS_PER_SECOND)


def _reactions(dice: Dice, sent: pd.DataFrame, interest: Floats) -> list[pd.DataFrame]:
    size = len(sent)
    wait = (dice().exponential(9.0, (3, size)) * MICROS_PER_HOUR).astype(np.int64) // 1_000 * 1_000
    luck = dice().random((4, size))
    is_open = luck[0] < _logistic(-1.3 + 0.5 * interest)
    is_click = is_open & (luck[1] < _logistic(-2.1 + 0.45 * interest))
    is_reply = is_click & (luck[2] < _logistic(-2.4 + 0.5 * interest))
    is_scanned = stable_share(sent["lead"].to_numpy(), 7) < 0.05
    marked = np.where(luck[3] < 0.6, "true", "")
    opened = _react(sent, is_open, wait[0], "opened")
    clicked = _react(sent, is_click, wait[0] + wait[1] // 8, "clicked")
    replied = _react(sent, is_reply, wait[0] + wait[1] // 8 + wait[2], "replied")
    seconds = np.full(size, 4 * MICROS_PER_SECOND)
    scanned = _react(sent, is_scanned, seconds, "clicked").assign(
        is_bot=marked[is_scanned], is_scanner=True
    )
    return [opened, clicked, replied, scanned]


def _react(
    sent: pd.DataFrame, chosen: npt.NDArray[np.bool_], wait: Ints, kind: str
) -> pd.DataFrame:
    part = sent[chosen]
    return part.assign(at=part["at"] + wait[chosen], kind=kind, is_bot="", is_scanner=False)


def _marketing(people: pd.DataFrame, path: Floats, seed: int) -> pd.DataFrame:
    parts = (_webinars, _downloads, _demo_requests, _ad_clicks, _social)
    frames = [part(people, path, Dice(seed, part.__name__)) for part in parts]
    return pd.concat(frames, ignore_index=True)


def _weekly(people: pd.DataFrame, dice: Dice, chance: Floats, kind: str) -> pd.DataFrame:
    """Return at most one event per lead and week, where luck falls below `chance`."""
    lead, week = np.nonzero(dice().random(chance.shape) < chance)
    at = _moments(dice, people["created"].to_numpy()[lead], week)
    blank = np.full(len(lead), "", dtype=object)
    columns = {"lead": lead, "at": at, "arrives": at + MICROS_PER_SECOND, "kind": kind}
    texts = {"asset": blank, "channel": blank, "campaign": blank}
    return pd.DataFrame(columns | texts | {"value": np.nan})


def _webinars(people: pd.DataFrame, path: Floats, dice: Dice) -> pd.DataFrame:
    """Return sign-ups and attendance; who attended is uploaded the following Monday."""
    is_keen = (people["industry"].isin(["education", "agency"])).to_numpy()
    chance = _logistic(-3.4 + 0.35 * path + 0.9 * is_keen[:, None])
    signed = _weekly(people, dice, chance, "webinar_registered")
    live_day = (signed["at"] // MICROS_PER_DAY // _WEBINAR_EVERY_DAYS + 1) * _WEBINAR_EVERY_DAYS
    interest = path[signed["lead"], 0]
    came = dice().random(len(signed)) < _logistic(-0.4 + 0.5 * interest)
    live = live_day * MICROS_PER_DAY + 14 * MICROS_PER_HOUR
    minutes = np.round(np.clip(dice().normal(38.0, 14.0, len(signed)), 3, 60))
    signed = signed.assign(asset=np.char.add("webinar-", live_day.to_numpy().astype(str)))
    monday = (live_day + 3) // 7 * 7 + 4
    attended = signed.assign(
        kind="webinar_attended",
        at=live,
        arrives=np.maximum(live, monday * MICROS_PER_DAY + 8 * MICROS_PER_HOUR),
        value=minutes,
    )
    return pd.concat([signed, attended[came]], ignore_index=True)


def _downloads(people: pd.DataFrame, path: Floats, dice: Dice) -> pd.DataFrame:
    frame = _weekly(people, dice, _logistic(-2.9 + 0.4 * path), "content_download")
    picks = choose(dice(), (30, 30, 15, 25), len(frame))
    return frame.assign(asset=np.array(catalogue.ASSETS, dtype=object)[picks])


def _demo_requests(people: pd.DataFrame, path: Floats, dice: Dice) -> pd.DataFrame:
    is_student = (people["seniority"] == "student").to_numpy()
    return _weekly(
        people, dice, _logistic(-5.9 + 0.95 * path - 2 * is_student[:, None]), "demo_request"
    )


def _ad_clicks(people: pd.DataFrame, path: Floats, dice: Dice) -> pd.DataFrame:
    """Return ad clicks with their cost; the ad platforms report them a day late."""
    is_paid = people["source"].str.startswith("paid").to_numpy()
    frame = _weekly(people, dice, _logistic(-3.6 + 0.2 * path + 1.2 * is_paid[:, None]), "ad_click")
    cost = np.round(dice().gamma(4.0, 0.9, len(frame)), 2)
    campaign = np.where(dice().random(len(frame)) < 0.5, "retargeting", "workflow_search")
    arrives = (frame["at"] // MICROS_PER_DAY + 1) * MICROS_PER_DAY + 5 * MICROS_PER_HOUR
    return frame.assign(value=cost, campaign=campaign, channel="ads", arrives=arrives)


def _social(people: pd.DataFrame, path: Floats, dice: Dice) -> pd.DataFrame:
    """Return likes and shares; the social tool delivers a week at once, on Mondays."""
    frame = _weekly(people, dice, _logistic(-3.3 + 0.1 * path), "social_engagement")
    channel = np.array(catalogue.SOCIAL_CHANNELS, dtype=object)
    monday = (frame["at"] // MICROS_PER_DAY + 3) // 7 * 7 + 4
    return frame.assign(
        channel=channel[choose(dice(), (60, 25, 15), len(frame))],
        arrives=monday * MICROS_PER_DAY + 6 * MICROS_PER_HOUR,
    )


def stable_share(lead: Ints, salt: int) -> Floats:
    """Return a number in [0, 1) per lead that is always the same for this lead."""
    mixed = (lead + 1) * np.int64(2_654_435_761) + np.int64(salt) * np.int64(40_503)
    return np.asarray((mixed ^ (mixed >> 15)) % 1_000_003 / 1_000_003, dtype=np.float64)


def _logistic(log_odds: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)), dtype=np.float64)
