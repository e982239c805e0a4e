"""Kinds that count what the other leads of the lead's account did."""

from collections.abc import Sequence

from mqlml.features.kinds.kind import NO_VALUE_USED, ORDER_IS_FREE, Kind, Question, SeenEvent

_NO_ACCOUNT = "0; missing when no account of the lead is known"


def _account_count(events: Sequence[SeenEvent], _: Question) -> float:
    return float(len(events))


def _account_active_leads(events: Sequence[SeenEvent], _: Question) -> float:
    return float(len({event.value for event in events}))


ACCOUNT_COUNT = Kind(
    name="account_count",
    means=(
        "How many events of the signal the other leads of the lead's account have in the "
        "window. An event counts for the account from when its lead was created, if that is "
        "later: before, nobody knew whose colleague it was."
    ),
    nulls=NO_VALUE_USED,
    empty=_NO_ACCOUNT,
    ties=ORDER_IS_FREE,
    repeats="Every event counts; the lead's own never do.",
    sentence="{says} by others of the same account {within}",
    measure=_account_count,
)
ACCOUNT_ACTIVE_LEADS = Kind(
    name="account_active_leads",
    means=(
        "How many other leads of the lead's account have an event of the signal in the window, "
        "by the same rule as account_count."
    ),
    nulls=NO_VALUE_USED,
    empty=_NO_ACCOUNT,
    ties=ORDER_IS_FREE,
    repeats="A lead counts once; the lead itself never does.",
    sentence="others of the same account with {says} {within}",
    measure=_account_active_leads,
)
