"""The page of a preview: what another version of the criteria would do, on the past and today."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from mqlml.criteria.preview import Handed, Preview, Side
from mqlml.reports.facts import Named, outcome_words
from mqlml.reports.page import rendered
from mqlml.reports.preview_pictures import SideNames, precision_picture, volume_picture
from mqlml.reports.tables import Head, Table, cells, records, text_head
from mqlml.reports.words import (
    count,
    counted,
    day,
    percent,
    percent_range,
    short,
    signed,
)

_IDS = 60
_TODAY = 40
EVERYBODY = "all leads"


@dataclass(frozen=True)
class PreviewFacts:
    """Everything the page of a preview shows, in plain values.

    `changes` are sentences, `told` says where past probabilities come from, `capacity`
    is how many new leads a week the new version allows, None without such a number.
    """

    name: str
    as_of: int
    names: SideNames
    found: Preview
    today: pd.DataFrame
    changes: Sequence[str]
    told: str
    capacity: float | None = None
    details: Sequence[Named] = ()


def preview_page(facts: PreviewFacts) -> str:
    """Return the preview as one offline HTML page; equal facts give equal text."""
    found, names = facts.found, facts.names
    return rendered(
        "preview.html",
        title=f"{short(facts.name)}: preview of the criteria",
        name=f"{short(facts.name)}: criteria",
        subtitle=f"Preview · {names.old} against {names.new} · as of {day(facts.as_of)}",
        verdict=preview_verdict(facts),
        tiles=_tiles(facts),
        changes=tuple(short(text, 300) for text in facts.changes),
        weeks=counted(found.weeks, "week", "weeks"),
        told=facts.told,
        volume=volume_picture(found.by_week, names, facts.capacity),
        precision=precision_picture(_groups(found), names),
        movers=(
            _movers("Would enter", names.new, found.enters, found.entering),
            _movers("Would leave", names.old, found.leaves, found.leaving),
        ),
        today=_today_table(facts.today) if len(facts.today) else None,
        today_words=_today_words(facts),
        details=tuple(facts.details),
    )


def preview_verdict(facts: PreviewFacts) -> str:
    """Return the one sentence to remember: volume and precision, from what to what."""
    old, new, found = facts.found.old, facts.found.new, facts.found
    volume = (
        f"Sales would have got {_mean(new)} new leads a week instead of {_mean(old)}"
        if _mean(new) != _mean(old)
        else f"Sales would have got {_mean(new)} new leads a week as before"
    )
    if not (old.handed.mature and new.handed.mature):
        return f"{volume}; too few outcomes are known to say how many of them convert."
    shown = (
        f"{percent(new.handed.precision)} of them converted instead of "
        f"{percent(old.handed.precision)}"
    )
    return f"{volume}, and {shown} ({_gain(found)}). {_judgement(found)}"


def _mean(side: Side) -> str:
    return f"{side.volume.mean:.1f}"


def _gain(found: Preview) -> str:
    span = f"{signed(100 * found.gain_low, 1)} to {signed(100 * found.gain_high, 1)}"
    return f"{signed(100 * found.gain, 1)} points, between {span} with 95 % confidence"


def _judgement(found: Preview) -> str:
    if not (math.isfinite(found.gain_low) and math.isfinite(found.gain_high)):
        return ""
    if found.gain_low > 0:
        return "The change makes leads for sales better."
    if found.gain_high < 0:
        return "The change makes leads for sales worse."
    return "Whether leads for sales become better or worse cannot be told from this past."


def _tiles(facts: PreviewFacts) -> tuple[Named, ...]:
    found = facts.found
    return (
        Named("new leads a week", f"{_mean(found.old)} → {_mean(found.new)}"),
        Named(
            "converted",
            f"{percent(found.old.handed.precision)} → {percent(found.new.handed.precision)}",
        ),
        Named("would enter", count(found.enters.leads)),
        Named("would leave", count(found.leaves.leads)),
        Named("open leads that change today", count(len(facts.today))),
    )


def _groups(found: Preview) -> pd.DataFrame:
    """Return everybody and each persona, as rows of the precision picture."""
    whole: dict[str, object] = {"segment": EVERYBODY}
    for side, told in (("old", found.old.handed), ("new", found.new.handed)):
        whole |= {
            f"{side}_leads": told.leads,
            f"{side}_precision": told.precision,
            f"{side}_low": told.low,
            f"{side}_high": told.high,
        }
    return pd.concat([pd.DataFrame([whole]), found.by_segment], ignore_index=True)


@dataclass(frozen=True)
class Movers:
    """Leads that only one version gives to sales: what is known of them, and who they are."""

    title: str
    words: str
    ids: tuple[str, ...]
    more: str


def _movers(title: str, version: str, group: Handed, ids: tuple[str, ...]) -> Movers:
    which = f"go to sales under {version} alone"
    if not group.leads:
        return Movers(title, f"No lead would {which}.", (), "")
    words = f"{counted(group.leads, 'lead', 'leads')} would {which}"
    if group.mature:
        words += (
            f"; {count(group.converted)} of {count(group.mature)} with a known outcome converted: "
            f"{percent(group.precision)} ({percent_range(group.low, group.high)})"
        )
    rest = len(ids) - _IDS
    more = f"{count(rest)} more stand in the answer of --json." if rest > 0 else ""
    return Movers(title, f"{words}.", tuple(short(one) for one in ids[:_IDS]), more)


def _today_words(facts: PreviewFacts) -> str:
    if not len(facts.today):
        return f"On {day(facts.as_of)} no open lead changes."
    changed = counted(len(facts.today), "open lead changes", "open leads change")
    rest = len(facts.today) - _TODAY
    more = f" The first {_TODAY} by id stand here, --json names them all." if rest > 0 else ""
    return f"On {day(facts.as_of)} {changed}.{more}"


def _today_table(today: pd.DataFrame) -> Table:
    rows = tuple(
        cells(
            short(row["lead_id"]),
            short(row["segment"], 30),
            percent(row["probability"]),
            outcome_words(row["before"]),
            outcome_words(row["after"]),
        )
        for row in records(today.head(_TODAY))
    )
    heads = (
        text_head("Lead"),
        text_head("Persona"),
        Head("Probability"),
        text_head("Is"),
        text_head("Becomes"),
    )
    return Table("Open leads whose outcome changes", heads, rows)
