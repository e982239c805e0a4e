"""The report of an ingest: counted over the snapshot it made, kept among the reports."""

from pathlib import Path

from mqlml import timeline
from mqlml.monitoring.silence import silences
from mqlml.reports.facts import Named
from mqlml.reports.ingest import IngestFacts, ingest_page, silence_words
from mqlml.storage.arrivals import arrivals
from mqlml.storage.atomic import replace_file
from mqlml.storage.snapshot import read_quarantine, snapshot_facts, snapshot_rows
from mqlml.workflows.project import Project

PAGE = "ingest.html"


def write_ingest_page(project: Project) -> tuple[Path, tuple[str, ...]]:
    """Return where the page of the current snapshot lies, and who is silent, in words."""
    facts = ingest_facts(project)
    path = project.workspace.reports / PAGE
    replace_file(path, ingest_page(facts).encode())
    return path, tuple(silence_words(s) for s in facts.silences if s.is_open)


def ingest_facts(project: Project) -> IngestFacts:
    """Return what the page shows, counted over the files of the current snapshot."""
    root = project.workspace.root
    manifest = snapshot_facts(root)
    sent = arrivals(snapshot_rows(root))
    # The last day of the data has only begun.
    last_day = manifest.data_end // timeline.MICROS_PER_DAY - 1
    quarantine = read_quarantine(root)
    keys = ["table", "file", "column", "reason", "remedy"]
    refused = quarantine.groupby(keys, as_index=False, dropna=False).size()
    refused = refused.rename(columns={"size": "rows"}).sort_values(
        ["rows", *keys], ascending=[False, *[True] * len(keys)], ignore_index=True
    )
    return IngestFacts(
        name=project.settings.name,
        data_end=manifest.data_end,
        last_day=last_day,
        counts=manifest.counts,
        sources=sent.sources,
        days=sent.days,
        refused=refused,
        silences=() if manifest.is_order_time else silences(sent.days, last_day=last_day),
        notes=manifest.notes,
        leads=sent.leads,
        leads_covered=sent.leads_covered,
        details=(Named("Data", manifest.digest),),
    )
