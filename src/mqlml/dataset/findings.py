"""A finding of the audit: which column, what is wrong, by which figures, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Action = Literal["stop", "warn"]

MEND = (
    "declare it under sources.leads.attributes.outcome_side, "
    "or allow it by name with a reason under audit.allow"
)


@dataclass(frozen=True)
class View:
    """What a picture of a finding shows: `says` what the shares are of, group by group.

    `leads` is how many stand behind each group, None where the share is no share of leads.
    """

    says: str
    groups: tuple[str, ...]
    leads: tuple[int | None, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True)
class Finding:
    """One thing that the audit found: `evidence` is a sentence with the `figures` in it.

    `view` is what a picture of it shows, None where there is nothing to draw. `allowed`
    is the reason for which it does not stop the run although it would.
    """

    column: str
    finding: str
    evidence: str
    action: Action
    mend: str = MEND
    figures: Mapping[str, float] = field(default_factory=dict)
    allowed: str = ""
    view: View | None = None
