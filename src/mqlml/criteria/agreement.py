"""Whether both teams agreed to what the criteria say now."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Literal

from mqlml.criteria.file import criteria_digest
from mqlml.criteria.settings import Criteria
from mqlml.errors import Fault

TEAMS: tuple[Literal["marketing", "sales"], ...] = ("marketing", "sales")


class Agreement(StrEnum):
    """How far the two teams have agreed.

    A draft bears no signature at all and claims nothing. Once one team has
    signed, the file claims an agreement, and anything but two signatures over
    the present content is none.
    """

    DRAFT = "draft"
    WAITING = "waiting"
    CHANGED = "changed"
    SIGNED = "signed"


def agreement_of(criteria: Criteria) -> Agreement:
    """Return how far the teams have agreed to the content as it is.

    A signature over another content, or over none that is named, makes the
    criteria "changed", whatever else is signed.

    >>> str(agreement_of(Criteria(version=1)))
    'draft'
    """
    if not criteria.signed:
        return Agreement.DRAFT
    digest = criteria_digest(criteria)
    if any(signature.digest != digest for signature in criteria.signed):
        return Agreement.CHANGED
    missing = set(TEAMS) - {signature.team for signature in criteria.signed}
    return Agreement.WAITING if missing else Agreement.SIGNED


def agreement_faults(criteria: Criteria) -> Iterator[Fault]:
    """Yield, per team, why criteria that bear a signature are not signed by both."""
    if not criteria.signed:
        return
    digest = criteria_digest(criteria)
    by_team = {signature.team: signature for signature in criteria.signed}
    for team in TEAMS:
        found = by_team.get(team)
        what = f"version {criteria.version} of the criteria is not signed by {team}"
        again = f"mqlml criteria sign FILE --team {team} --who NAME --date DAY"
        if found is None:
            mend = f"let {team} read the file and sign: {again}"
            yield Fault(what, "criteria.signed", "no signature", mend)
        elif found.digest != digest:
            over = f"content {found.digest}" if found.digest else "a content that is not named"
            seen = (
                f"{found.who} signed {over} on {found.on}; it was edited since, and is now {digest}"
            )
            mend = f"undo the edit, or let {team} read the change and sign: {again}"
            yield Fault(what, "criteria.signed", seen, mend)


def agreement_remarks(criteria: Criteria) -> Iterator[str]:
    """Yield what people who use scores by these criteria should know; nothing if both signed."""
    shown = f"version {criteria.version} of the criteria"
    agreement = agreement_of(criteria)
    if agreement is Agreement.DRAFT:
        yield f"{shown} is a draft: neither team has signed it (mqlml criteria sign)"
    elif agreement is not Agreement.SIGNED:
        yield f"{shown} is not signed as it is; scored all the same, and recorded"
