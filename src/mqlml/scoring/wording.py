"""One feature's value in words, as a reason of a score."""

import math

from mqlml.features.columns import AttributeFeature, Feature
from mqlml.features.kinds.catalogue import ACCOUNT_KINDS
from mqlml.features.plan import Plan
from mqlml.features.windows import within_words

_HOW_MANY = frozenset({"count", "active_days", "sessions", "distinct", "active_weeks_streak"})
_DAYS_SINCE = {"days_since_last": "the last", "days_since_first": "the first"}
# Missing without the lead's being silent: one event alone, another signal's silence, no account.
_MAY_BE_UNKNOWN = frozenset({"mean_gap_days", "max_gap_days", "share", *ACCOUNT_KINDS})
_LONGEST = 60


def value_in_words(plan: Plan, column: str, value: object) -> str:
    """Return what a lead's `value` of `column` says, such as "3 webinars attended so far".

    The text is one line without ";", because reasons are joined by "; ".
    """
    part = plan.part(column)
    if isinstance(part, Feature):
        return _clean(_event_words(part, value))
    if isinstance(part, AttributeFeature):
        return _clean(_attribute_words(part, value))
    return _clean(_table_words(part.info.sentence, _number(value)))


def usual_in_words(plan: Plan, column: str, value: object, typical: float) -> str:
    """Return how the value of a typical lead compares, such as ", usually 0"; "" if alike.

    Numbers are compared as they are shown: 3.02 is not unlike 3.01.
    """
    part, number = plan.part(column), _number(value) if _is_plain(value) else math.nan
    if math.isnan(number) or (isinstance(part, AttributeFeature) and not _is_counted(part)):
        return ""
    show = _shown
    if isinstance(part, Feature) and part.kind in _DAYS_SINCE:
        show = _days_ago
    return "" if show(number) == show(typical) else f", usually {show(typical)}"


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, int | float)


def _is_counted(attribute: AttributeFeature) -> bool:
    return attribute.transform in {"number", "size"}


def _days_ago(number: float) -> str:
    return _ago(math.floor(number))


def _table_words(sentence: str, number: float) -> str:
    return f"{sentence}: not known" if math.isnan(number) else f"{sentence}: {_shown(number)}"


def _event_words(feature: Feature, value: object) -> str:
    number = _number(value)
    nothing = f"no {feature.signal.says} {within_words(feature.window)}"
    if feature.kind in _HOW_MANY:
        # The config's words are plural, and one is not.
        one_or_many = f"{feature.sentence}: 1" if number == 1 else None
        return one_or_many or (f"{_shown(number)} {feature.sentence}" if number else nothing)
    if math.isnan(number):
        is_silence = feature.kind not in _MAY_BE_UNKNOWN
        return nothing if is_silence else f"{feature.sentence}: not known"
    said = f"{feature.signal.says} {within_words(feature.window)}"
    if feature.kind in _DAYS_SINCE:
        return f"{said}: {_DAYS_SINCE[feature.kind]} {_ago(math.floor(number))}"
    if feature.kind == "decayed_count":
        return f"{said}: {_shown(number)} when older ones count less" if number else nothing
    if feature.kind == "weekly_slope" and number:
        way = "growing" if number > 0 else "falling"
        return f"{said}: {way} by {_shown(abs(number))} a week"
    return f"{feature.sentence}: {_shown(number)}"


def _attribute_words(attribute: AttributeFeature, value: object) -> str:
    words = attribute.sentence
    if _is_missing(value):
        return f"{words}: not known"
    if attribute.transform == "icp_match_share":
        return f"meets {100 * _number(value):.0f} % of the ideal customer profile"
    if attribute.transform.startswith("icp_"):
        return words if _number(value) else words.replace(" fits ", " does not fit ")
    if attribute.transform == "flag":
        return f"{words}: {'yes' if _number(value) else 'no'}"
    if attribute.dtype == "category":
        return f"no {words}" if value == "none" else f"{words}: {str(value).replace('_', ' ')}"
    return f"{words}: {_shown(_number(value))}"


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _number(value: object) -> float:
    return math.nan if _is_missing(value) else float(str(value))


def _shown(number: float) -> str:
    if math.isnan(number):
        return "unknown number of"
    # From ten on two digits would round whole figures away, or need an exponent.
    return f"{number:,.0f}" if number == round(number) or abs(number) >= 10 else f"{number:.2g}"


def _ago(days: int) -> str:
    return "less than a day ago" if days == 0 else f"{days:,} {'day' if days == 1 else 'days'} ago"


def _clean(text: str) -> str:
    line = " ".join(text.replace(";", ",").split())
    return line if len(line) <= 2 * _LONGEST else line[: 2 * _LONGEST - 1] + "…"
