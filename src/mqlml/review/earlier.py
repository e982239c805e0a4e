"""A review's findings as the next review reads them: what was asked, answered and drafted."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mqlml.review.drafts import Draft
from mqlml.review.review import Review
from mqlml.review.unseen_followup import EarlierReason
from mqlml.review.verdicts import Judged

# Of these it can be counted on how many leads they are, however the question is asked.
COUNTED = ("level", "flag")


@dataclass(frozen=True)
class Earlier:
    """A finding as its review kept it, with what was drafted about it ("" where nothing was).

    `verdicts` are those on leads that have it, of all that were `judged`; `until` is the end
    of that review's period in microseconds.
    """

    feature: str
    asked: str
    sentence: str
    effect: float
    low: float
    high: float
    tier: str
    verdicts: int
    judged: int
    until: int
    draft: str = ""
    rule: str = ""
    when: str = ""
    setting: str = ""

    @property
    def column(self) -> str:
        """Return the column that was asked about."""
        return self.feature.partition(" = ")[0]


@dataclass(frozen=True)
class LastReview:
    """The review before: the end of its period, its verdicts, what is to be followed up.

    `reasons` are those that no column told.
    """

    until: int
    accepted: int
    rejected: int
    earlier: tuple[Earlier, ...]
    reasons: tuple[EarlierReason, ...] = ()


def earlier_findings(
    found: Review, drafts: Sequence[Draft], judged: Judged, until: int
) -> tuple[Earlier, ...]:
    """Return the findings of a review as the next one follows them up, indicated ones too."""
    told = found.findings[found.findings["tier"] != "none"]
    by_feature = {draft.feature: draft for draft in drafts if draft.kind != "data"}
    return tuple(
        _earlier(row, by_feature.get(str(row["feature"])), judged, until)
        for row in told.to_dict("records")
    )


def _earlier(row: Mapping[Any, Any], draft: Draft | None, judged: Judged, until: int) -> Earlier:
    rule = draft.rule if draft else None
    feature, asked = str(row["feature"]), str(row["asked"])
    return Earlier(
        feature=feature,
        asked=asked,
        sentence=str(row["sentence"]),
        effect=float(row["effect"]),
        low=float(row["low"]),
        high=float(row["high"]),
        tier=str(row["tier"]),
        verdicts=verdicts_on(judged, feature, asked, int(row["verdicts"])),
        judged=len(judged.rows),
        until=until,
        draft=draft.kind if draft else "",
        rule=rule.name if rule else "",
        when=rule.when if rule else "",
        setting=draft.setting if draft else "",
    )


def verdicts_on(judged: Judged, feature: str, asked: str, otherwise: int = 0) -> int:
    """Return how many verdicts are on leads of a level or with a flag; `otherwise` of the rest."""
    column, _, level = feature.partition(" = ")
    if asked not in COUNTED:
        return otherwise
    if column not in judged.matrix:
        return 0
    values = judged.matrix[column]
    return int((values.astype("str") == level if level else values == 1).sum())


def kept_document(one: Earlier) -> dict[str, Any]:
    """Return a finding as the ledger keeps it; `read_earlier` gives it back.

    >>> one = Earlier("a", "flag", "a", -1.0, -1.5, -0.5, "confirmed", 10, 90, 0)
    >>> read_earlier(kept_document(one)) == one
    True
    """
    return asdict(one)


def read_earlier(document: Mapping[str, Any]) -> Earlier:
    """Return a finding that `kept_document` wrote."""
    return Earlier(**document)
