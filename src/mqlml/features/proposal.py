"""A whole plan proposed from what the data hold: signals × windows × kinds, to be pruned."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mqlml.features.settings import (
    AccountLeadsSettings,
    EventKind,
    FeatureSettings,
    PlanSettings,
    RateSettings,
    RatioSettings,
    SignalSettings,
)
from mqlml.features.signals import ANY

_WINDOWS = (7.0, 30.0, 90.0)
_MOST_SIGNALS = 12
_GROUP_WORDS = ("source", "campaign", "channel", "medium", "referrer")


@dataclass(frozen=True)
class Seen:
    """What the data hold before the test begins, which is all that a proposal may look at.

    `types` are the event types, most frequent first; `texts` and `numbers` are the event
    columns that are filled; `groups` are attributes whose values many leads share.
    """

    days: float
    types: Sequence[str] = ()
    texts: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    stages: Sequence[str] = ()
    groups: Sequence[str] = ()
    has_accounts: bool = False


def propose_plan(settings: PlanSettings, seen: Seen) -> PlanSettings:
    """Return the settings with everything that is worth trying; what they hold comes first.

    Signals that the settings name are used; without any, each event type becomes one.
    """
    signals = dict(settings.signals) or _signals_of(seen.types)
    lines = tuple(_lines(tuple(signals), seen)) if seen.types else ()
    return settings.model_copy(
        update={
            "signals": signals,
            "features": (*settings.features, *lines),
            "stages": tuple(dict.fromkeys((*settings.stages, *_stages(seen)))),
            "account_leads": _account_leads(settings, seen),
            "rates": _rates(settings, seen),
            "ratios": (*settings.ratios, *_ratios(settings, seen)),
        }
    )


def is_group_name(name: str) -> bool:
    """Return whether an attribute's name says that it tells where leads come from.

    >>> is_group_name("lead_source"), is_group_name("country")
    (True, False)
    """
    return any(word in name.lower() for word in _GROUP_WORDS)


def _signals_of(types: Sequence[str]) -> dict[str, SignalSettings]:
    found: dict[str, SignalSettings] = {}
    for number, name in enumerate(types[:_MOST_SIGNALS]):
        text = name.replace("'", "''")
        signal = signal_name(name, number)
        if signal in found:
            signal = f"{signal}_{number}"
        found[signal] = SignalSettings(where=f"type = '{text}'", says=name.replace("_", " "))
    return found


def signal_name(text: str, number: int) -> str:
    """Return a name for the signal of an event type, of whatever letters the type is made.

    >>> signal_name("Page View", 0), signal_name("любой", 3), signal_name("any", 4)
    ('page_view', 'type_3', 'type_4_any')
    """
    letters = "".join(c if c.isalnum() and c.isascii() else " " for c in text.lower())
    name = "_".join(letters.split())
    if name and not name[0].isdigit() and name != ANY.name:
        return name
    return "_".join(part for part in ("type", str(number), name) if part)


def _lines(signals: Sequence[str], seen: Seen) -> Iterator[FeatureSettings]:
    finite = tuple(days for days in _WINDOWS if days < seen.days)
    everything = (ANY.name, *signals)
    long = finite[1:] or finite
    yield _line(("count",), everything, (*finite, "ever"))
    yield _line(("days_since_last",), everything)
    yield _line(("active_days",), everything, (*long[:1], "ever"))
    yield _line(("decayed_count",), everything, half_life_days=14)
    yield _line(("days_since_first", "active_weeks_streak", "mean_gap_days", "max_gap_days"))
    yield _line(("sessions", "max_session_events", "mean_session_minutes"), (), (*long, "ever"))
    if signals:
        yield _line(("share",), signals, (*long[-1:], "ever"))
    if seen.days > 28:
        yield _line(("weekly_slope",), everything, (28,))
    for name in sorted(seen.texts):
        yield _line(("distinct",), (), (*long[:1], "ever"), of=name)
    if "duration_s" in seen.numbers:
        yield _line(("time_spent",), everything, (*long[:1], "ever"))
    for name in sorted(seen.numbers - {"duration_s"}):
        yield _line(("sum", "max", "last_value"), (), ("ever",), of=name)
    if seen.has_accounts:
        kinds: tuple[EventKind, ...] = ("account_count", "account_active_leads")
        yield _line(kinds, everything, (*long[-1:], "ever"))


def _line(
    kinds: tuple[EventKind, ...],
    signals: Sequence[str] = (),
    windows: Sequence[float | str] = ("ever",),
    **more: object,
) -> FeatureSettings:
    values: Mapping[str, object] = {"kinds": kinds, "signals": signals, "windows_days": windows}
    return FeatureSettings.model_validate({**values, **more})


def _stages(seen: Seen) -> Iterator[str]:
    yield from seen.stages
    if seen.stages:
        yield "change"


def _account_leads(settings: PlanSettings, seen: Seen) -> AccountLeadsSettings:
    windows = settings.account_leads.windows_days
    added = (90.0, "ever") if seen.has_accounts else ()
    return AccountLeadsSettings(windows_days=tuple(dict.fromkeys((*windows, *added))))


def _rates(settings: PlanSettings, seen: Seen) -> RateSettings:
    of = tuple(dict.fromkeys((*settings.rates.of, *seen.groups)))
    return settings.rates.model_copy(update={"of": of})


def _ratios(settings: PlanSettings, seen: Seen) -> Iterator[RatioSettings]:
    columns = ("any__count__7d", "any__count__30d")
    if seen.types and seen.days > _WINDOWS[1]:
        asked = RatioSettings(of=columns[0], to=columns[1])
        if all((ratio.of, ratio.to) != columns for ratio in settings.ratios):
            yield asked
