"""How far each switched change of the world has come at a given time, and what it touches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mqlml.demo.settings import Drift, DriftKind
from mqlml.timeline import MICROS_PER_WEEK, is_from

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]

SEGMENT_COUNTRIES = ("United Kingdom", "Netherlands")


@dataclass(frozen=True)
class Effect:
    """What a kind of change does: the kind a monitor should name, what it touches, in words."""

    named: str
    says: str
    columns: tuple[str, ...] = ()
    segment: str | None = None
    ramp_weeks: int = 0


EFFECTS: Mapping[DriftKind, Effect] = {
    "prior": Effect("prior", "buyers decide less often, whoever they are"),
    "concept_abrupt": Effect(
        "concept", "another kind of company buys, from one day", ("company_size", "industry")
    ),
    "concept_gradual": Effect(
        "concept",
        "another kind of company buys, growing over twelve weeks",
        ("company_size", "industry"),
        ramp_weeks=12,
    ),
    "concept_segment": Effect(
        "concept",
        "another kind of company buys in two countries",
        ("company_size", "industry"),
        segment="country in (" + ", ".join(SEGMENT_COUNTRIES) + ")",
    ),
    "covariate": Effect(
        "covariate", "a new campaign brings other people", ("source", "campaign", "title")
    ),
    "definition": Effect(
        "definition", "contracts of small companies are no longer recorded as customers", ("stage",)
    ),
    "sales_cycle": Effect("sales_cycle", "signing takes twice as long"),
    "selection": Effect("selection", "half as many leads are handed over, by job title alone"),
    "tag_lost": Effect("instrumentation", "the pricing page is no longer tracked", ("page",)),
    "field_renamed": Effect(
        "instrumentation", "the web tracker writes page_path instead of page", ("page",)
    ),
    "unit_changed": Effect(
        "instrumentation", "page durations come in milliseconds", ("duration_s",)
    ),
    "bot_opens": Effect("bots", "scanners open the mails of three leads in ten", ("email_opened",)),
}


@dataclass(frozen=True)
class Change:
    """One change as the truth tells it: what a monitor should say and since when."""

    kind: DriftKind
    named: str
    at: int
    columns: tuple[str, ...]
    segment: str | None
    says: str


def known_changes(drifts: Sequence[Drift]) -> tuple[Change, ...]:
    """Return the planted changes in order of their date."""
    ordered = sorted(drifts, key=lambda drift: (drift.at, drift.kind))
    return tuple(_change(drift, EFFECTS[drift.kind]) for drift in ordered)


def _change(drift: Drift, effect: Effect) -> Change:
    return Change(drift.kind, effect.named, drift.at, effect.columns, effect.segment, effect.says)


def progress(drifts: Sequence[Drift], kind: DriftKind, at: Times) -> Floats:
    """Return how far changes of `kind` have come at each time: 0 before, their strength after.

    A gradual change grows in a straight line; the first instant of an abrupt
    one already has its full strength.
    """
    total = np.zeros(len(at), dtype=np.float64)
    ramp = EFFECTS[kind].ramp_weeks * MICROS_PER_WEEK
    for drift in drifts:
        if drift.kind == kind:
            total += drift.strength * _ramp(at, drift.at, ramp)
    return total


def _ramp(at: Times, begins: int, length: int) -> Floats:
    if length == 0:
        return np.asarray(is_from(at, begins), dtype=np.float64)
    return np.clip((at - begins) / length, 0.0, 1.0)


def concept_share(drifts: Sequence[Drift], at: Times, in_segment: npt.NDArray[np.bool_]) -> Floats:
    """Return how much of the new profile holds for each (time, lead), between 0 and 1."""
    share = progress(drifts, "concept_abrupt", at) + progress(drifts, "concept_gradual", at)
    share += progress(drifts, "concept_segment", at) * in_segment
    return np.clip(share, 0.0, 1.0)
