"""What the CRM keeps of each lead's course: stages, verdicts, handovers.

Frames hold the lead's row number `lead`, typed values, and `arrives`: when the
row is there to be exported.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.demo import catalogue
from mqlml.demo.draws import Dice, at_work
from mqlml.demo.drift import progress
from mqlml.demo.funnel import Course
from mqlml.demo.settings import DemoSettings
from mqlml.timeline import MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_SECOND, NEVER

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SMALL_CONTRACT_SIZE = 200
_SIGNING_MEDIAN_DAYS = 10.0


def signed_at(course: Course, settings: DemoSettings, *, seed: int) -> Ints:
    """Return when each lead signs as a customer, NEVER for those that do not decide."""
    dice = Dice(seed, "signing")
    decided = course.decided_at
    days = _SIGNING_MEDIAN_DAYS * np.exp(0.75 * dice().normal(size=len(decided)))
    days *= 1.0 + progress(settings.all_drifts, "sales_cycle", decided)
    after = np.where(decided < NEVER, decided, 0) + _whole(days)
    return np.where(decided < NEVER, at_work(dice(), after), NEVER)


def stage_rows(people: pd.DataFrame, course: Course, *, customer: Ints, seed: int) -> pd.DataFrame:
    """Return the stage history: lead, stage, at, arrives; each lead's times strictly rise."""
    dice = Dice(seed, "stages")
    n = len(people)
    judged, decided, accepted = course.judged_at, course.decided_at, course.accepted
    since = np.where(accepted, judged, 0)
    qualified = since + _whole(3.0 + 9.0 * dice().random(n))
    offered = qualified + _whole(5.0 + 10.0 * dice().random(n))
    given_up = since + _whole(60.0 + 30.0 * dice().random(n))
    is_sql = accepted & (dice().random(n) < 0.6) & (qualified < decided)
    is_offered = is_sql & (dice().random(n) < 0.5) & (offered < decided)
    is_won, is_worked = customer < NEVER, accepted & (judged < decided)
    parts = (
        ("lead", people["created"].to_numpy(), np.ones(n, dtype=bool)),
        ("mql", course.handed_at, course.handed_at < NEVER),
        ("sal", judged, accepted),
        ("sql", np.where(is_sql, qualified, decided), is_sql | (is_won & is_worked)),
        ("opportunity", np.where(is_offered, offered, decided), is_offered | is_won),
        ("customer", customer, is_won),
        ("recycled", np.where(accepted, given_up, judged), _recycled(course, given_up)),
        ("disqualified", course.closed_at, course.closed_at < NEVER),
    )
    rows = [_stage(name, at, holds) for name, at, holds in parts]
    return _in_order(pd.concat(rows, ignore_index=True))


def _recycled(course: Course, given_up: Ints) -> Flags:
    """Return which leads go back to marketing: given up undecided, or rejected but not closed."""
    is_given_up = course.accepted & (given_up < course.decided_at)
    is_rejected = (course.judged_at < NEVER) & ~course.accepted
    return np.asarray(is_given_up | (is_rejected & (course.closed_at == NEVER)))


def _stage(name: str, at: Ints, holds: Flags) -> pd.DataFrame:
    lead = np.flatnonzero(holds)
    return pd.DataFrame({"lead": lead, "stage": name, "at": at[lead]})


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows by lead and time in whole seconds, half an hour apart where they coincide."""
    rows = rows.assign(at=rows["at"] // MICROS_PER_SECOND * MICROS_PER_SECOND)
    rows = rows.sort_values(["lead", "at"], kind="stable", ignore_index=True)
    step = rows.groupby("lead").cumcount().to_numpy() * (MICROS_PER_HOUR // 2)
    lifted = rows["at"].to_numpy() - step
    at = pd.Series(lifted).groupby(rows["lead"]).cummax().to_numpy() + step
    return rows.assign(at=at, arrives=at + MICROS_PER_SECOND)


def recorded(stages: pd.DataFrame, people: pd.DataFrame, settings: DemoSettings) -> pd.DataFrame:
    """Return the stages as the CRM records them: small wins no longer after a new definition."""
    share = progress(settings.all_drifts, "definition", stages["at"].to_numpy())
    is_small = people["size"].to_numpy()[stages["lead"]] < SMALL_CONTRACT_SIZE
    is_dropped = (stages["stage"] == "customer").to_numpy() & is_small & (share > 0)
    return stages[~is_dropped].reset_index(drop=True)


def verdict_rows(course: Course) -> pd.DataFrame:
    """Return one verdict per judged lead: lead, at, verdict, reason, who, arrives."""
    lead = np.flatnonzero(course.judged_at < NEVER)
    at = course.judged_at[lead] // MICROS_PER_SECOND * MICROS_PER_SECOND
    return pd.DataFrame(
        {
            "lead": lead,
            "at": at,
            "verdict": np.where(course.accepted[lead], "accepted", "rejected"),
            "reason": course.reason[lead],
            "who": np.array(catalogue.REPS, dtype=object)[course.rep[lead]],
            "arrives": at + MICROS_PER_SECOND,
        }
    )


def handover_rows(course: Course) -> pd.DataFrame:
    """Return one handover per handed-over lead: lead, at, score (points), route, arrives."""
    lead = np.flatnonzero(course.handed_at < NEVER)
    at = course.handed_at[lead] // MICROS_PER_SECOND * MICROS_PER_SECOND
    columns = {"lead": lead, "at": at, "score": course.points[lead], "route": course.route[lead]}
    return pd.DataFrame(columns | {"arrives": at + MICROS_PER_SECOND})


def _whole(days: npt.NDArray[np.float64]) -> Ints:
    return (days * (MICROS_PER_DAY // MICROS_PER_SECOND)).astype(np.int64) * MICROS_PER_SECOND
