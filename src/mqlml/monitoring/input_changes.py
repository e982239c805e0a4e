"""Which inputs moved together, since when, and whether a tag, a field, bots or people moved."""

from mqlml.features.columns import Feature
from mqlml.features.plan import Plan
from mqlml.monitoring.evidence import Change, Kind, Proposal, week_start
from mqlml.monitoring.figures import MISSING, OTHERS
from mqlml.monitoring.input_odds import InputEvidence, Moved
from mqlml.monitoring.watch import Watch

_MOST_COLUMNS = 6
# Above these a figure has not moved, it is broken: shares of rows, ranks from 0 to 1.
_GONE = 0.2
_ALL_NEW = 0.5
_EDGE = 0.08
_FAR = 0.2
_OPENS = ("email_open", "email_opened", "opened", "mail_open")
_ACTS: dict[str, tuple[str, Proposal]] = {
    "instrumentation": (
        "fix the tracking or the field behind these columns before anything is retrained",
        "fix_tracking",
    ),
    "bots": (
        "filter opens by machines (robots in the config) before a model learns from these weeks",
        "fix_tracking",
    ),
    "covariate": (
        "look at campaigns and sources; the model holds until conversions say otherwise",
        "nothing",
    ),
}


def input_change(watch: Watch, found: InputEvidence, week: int) -> Change:
    """Return the change of inputs with the strongest evidence at the end of `week`."""
    told = found.dated(week - int(watch.figures.weeks[0]))
    plan, end = watch.reference.plan, watch.history.data_end
    broken = [moved for moved in told.moved if is_broken(moved)]
    kind: Kind = "covariate"
    named = told.moved
    if broken:
        kind, named = "instrumentation", broken
    elif is_of_opens(plan, told.moved[0].column):
        kind, named = "bots", [m for m in told.moved if is_of_opens(plan, m.column)]
    columns = tuple(dict.fromkeys(moved.column for moved in named))
    act, proposal = _ACTS[kind]
    first = named[0]
    others = f", and {len(columns) - 1} more columns" if len(columns) > 1 else ""
    return Change(
        kind=kind,
        since=week_start(told.since, end),
        columns=columns[:_MOST_COLUMNS],
        segment=None,
        evidence=(
            f"{first.statistic} of {plan.describe(first.column).sentence}: "
            f"{first.usual:.3g} before, {first.now:.3g} now{others}"
        ),
        act=act,
        strength=told.strength,
        earliest=week_start(told.earliest, end),
        latest=week_start(told.latest, end),
        proposal=proposal,
    )


def is_broken(moved: Moved) -> bool:
    """Return whether a figure moved as only measuring differently moves it.

    Values gone missing, a category of values never seen, or a number whose every value
    lies at one end of what was usual.
    """
    if moved.statistic == MISSING:
        return moved.gap >= _GONE
    if moved.statistic == OTHERS:
        return moved.gap >= _ALL_NEW
    if moved.statistic == "mean rank":
        at_edge = moved.now <= _EDGE or moved.now >= 1.0 - _EDGE
        return at_edge and abs(moved.gap) >= _FAR
    return moved.now <= 0.002 and moved.usual >= _GONE


def is_of_opens(plan: Plan, column: str) -> bool:
    """Return whether a column is made of opened mails, which machines open, too."""
    part = plan.part(column)
    texts = [column]
    if isinstance(part, Feature):
        texts += [part.signal.name, part.signal.where]
    return any(word in text for text in texts for word in _OPENS)
