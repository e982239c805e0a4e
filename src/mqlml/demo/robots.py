"""Machines among the readers of mails, planted with the truth about each event.

Apple's proxy opens every mail of some people, gateways of some companies follow links before
anybody reads, one of them without saying so, and crawlers find links that were passed on.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from mqlml.demo.activity import stable_share
from mqlml.demo.company import DemoCompany
from mqlml.demo.draws import Dice
from mqlml.timeline import MICROS_PER_SECOND

TRUTH_COLUMNS = ("kind", "lead_id", "occurred_at", "type", "url", "user_agent")
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/125.0 Safari/537.36"
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
_AGENTS = {
    "apple_privacy": "Mozilla/5.0",
    "named_gateway": "Mozilla/5.0 (compatible; ProofpointURLDefense)",
    "silent_gateway": CHROME,
    "crawler": CRAWLER,
}
_LINKS = ("start", "product", "customers", "unsubscribe")
_APPLE_SHARE, _NAMED_SHARE, _SILENT_SHARE, _CRAWLED = 0.3, 0.04, 0.03, 0.002


def planted_robots(company: DemoCompany) -> pd.DataFrame:
    """Return robots' events on the company's mails, TRUTH_COLUMNS and the mail of each.

    Times are microseconds UTC of whole seconds, before the end of the simulation.
    """
    mails = company.tables["email_events"]
    sent = mails[(mails["event"] == "email_sent") & (mails["blemish"] == "")]
    dice = Dice(company.seed, "planted robots")
    luck = dice().random((3, len(sent)))
    numbers = sent["contact"].str.lstrip("L").astype("int64").to_numpy(np.int64)
    who = stable_share(np.asarray(numbers, np.int64), 11)
    bounds = np.cumsum([_APPLE_SHARE, _NAMED_SHARE, _SILENT_SHARE])
    kinds = np.select(
        [who < bounds[0], who < bounds[1], who < bounds[2], luck[2] < _CRAWLED],
        ["apple_privacy", "named_gateway", "silent_gateway", "crawler"],
        "",
    )
    rows = [
        event
        for row, kind, first, second in zip(
            sent[["contact", "at", "mailing"]].to_dict("records"), kinds, *luck[:2], strict=True
        )
        if kind
        for event in _events({str(n): v for n, v in row.items()}, str(kind), first, second)
    ]
    found = pd.DataFrame(rows, columns=[*TRUTH_COLUMNS, "mailing"])
    return found[found["occurred_at"] < company.settings.end_at].reset_index(drop=True)


def _events(
    mail: Mapping[str, Any], kind: str, first: float, second: float
) -> Iterator[tuple[Any, ...]]:
    """Yield what one machine does with one mail; `first` and `second` are its luck."""
    at = mail["at"] // MICROS_PER_SECOND
    is_open = kind == "apple_privacy"
    waits = {
        "apple_privacy": (5 + int(first * 7_200),),
        "named_gateway": (3 + int(first * 30),),
        "silent_gateway": tuple(20 + int(first * 60) + n // 2 for n in range(len(_LINKS))),
        "crawler": (3_600 + int(second * 86_400),),
    }[kind]
    for link, wait in zip(_LINKS, waits, strict=False):
        url = "" if is_open else f"https://www.acme-workflows.example/mail/{mail['mailing']}/{link}"
        what = "email_opened" if is_open else "email_clicked"
        moment = (at + wait) * MICROS_PER_SECOND
        yield kind, mail["contact"], moment, what, url, _AGENTS[kind], mail["mailing"]
