"""What changed between two versions of the criteria, in sentences for both teams."""

import re
from collections import Counter
from collections.abc import Sequence

from mqlml.criteria.settings import Criteria, RankedList, Rule, Thresholds

_TEXT = re.compile(r"'(?:[^']|'')*'")
_LIST = re.compile(r"\bIN\s*\(", re.IGNORECASE)
_GROUPS = (
    ("exclusions", "exclusion"),
    ("icp_gate", "ICP gate"),
    ("disqualifiers", "disqualifier"),
    ("hand_raisers", "hand-raiser rule"),
)
_THRESHOLDS = {
    "ranked": "ranked list",
    "capacity_per_week": "capacity of sales per week",
    "mql_probability": "MQL probability",
    "precision_floor": "least precision of MQLs",
    "cost_per_lead": "cost of working a lead",
    "value_per_conversion": "value of a conversion",
    "warm_share_of_mql": "start of warm as a share of MQL",
}


def criteria_changes(old: Criteria, new: Criteria) -> tuple[str, ...]:
    """Return one sentence per difference from `old` to `new`, in the file's order.

    Signatures are not content and are not compared; equal content gives nothing.

    >>> before = Criteria(version=1)
    >>> criteria_changes(before, before.model_copy(update={"version": 2}))
    ('version 1 became 2',)
    """
    sentences = []
    for field, words in (("version", "version"), ("valid_from", "valid from")):
        sentences += _value_change(words, getattr(old, field), getattr(new, field))
    if old.owners != new.owners:
        sentences.append(f"owners became {', '.join(new.owners) or 'nobody'}")
    for field, words in _GROUPS:
        sentences += _rule_changes(words, getattr(old, field), getattr(new, field))
    for field in Thresholds.model_fields:
        before, after = getattr(old.thresholds, field), getattr(new.thresholds, field)
        sentences += _value_change(_THRESHOLDS[field], before, after)
    if old.note != new.note:
        sentences.append("the note was rewritten")
    return tuple(sentences)


def _value_change(words: str, before: object, after: object) -> list[str]:
    if before == after:
        return []
    return [f"{words} {_shown(before)} became {_shown(after)}"]


def _shown(value: object) -> str:
    if isinstance(value, RankedList):
        return f"({_ranked_words(value)})"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _ranked_words(ranked: RankedList) -> str:
    counts = "count" if ranked.hand_raisers_count else "do not count"
    return (
        f"the best {ranked.most} new leads a {ranked.per}, hand raisers {counts}, "
        f"staying from {ranked.stays_from:g} of the cut"
        + (f", {ranked.explored_share:.0%} of the places by chance" * bool(ranked.explored_share))
    )


def _rule_changes(words: str, before: Sequence[Rule], after: Sequence[Rule]) -> list[str]:
    old, new = {r.name: r for r in before}, {r.name: r for r in after}
    sentences = [f"{words} {name!r} was removed" for name in old if name not in new]
    for name, rule in new.items():
        if name not in old:
            sentences.append(f"{words} {name!r} was added: {rule.when}")
        elif rule.when != old[name].when:
            sentences.append(f"{words} {name!r} {_change_words(old[name].when, rule.when)}")
        elif rule.says != old[name].says:
            sentences.append(f"{words} {name!r} is now worded {rule.says!r}")
    # The first rule that holds gives the reason, so order is content too.
    if not sentences and list(old) != list(new):
        sentences.append(f"{words}s are in another order: {', '.join(new)}")
    return sentences


def _change_words(before: str, after: str) -> str:
    """Return how a condition changed: the values of its one list, or the whole of it.

    >>> _change_words("country IN ('DE', 'AT')", "country IN ('DE', 'CH')")
    "now names 'CH' and no longer 'AT'"
    """
    old, new = (Counter(_TEXT.findall(text)) for text in (before, after))
    gained, lost = list((new - old).elements()), list((old - new).elements())
    is_one_list = len(_LIST.findall(before)) == 1 and _frame(before) == _frame(after)
    if not is_one_list or not (gained or lost):
        return f"changed from {before} to {after}"
    if not gained:
        return f"no longer names {', '.join(lost)}"
    also = f" and no longer {', '.join(lost)}" if lost else ""
    return f"now names {', '.join(gained)}{also}"


def _frame(condition: str) -> str:
    """Return a condition without the texts that it names."""
    return re.sub(r"[\s,]+", " ", _TEXT.sub(" ", condition)).strip()
