"""What each segment stands on: a model of its own, the pooled one, points, or the base rate."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mqlml.errors import ConfigError, Fault, nearest
from mqlml.modeling.outlook import more_words
from mqlml.modeling.search import Material, Rows
from mqlml.modeling.segmenting import Segmenting
from mqlml.modeling.settings import SegmentSettings

_RUNGS = {
    "segments": "its own model, held near the pooled one",
    "points_rules": "points rules",
    "base_rate": "base rate",
}
_POOLED = "pooled model"


@dataclass(frozen=True)
class Rung:
    """A segment: its evidence, what it is scored by, and why it has no better.

    `is_large` says whether it has leads, conversions and months enough for its own model.
    """

    segment: str
    leads: int
    conversions: int
    months: int
    is_large: bool
    scored_by: str = ""
    why: str = ""

    def words(self) -> str:
        """Return the evidence, what the segment is scored by, and why it has no better.

        >>> Rung("Malta", 64, 7, 9, False, "pooled model", "leads: 64 of 300").words()
        '64 leads, 7 conversions, 9 months: scored by pooled model (leads: 64 of 300)'
        """
        why = f" ({self.why})" if self.why else ""
        evidence = f"{self.leads:,} leads, {self.conversions:,} conversions, {self.months} months"
        return f"{evidence}: scored by {self.scored_by}{why}"


class PersonaSegments(SegmentSettings):
    """Settings of segments by persona, with the rules that tell the personas."""

    by: Segmenting


def segmenting_of(settings: SegmentSettings) -> Segmenting:
    """Return what tells the segments that the settings ask for."""
    if isinstance(settings, PersonaSegments):
        return settings.by
    return Segmenting(settings.column or "")


def segments_of(material: Material, rows: Rows, settings: SegmentSettings) -> tuple[Rung, ...]:
    """Return the segments among labelled rows, the largest first.

    Leads are counted, not points. Raises ConfigError for a column that is no category.
    """
    by = segmenting_of(settings)
    if not by.rules and not material.shape.is_category(by.column):
        found = f"{by.column!r}; {nearest(by.column, material.shape.categories)}"
        mend = "name a column that holds text, and that contestants get"
        raise ConfigError(Fault("no category to segment by", "model.segments", found, mend))
    values = by.names(material.matrix.iloc[rows])
    levels = [str(level) for level in pd.unique(values) if not pd.isna(level)]
    rungs = [_rung(level, material, rows[values == level], settings) for level in levels]
    return tuple(sorted(rungs, key=lambda rung: (-rung.leads, rung.segment)))


def _rung(level: str, material: Material, rows: Rows, settings: SegmentSettings) -> Rung:
    leads, labels = material.leads[rows], material.labels[rows]
    months = material.as_of[rows].astype("M8[us]").astype("M8[M]")
    found = {
        "leads": len(np.unique(leads)),
        "conversions": len(np.unique(leads[labels == 1])),
        "months": len(np.unique(months)),
    }
    needed = {
        "leads": settings.min_leads,
        "conversions": settings.min_conversions,
        "months": settings.min_months,
    }
    lacking = [
        f"{name}: {found[name]} of {needed[name]}, {more_words(found[name], needed[name], None)}"
        for name in needed
        if found[name] < needed[name]
    ]
    return Rung(
        segment=level,
        leads=found["leads"],
        conversions=found["conversions"],
        months=found["months"],
        is_large=not lacking,
        why="; ".join(lacking),
    )


def standing_of(rungs: Sequence[Rung], winner: str) -> tuple[Rung, ...]:
    """Return the segments with what each is scored by after the tournament."""
    return tuple(_placed(rung, winner) for rung in rungs)


def _placed(rung: Rung, winner: str) -> Rung:
    scored_by = _RUNGS.get(winner, _POOLED)
    if winner == "segments" and not rung.is_large:
        scored_by = _POOLED
    why = rung.why
    if rung.is_large and winner != "segments":
        why = "models by segment were not clearly better on later leads"
    return replace(rung, scored_by=scored_by, why=why)
