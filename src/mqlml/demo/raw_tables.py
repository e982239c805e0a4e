"""The raw tables of the firm's systems, as text, one frame per file; `arrives` orders them.

Until now everything was true and clean. Here it becomes what an export holds.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.demo import catalogue
from mqlml.demo.activity import Activity
from mqlml.demo.draws import Dice
from mqlml.demo.rawtext import naive_text, offset_text, size_text, sloppy, utc_text
from mqlml.timeline import MICROS_PER_DAY, MICROS_PER_SECOND

Ints = npt.NDArray[np.int64]


def crm_leads(people: pd.DataFrame, customer: Ints, *, seed: int) -> pd.DataFrame:
    """Return the CRM's leads; the contract value is there from `contract_known` on."""
    dice = Dice(seed, "crm")
    industry, country = people["industry"].to_numpy(object), people["country"].to_numpy(object)
    country = np.where(
        (country == "United Kingdom") & (dice().random(len(people)) < 0.3), "UK", country
    )
    created = people["created"].to_numpy()
    known = people["is_competitor"].to_numpy() & (dice().random(len(people)) < 0.7)
    return pd.DataFrame(
        {
            "lead_id": people["lead_id"].to_numpy(object),
            "created_at": offset_text(created),
            "title": sloppy(dice, people["title"].to_numpy(object), blank=0.03),
            "industry": sloppy(dice, industry, blank=0.03, select=0.04),
            "company_size": size_text(dice, people["size"].to_numpy()),
            "country": sloppy(dice, country, blank=0.02),
            "source": people["source"].to_numpy(object),
            "campaign": people["campaign"].to_numpy(object),
            "email_kind": np.where(people["is_personal"], "personal", "business"),
            "is_competitor": np.where(known, "yes", "no"),
            "contract_value": [f"{value:.0f}" for value in contract_values(people, seed=seed)],
            "contract_known": customer,
            "arrives": created,
        }
    )


def attribute_history(people: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return dated attributes: employees (some wrong first, corrected later) and tool in use."""
    dice = Dice(seed, "enrichment")
    n = len(people)
    created = people["created"].to_numpy()
    first = created + _days(dice().uniform(0.5, 9.0, n))
    is_known, is_wrong = dice().random(n) < 0.88, dice().random(n) < 0.06
    size = people["size"].to_numpy()
    wrong = np.ceil(size * np.where(dice().random(n) < 0.5, 10.0, 0.1))
    parts = (
        ("employees", first, np.where(is_wrong, wrong, size), is_known),
        ("employees", first + _days(dice().uniform(15.0, 80.0, n)), size, is_known & is_wrong),
    )
    rows = [
        pd.DataFrame({"lead": np.flatnonzero(m), "name": name, "at": at[m], "value": value[m]})
        for name, at, value, m in parts
    ]
    sizes = pd.concat(rows, ignore_index=True)
    sizes["value"] = [f"{value:.0f}" for value in sizes["value"]]
    has_tool = dice().random(n) < 0.65
    asked = created + _days(dice().uniform(1.0, 20.0, n))
    tool = people["tool"].to_numpy(object)
    tools = pd.DataFrame({"lead": np.flatnonzero(has_tool), "name": "tool", "at": asked[has_tool]})
    frame = pd.concat([sizes, tools.assign(value=tool[has_tool])], ignore_index=True)
    at = frame["at"].to_numpy() // MICROS_PER_SECOND * MICROS_PER_SECOND
    columns = {"lead_id": _ids(people, frame), "attribute": frame["name"], "value": frame["value"]}
    return pd.DataFrame(columns | {"known_at": utc_text(at), "arrives": at})


def contract_values(people: pd.DataFrame, *, seed: int) -> npt.NDArray[np.float64]:
    """Return what each lead's contract would be worth a year, in whole euros."""
    luck = Dice(seed, "contracts")().normal(size=len(people))
    return np.round(900.0 * people["size"].to_numpy() ** 0.55 * np.exp(0.35 * luck), -2)


def web_events(people: pd.DataFrame, activity: Activity) -> pd.DataFrame:
    """Return the web tracker's page views; durations are numbers."""
    web = activity.web
    return pd.DataFrame(
        {
            "id": _numbered("w", len(web)),
            "lead": _ids(people, web),
            "ts": utc_text(web["at"].to_numpy()),
            "event": "page_view",
            "page": np.array(catalogue.PAGES, dtype=object)[web["page"]],
            "session": np.char.add("s", web["session"].to_numpy().astype(str)).astype(object),
            "duration": web["duration"].to_numpy(),
            "at": web["at"].to_numpy(),
            "arrives": web["arrives"].to_numpy(),
        }
    )


def email_events(people: pd.DataFrame, activity: Activity) -> pd.DataFrame:
    """Return the mailing tool's events; only some scanner clicks are marked as such."""
    mail = activity.mail
    return pd.DataFrame(
        {
            "message_event_id": _numbered("m", len(mail)),
            "contact": _ids(people, mail),
            "event_time": utc_text(mail["at"].to_numpy()),
            "event": np.char.add("email_", mail["kind"].to_numpy(str)).astype(object),
            "mailing": np.char.add("day-", mail["mail"].to_numpy().astype(str)).astype(object),
            "is_bot": mail["is_bot"].to_numpy(object),
            "at": mail["at"].to_numpy(),
            "arrives": mail["arrives"].to_numpy(),
        }
    )


def marketing_events(people: pd.DataFrame, activity: Activity) -> pd.DataFrame:
    """Return webinars, downloads, demo requests, ads and social, with when each arrived."""
    events = activity.marketing
    return pd.DataFrame(
        {
            "event_id": _numbered("x", len(events)),
            "lead_id": _ids(people, events),
            "occurred_at": events["at"].to_numpy(),
            "arrived_at": events["arrives"].to_numpy(),
            "type": events["kind"].to_numpy(object),
            "channel": events["channel"].to_numpy(object),
            "campaign": events["campaign"].to_numpy(object),
            "asset": events["asset"].to_numpy(object),
            "value": events["value"].to_numpy(),
            "at": events["at"].to_numpy(),
            "arrives": events["arrives"].to_numpy(),
        }
    )


def stage_history(people: pd.DataFrame, stages: pd.DataFrame) -> pd.DataFrame:
    """Return the stage changes, in the CRM's wall clock without a zone."""
    columns = {"lead_id": _ids(people, stages), "stage": stages["stage"].to_numpy(object)}
    times = {"changed_at": naive_text(stages["at"].to_numpy())}
    return pd.DataFrame(columns | times | {"arrives": stages["arrives"].to_numpy()})


def verdicts(people: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return what the reps said, with their ids."""
    return pd.DataFrame(
        {
            "lead_id": _ids(people, rows),
            "given_at": offset_text(rows["at"].to_numpy()),
            "verdict": rows["verdict"].to_numpy(object),
            "reason": rows["reason"].to_numpy(object),
            "rep": rows["who"].to_numpy(object),
            "arrives": rows["arrives"].to_numpy(),
        }
    )


def handovers(people: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return which leads went to sales, with the points they had."""
    return pd.DataFrame(
        {
            "lead_id": _ids(people, rows),
            "handed_over_at": offset_text(rows["at"].to_numpy()),
            "points": [f"{score:.0f}" for score in rows["score"]],
            "model_version": "points-sheet",
            "criteria_version": "0",
            "route": rows["route"].to_numpy(object),
            "arrives": rows["arrives"].to_numpy(),
        }
    )


def _ids(people: pd.DataFrame, rows: pd.DataFrame) -> npt.NDArray[np.object_]:
    return np.asarray(people["lead_id"].to_numpy(object)[rows["lead"].to_numpy()])


def _numbered(letter: str, count: int) -> npt.NDArray[np.object_]:
    return np.array([f"{letter}{number:08d}" for number in range(1, count + 1)], dtype=object)


def _days(days: npt.NDArray[np.float64]) -> Ints:
    return (days * MICROS_PER_DAY).astype(np.int64)
