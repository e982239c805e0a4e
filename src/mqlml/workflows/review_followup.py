"""What a review keeps for the next one, and what the one before kept."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from mqlml import timeline
from mqlml.config import Settings
from mqlml.reports.words import day
from mqlml.review.acts import Acts, Training
from mqlml.review.earlier import Earlier, LastReview, kept_document, read_earlier
from mqlml.review.followup import FollowUp, follow_up
from mqlml.review.unseen_followup import EarlierReason, kept_reason, read_reason
from mqlml.review.verdicts import Judged, judged_since
from mqlml.storage.ledger import Entry, read_entries
from mqlml.workflows.champion import Loaded
from mqlml.workflows.project import Project

KIND = "review"
# Trainings that people asked for; the calendar's and drift's answer other questions.
_ASKED = ("review", "manual")


def kept_findings(
    earlier: Sequence[Earlier], reasons: Sequence[EarlierReason], follow: FollowUp | None
) -> dict[str, Any]:
    """Return a review's findings, and those of reviews before that are not settled, as kept.

    So it is with the reasons that no column tells.
    """
    fresh = {one.feature for one in earlier if one.tier == "confirmed"}
    rest = follow.followed if follow else ()
    left = [one.earlier for one in rest if not one.is_settled and one.earlier.feature not in fresh]
    named = {one.reason for one in reasons}
    open_reasons = [
        one.earlier
        for one in (follow.reasons if follow else ())
        if not one.is_settled and one.earlier.reason not in named
    ]
    return {
        "findings": [kept_document(one) for one in earlier],
        "left_open": [kept_document(one) for one in left],
        "unseen": [kept_reason(one) for one in (*reasons, *open_reasons)],
    }


def last_review(project: Project, moment: int) -> LastReview | None:
    """Return the latest review whose period ended before `moment`; None if there is none.

    Of several with the same end, the one of most verdicts. Reviews of versions of mqlml
    that kept no findings are passed over.
    """
    entries = [
        entry
        for entry in read_entries(project.workspace.ledger, kind=KIND)
        if "findings" in entry.payload and not timeline.is_from(entry.as_of, moment)
    ]
    if not entries:
        return None
    last = max(entries, key=lambda entry: (entry.as_of, _judged(entry), entry.digest))
    kept = last.payload
    told = [read_earlier(one) for one in kept["findings"]]
    left = [read_earlier(one) for one in kept["left_open"]]
    sure = [one for one in told if one.tier == "confirmed"]
    reasons = tuple(read_reason(one) for one in kept.get("unseen", ()))
    counts = int(kept["accepted"]), int(kept["rejected"])
    return LastReview(last.as_of, *counts, (*sure, *left), reasons)


def _judged(entry: Entry) -> int:
    return int(entry.payload["accepted"]) + int(entry.payload["rejected"])


def followed_up(project: Project, loaded: Loaded, judged: Judged, moment: int) -> FollowUp | None:
    """Return what became of the last review's findings by the verdicts since; None if none was.

    Verdicts that the last review counted already count there and not here, even if the
    periods overlap.
    """
    last = last_review(project, moment)
    if last is None:
        return None

    @cache
    def since(boundary: int) -> Judged:
        return judged_since(judged, boundary)

    return follow_up(last, since, _acts(project, loaded, moment))


def _acts(project: Project, loaded: Loaded, moment: int) -> Acts:
    settings: Settings = project.settings
    return Acts(
        moment=moment,
        criteria=settings.criteria_versions,
        zone=settings.timezone or "UTC",
        trainings=tuple(_trainings(project, loaded, moment)),
        drop=settings.model.drop,
        monotone=settings.model.monotone,
        columns=loaded.bundle.plan.columns,
        topics=tuple(loaded.bundle.plan.topics),
    )


def _trainings(project: Project, loaded: Loaded, moment: int) -> Iterator[Training]:
    for entry in read_entries(project.workspace.ledger):
        kept: Mapping[str, Any] = entry.payload
        version = kept.get("version")
        is_training = entry.kind in {"train", "retrain"} and version and kept["reason"] in _ASKED
        if is_training and timeline.is_known(entry.as_of, moment):
            yield Training(
                version=str(version),
                as_of=entry.as_of,
                day=day(entry.as_of),
                reason=str(kept["reason"]),
                is_champion=str(version) == loaded.version,
            )
