"""The page of an audit that stopped a training: what was found, and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from mqlml.dataset.findings import Finding
from mqlml.reports.audit_pictures import finding_pictures
from mqlml.reports.facts import Named, Warned
from mqlml.reports.page import rendered
from mqlml.reports.training_tables import finding_table
from mqlml.reports.words import capital, counted, day, sentence, short


@dataclass(frozen=True)
class AuditFacts:
    """What an audit found, and of which data; `as_of` is None where there are no days."""

    name: str
    as_of: int | None
    findings: Sequence[Finding]
    details: Sequence[Named] = ()


def audit_page(facts: AuditFacts) -> str:
    """Return the audit as one offline HTML page; equal facts give equal text."""
    stops = [one for one in facts.findings if one.action == "stop"]
    as_of = f" · as of {day(facts.as_of)}" if facts.as_of is not None else ""
    return rendered(
        "audit.html",
        title=f"{short(facts.name)}: audit",
        name=f"{short(facts.name)}: audit",
        subtitle=f"Search for leaks{as_of}",
        verdict=_verdict(stops),
        stops=tuple(_warned(one) for one in stops),
        table=finding_table(facts.findings) if facts.findings else None,
        pictures=finding_pictures(facts.findings),
        details=tuple(facts.details),
    )


def _verdict(stops: Sequence[Finding]) -> str:
    if not stops:
        return "No column knows the outcome, as far as figures can tell."
    columns = len({one.column for one in stops})
    words = counted(columns, "column seems to know", "columns seem to know")
    return f"Nothing was learnt: {words} the outcome."


def _warned(finding: Finding) -> Warned:
    text = f"{short(finding.column)}: {capital(short(finding.finding, 200))}"
    return Warned(text, f"{sentence(finding.evidence)} {sentence(finding.mend)}", is_stop=True)
