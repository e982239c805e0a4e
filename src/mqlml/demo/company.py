"""The simulated company: raw tables as its systems export them, and the truth behind them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.demo import buyers, raw_tables, records, sales
from mqlml.demo.activity import draw_activity
from mqlml.demo.blemishes import soil
from mqlml.demo.drift import Change, known_changes
from mqlml.demo.funnel import Course, Market, make_market, run_funnel
from mqlml.demo.leads import draw_people
from mqlml.demo.settings import DemoSettings
from mqlml.demo.tracking import break_mail, break_web
from mqlml.timeline import NEVER


@dataclass(frozen=True)
class Truth:
    """What no learner sees.

    `leads`: one row per lead: lead_id, who they are, log-odds parts (`base`,
    `fit_old`, `fit_new`, `engagement` at its highest), `is_worked`, `probability`
    (of ever deciding to buy, given what the lead did and what sales did with it),
    `decided_at`, `customer_at` (microseconds UTC, NEVER if not).

    `hazard`: leads × calendar weeks since the week of creation, the chance of
    deciding in that week (0 once disqualified; told also for leads that have
    decided, as if they had not).

    `blemishes`: planted rows by file and kind. `overrated`: a signal that
    marketing counts highly and that means nothing.
    """

    leads: pd.DataFrame
    hazard: npt.NDArray[np.float64]
    changes: tuple[Change, ...]
    planted: tuple[sales.Planted, ...]
    blemishes: pd.DataFrame
    overrated: str = "webinar_registered"


@dataclass(frozen=True)
class DemoCompany:
    """`tables` holds one raw frame per export file, ordered by when each row arrives."""

    settings: DemoSettings
    seed: int
    tables: Mapping[str, pd.DataFrame]
    truth: Truth


def simulate(settings: DemoSettings, *, seed: int) -> DemoCompany:
    """Return the company of `settings`; the same seed gives the same company, byte for byte.

    Worlds that differ only in what changes agree in all that arrives before the
    change.
    """
    people = draw_people(settings, seed)
    activity = draw_activity(people, settings, seed)
    market = make_market(people, activity, settings)
    course = run_funnel(market, seed=seed)
    customer = records.signed_at(course, settings, seed=seed)
    stages = records.stage_rows(people, course, customer=customer, seed=seed)
    stages = records.recorded(stages, people, settings)
    clean = _crm_tables(people, course, stages=stages, seed=seed) | {
        "web_events": raw_tables.web_events(people, activity),
        "email_events": raw_tables.email_events(people, activity),
        "marketing_events": raw_tables.marketing_events(people, activity),
    }
    soiled = {name: soil(name, frame, seed=seed) for name, frame in clean.items()}
    soiled["web_events"] = break_web(soiled["web_events"], settings.all_drifts)
    soiled["email_events"] = break_mail(soiled["email_events"], settings.all_drifts)
    return DemoCompany(
        settings=settings,
        seed=seed,
        tables={name: _by_arrival(frame, settings) for name, frame in soiled.items()},
        truth=Truth(
            leads=_true_leads(market, course, customer),
            hazard=course.hazard,
            changes=known_changes(settings.all_drifts),
            planted=sales.PLANTED,
            blemishes=_blemish_counts(soiled),
        ),
    )


def _crm_tables(
    people: pd.DataFrame, course: Course, *, stages: pd.DataFrame, seed: int
) -> dict[str, pd.DataFrame]:
    won = np.full(len(people), NEVER)
    is_customer = stages["stage"] == "customer"
    won[stages.loc[is_customer, "lead"]] = stages.loc[is_customer, "at"]
    return {
        "crm_leads": raw_tables.crm_leads(people, won, seed=seed),
        "attribute_history": raw_tables.attribute_history(people, seed=seed),
        "stage_history": raw_tables.stage_history(people, stages),
        "verdicts": raw_tables.verdicts(people, records.verdict_rows(course)),
        "handovers": raw_tables.handovers(people, records.handover_rows(course)),
    }


def _by_arrival(frame: pd.DataFrame, settings: DemoSettings) -> pd.DataFrame:
    kept = frame[frame["arrives"] < settings.end_at]
    return kept.sort_values("arrives", kind="stable", ignore_index=True)


def _true_leads(market: Market, course: Course, customer: npt.NDArray[np.int64]) -> pd.DataFrame:
    columns = [
        "lead_id",
        "created",
        "seniority",
        "function",
        "industry",
        "size",
        "country",
        "source",
    ]
    flags = ["is_personal", "is_competitor", "is_twin", "interest"]
    return market.people[columns + flags].assign(
        base=buyers.BASE,
        fit_old=market.fit_old,
        fit_new=market.fit_new,
        engagement=market.engagement.max(axis=1),
        is_worked=course.accepted,
        probability=1.0 - np.prod(1.0 - course.hazard, axis=1),
        decided_at=course.decided_at,
        customer_at=customer,
    )


def _blemish_counts(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    planted = [
        frame.loc[frame["blemish"] != "", ["blemish"]].assign(table=name)
        for name, frame in tables.items()
    ]
    counted = pd.concat(planted).value_counts(["table", "blemish"]).sort_index()
    return counted.rename("rows").reset_index()
