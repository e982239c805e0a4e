"""Page views that nobody read, planted among the web visits with the truth about each.

Crawlers that say so, crawlers that pretend to be a browser and go fast or slowly, staff and
developers whom Google marks, and mail scanners, which open the pages behind the links they check.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from mqlml.demo import catalogue
from mqlml.demo.company import DemoCompany
from mqlml.demo.draws import Dice
from mqlml.demo.robots import CHROME, CRAWLER
from mqlml.timeline import MICROS_PER_DAY, MICROS_PER_SECOND

VISIT_COLUMNS = ("kind", "visitor", "lead_id", "occurred_at", "page", "user_agent", "mark")
_KINDS = ("named_crawler", "fast_crawler", "slow_crawler", "staff", "developer")
_SHARES = (0.25, 0.2, 0.15, 0.25, 0.15)
_LEADS_PER_VISITOR = 6
# Seconds between pages, and how many pages, from and to.
_PAUSES = {
    "named_crawler": (0.5, 90.0, 1, 30),
    "fast_crawler": (0.05, 2.0, 2, 120),
    "slow_crawler": (3.0, 30.0, 5, 150),
    "staff": (5.0, 90.0, 1, 6),
    "developer": (1.0, 60.0, 1, 6),
}
_MARKS = {"staff": "internal", "developer": "debug"}


def planted_visits(company: DemoCompany, mail_robots: pd.DataFrame) -> pd.DataFrame:
    """Return robots' page views with VISIT_COLUMNS, in order of time within each visitor.

    `mail_robots` are the planted ones of the mails: their scanners' clicks open pages
    under the lead's id. Times are microseconds UTC, before the end of the simulation.
    """
    rng = Dice(company.seed, "planted visits")()
    start, end = company.settings.start_at, company.settings.end_at
    count = max(10, company.settings.n_leads // _LEADS_PER_VISITOR)
    kinds = rng.choice(_KINDS, count, p=_SHARES)
    begins = rng.integers(start, end - MICROS_PER_DAY, count)
    rows = [
        row
        for number, (kind, at) in enumerate(zip(kinds.tolist(), begins.tolist(), strict=True))
        for row in _visit(rng, kind, f"9000{number}.1", at)
    ]
    rows += _scanner_visits(rng, mail_robots)
    found = pd.DataFrame(rows, columns=list(VISIT_COLUMNS))
    return found[found["occurred_at"] < end].reset_index(drop=True)


def _visit(rng: np.random.Generator, kind: str, visitor: str, at: int) -> Iterator[tuple[Any, ...]]:
    """Yield the pages of one visit; a crawler goes from page to page of a long list."""
    least, most, fewest, largest = _PAUSES[kind]
    is_person = kind in _MARKS
    agent = CRAWLER if kind == "named_crawler" else CHROME if is_person else ""
    for number in range(int(rng.integers(fewest, largest + 1))):
        listed = catalogue.PAGES[int(rng.integers(len(catalogue.PAGES)))]
        page = listed if is_person else f"/blog/{(number * 37) % 1_009}"
        yield kind, visitor, "", at, page, agent, _MARKS.get(kind, "")
        at += round(float(rng.uniform(least, most)) * MICROS_PER_SECOND)


def _scanner_visits(
    rng: np.random.Generator, mail_robots: pd.DataFrame
) -> Iterator[tuple[Any, ...]]:
    """Yield a page view soon after every click of a gateway, by the id that the link hands over."""
    clicks = mail_robots[mail_robots["kind"].isin(["named_gateway", "silent_gateway"])]
    for row in clicks.to_dict("records"):
        at = row["occurred_at"] + round(float(rng.uniform(0.2, 4.0)) * MICROS_PER_SECOND)
        visitor = f"{str(row['lead_id']).lstrip('L')}.9"
        page = "/" + row["url"].split("/", 3)[3]
        yield "mail_scanner", visitor, row["lead_id"], at, page, "", ""
