"""What breaks in the tracking from a given day: lost tags, renamed fields, units, scanners."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mqlml.demo.activity import stable_share
from mqlml.demo.drift import progress
from mqlml.demo.settings import Drift
from mqlml.timeline import MICROS_PER_SECOND

_SCANNED_SHARE = 0.3


def break_web(web: pd.DataFrame, drifts: Sequence[Drift]) -> pd.DataFrame:
    """Return the page views as the tracker writes them; column `page_path` if it was renamed."""
    at = web["at"].to_numpy()
    is_lost = (progress(drifts, "tag_lost", at) > 0) & (web["page"] == "/pricing").to_numpy()
    in_millis = progress(drifts, "unit_changed", at) > 0
    duration = web["duration"].to_numpy()
    web = web.assign(duration=np.where(in_millis, np.round(duration * 1_000), duration))
    is_renamed = progress(drifts, "field_renamed", at) > 0
    if is_renamed.any():
        page = web["page"]
        web = web.assign(page=page.mask(is_renamed), page_path=page.where(is_renamed))
    return web[~is_lost].reset_index(drop=True)


def break_mail(mail: pd.DataFrame, drifts: Sequence[Drift]) -> pd.DataFrame:
    """Return the mail events with the opens that scanners add, unmarked, seconds after sending."""
    is_sent = (mail["event"] == "email_sent") & (mail["blemish"] == "")
    strength = progress(drifts, "bot_opens", mail["at"].to_numpy())
    number = mail["contact"].str[1:].where(is_sent, "0").to_numpy().astype(np.int64)
    scanned = is_sent & (stable_share(number, 11) < _SCANNED_SHARE * strength)
    opens = mail[scanned]
    added = opens.assign(
        message_event_id=opens["message_event_id"] + "-o",
        event="email_opened",
        at=opens["at"] + 3 * MICROS_PER_SECOND,
        arrives=opens["arrives"] + 3 * MICROS_PER_SECOND,
    )
    return pd.concat([mail, added], ignore_index=True)
