"""What could be done about each finding: a draft that both teams decide on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from mqlml.criteria.settings import Criteria, Rule
from mqlml.review.review import Review
from mqlml.tables.sql import literal, quoted

Kind = Literal["criteria", "training", "data"]
_OWNERS: dict[Kind, str] = {
    "criteria": "marketing and sales",
    "training": "data science",
    "data": "marketing",
}

_TRAIN = "mqlml retrain --reason review"


@dataclass(frozen=True)
class Draft:
    """One proposed change: what it answers, in words, and who decides.

    `rule` is a disqualifier for the next version of the criteria, where `kind` is
    "criteria"; `setting` a line for the config's `model`, where it is "training".
    """

    kind: Kind
    feature: str
    says: str
    rule: Rule | None = None
    setting: str = ""

    @property
    def owner(self) -> str:
        """Return whose decision it is."""
        return _OWNERS[self.kind]


def drafts_of(found: Review, spelt: Mapping[str, Sequence[str]] | None = None) -> tuple[Draft, ...]:
    """Return a draft per confirmed finding and per reason that no column tells.

    A level of a category or a flag that sales likes less than its score says becomes
    a disqualifier to preview; a number whose direction sales contradicts becomes a
    monotone constraint or is dropped; what sales likes more is learnt by training with
    the verdicts as a reason. Indicated findings get none: they wait for more verdicts.

    Args:
        found: the review.
        spelt: by feature such as "industry = software", the values of the attribute that are
            this level, as people wrote them: rules look at those.
    """
    sure = found.findings[found.findings["tier"] == "confirmed"]
    spelt = spelt or {}
    answers = [
        _of_finding(row, spelt.get(str(row["feature"]), ())) for row in sure.to_dict("records")
    ]
    return (*answers, *_of_reasons(found.unseen))


def _of_finding(row: Mapping[Any, Any], spelt: Sequence[str]) -> Draft:
    feature, sentence = str(row["feature"]), str(row["sentence"])
    column, _, level = feature.partition(" = ")
    is_liked = row["effect"] > 0
    if row["asked"] in {"level", "flag"} and not is_liked:
        told = f"{sentence} = {level}" if level else sentence
        rule = Rule(
            name="_".join(["sales_rejects", _slug(column), *([_slug(level)] if level else [])]),
            when=f"{quoted(column)} {_values(spelt or [level]) if level else '= 1'}",
            says=f"sales rejects these leads at equal score: {told}",
        )
        return Draft("criteria", feature, f"keep these leads from sales: {told}", rule)
    if is_liked:
        says = f"train again ({_TRAIN}): sales likes {sentence} more than the model does"
        return Draft("training", feature, says)
    if row["direction"] == "up":
        says = f"do not let more {sentence} raise a score: sales says it does not help"
        return Draft("training", feature, says, setting=f"drop: [{column}]")
    says = f"let more {sentence} only lower a score"
    return Draft("training", feature, says, setting=f"monotone: {{{column}: -1}}")


def _values(spelt: Sequence[str]) -> str:
    """Return the end of a condition that holds for any of some texts.

    >>> _values(["Steel"]), _values(["STEEL", "Steel"])
    ("= 'Steel'", "IN ('STEEL', 'Steel')")
    """
    texts = [literal(text) for text in spelt]
    return f"= {texts[0]}" if len(texts) == 1 else f"IN ({', '.join(texts)})"


def _of_reasons(unseen: pd.DataFrame) -> Iterator[Draft]:
    if unseen.empty:
        return
    for reason in unseen.loc[unseen["class"] == "no column tells", "reason"]:
        words = str(reason).replace("_", " ")
        says = (
            f"find a column that tells {words!r} before the handover: a form field, or bought data"
        )
        yield Draft("data", str(reason), says)


def next_criteria(criteria: Criteria, rule: Rule) -> Criteria:
    """Return the next version of the criteria with one more disqualifier, signed by nobody."""
    kept = tuple(one for one in criteria.disqualifiers if one.name != rule.name)
    return criteria.model_copy(
        update={
            "version": criteria.version + 1,
            "valid_from": None,
            "signed": (),
            "disqualifiers": (*kept, rule),
            "note": rule.says or "",
        }
    )


def _slug(text: str) -> str:
    plain = "".join(c if c.isalnum() and c.isascii() else "_" for c in text.lower())
    return "_".join(part for part in plain.split("_") if part)[:40] or "level"
