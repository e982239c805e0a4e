"""The page of a champion that was adjusted: why, before and after, who enters and who leaves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from mqlml.reports.facts import Named, contestant_words
from mqlml.reports.moved import moved_table
from mqlml.reports.page import rendered
from mqlml.reports.tables import Cell, Head, Table, cells, text_head
from mqlml.reports.words import capital, counted, day, figure, sentence, short


@dataclass(frozen=True)
class RetrainingFacts:
    """Why the champion was adjusted, what was tried and decided.

    `losses` are the mean losses on leads since the change of the champion and of all that was
    tried; `moved` is a frame of lead_id, way, before, after, why.
    """

    name: str
    as_of: int
    is_promoted: bool
    verdict: str
    occasion: Sequence[Named]
    losses: Mapping[str, float]
    figures: Mapping[str, float]
    columns: Sequence[str] = ()
    moved: pd.DataFrame = field(default_factory=pd.DataFrame)


def retraining_page(facts: RetrainingFacts) -> str:
    """Return the page as one offline HTML file; equal facts give equal text."""
    return rendered(
        "retraining.html",
        title=f"{short(facts.name)}: retraining",
        name=short(facts.name),
        subtitle=f"Retraining · as of {day(facts.as_of)}",
        is_promoted=facts.is_promoted,
        verdict=sentence(capital(facts.verdict)),
        occasion=tuple(facts.occasion),
        losses=_loss_table(facts) if facts.losses else None,
        columns=[short(text, 120) for text in facts.columns],
        moved=moved_table(facts.moved) if len(facts.moved) else None,
    )


def _loss_table(facts: RetrainingFacts) -> Table:
    lowest = min(facts.losses.values())
    rows = tuple(
        cells(
            contestant_words(name),
            Cell(figure(loss, 4), tone="good" if loss == lowest else ""),
        )
        for name, loss in facts.losses.items()
    )
    heads = (text_head("Model"), Head("Log loss", "of what is known by now; less is better"))
    seen = int(facts.figures.get("rows", 0)), int(facts.figures.get("conversions", 0))
    note = f"{counted(seen[0], 'look', 'looks')} at leads, {seen[1]:,} conversions known by now."
    return Table("Before and after, on leads since the change", heads, rows, note=note)
