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
class Finding:
    """One thing that the audit found: `evidence` is a sentence with the `figures` in it.

    `allowed` is the reason for which it does not stop the run although it would.
    """

    column: str
    finding: str
    evidence: str
    action: Action
    mend: str = MEND
    figures: Mapping[str, float] = field(default_factory=dict)
    allowed: str = ""
