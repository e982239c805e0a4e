"""The cast of the drift worlds: columns, plan, and the switches with the truth behind them."""

from collections.abc import Mapping
from dataclasses import dataclass

from mqlml.features.columns import AttributeFeature, Feature
from mqlml.features.plan import Plan
from mqlml.features.signals import Signal
from mqlml.timeline import EVER

N_FEATURES = 100
SOURCES = ("ads", "events", "organic", "partners", "social")
COUNTRIES = ("DE", "FR", "NL", "UK")
# Columns by what they are made of.
OPENS = ("email_open__count__ever", "email_open__days_since_last__ever")
WEB = tuple(f"page_view_{i}__count__ever" for i in range(6))
_NUMBERS = N_FEATURES - 2 - len(OPENS) - len(WEB)
ATTRIBUTES = tuple(f"number_{i:02d}" for i in range(_NUMBERS))
GROWING = 30

_OPEN = Signal("email_open", "type = 'email_opened'", "mails opened")
_VIEWS = tuple(Signal(f"page_view_{i}", f"page = '{i}'", f"views of page {i}") for i in range(6))
PLAN = Plan(
    signals=(_OPEN, *_VIEWS),
    features=(
        Feature("count", _OPEN, EVER),
        Feature("days_since_last", _OPEN, EVER),
        *(Feature("count", view, EVER) for view in _VIEWS),
    ),
    attributes=(
        *(AttributeFeature(name, name, "number", name.replace("_", " ")) for name in ATTRIBUTES),
        AttributeFeature("source", "source", "category", "source"),
        AttributeFeature("country", "country", "category", "country"),
    ),
)
FIRST_FIT = len(OPENS) + len(WEB)
NUMBERS = tuple(c for c in PLAN.columns if c not in ("source", "country"))


@dataclass(frozen=True)
class World:
    """A switch: what changes, the kind a monitor should name, and the columns it touches."""

    name: str
    kind: str | None
    columns: tuple[str, ...] = ()
    is_registered: bool = False


WORLDS: Mapping[str, World] = {
    world.name: world
    for world in (
        World("none", None),
        World("prior", "prior"),
        World("prior_up", "prior"),
        World("concept", "concept"),
        World("concept_gradual", "concept"),
        World("concept_segment", "concept"),
        World("concept_recurring", "concept"),
        World("campaign", "covariate", ("source",)),
        World("new_market", "covariate", ("country",)),
        World("definition", "definition", is_registered=True),
        World("sales_cycle", "sales_cycle"),
        World("selection", "selection", ("share handed over",)),
        World("tag_lost", "instrumentation", WEB[:3]),
        World("field_renamed", "instrumentation", ("source",)),
        World("unit_changed", "instrumentation", (ATTRIBUTES[1],)),
        World("bot_opens", "bots", (OPENS[0],)),
    )
}
