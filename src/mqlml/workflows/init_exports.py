"""`mqlml init DIR`: the exports of known systems become a config with every guess marked."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from mqlml.sources.found_exports import FoundExport
from mqlml.sources.found_ids import shared_id
from mqlml.workflows.init_people import attribute_lines, icp_lines, people_columns

GUESS = "  # guessed"
_HIGH_INTENT = (
    "pricing|price|plans|demo|trial|contact-sales|contact|quote|buy|checkout|compare|case-stud"
)
_ASSETS = "case.?stud|buyer|guide|roi|calculator|datasheet|comparison"
_SIGNALS = {
    "page_view": "pages viewed",
    "form_submit": "forms sent",
    "content_download": "downloads",
    "webinar_attended": "webinars attended",
    "demo_request": "demos asked for",
    "trial_start": "trials started",
    "email_opened": "emails opened",
    "email_clicked": "emails clicked",
    "email_unsubscribed": "unsubscriptions",
    "meeting": "meetings",
    "call": "calls",
    "product_signup": "sign-ups for the product",
    "product_login": "logins to the product",
}


@dataclass(frozen=True)
class ExportText:
    """Lines of a config for exports: below `sources`, and the signals over their events."""

    sources: tuple[str, ...]
    plan: tuple[str, ...]
    guesses: tuple[str, ...]
    has_leads: bool
    has_stages: bool
    has_events: bool


def export_text(exports: Sequence[FoundExport], base: Path) -> ExportText:
    """Return the lines of a config for the exports; its paths start at `base`.

    The first export that holds people is the master of the leads' ids.
    """
    master = next((e for e in exports if e.mappings("leads")), None)
    lines = ["  exports:"]
    for export in exports:
        lines += _block(export, master, base)
    types = dict.fromkeys(t for export in exports for t in export.event_types)
    has_events = any(export.mappings("events") for export in exports)
    icp = tuple(icp_lines(people_columns(master))) if master is not None else ()
    return ExportText(
        sources=tuple(lines),
        plan=tuple(_plan(icp, [*types, "page_view"] if has_events else ())),
        guesses=tuple(_guesses(exports, master)),
        has_leads=master is not None,
        has_stages=any(export.mappings("stages") for export in exports),
        has_events=has_events,
    )


def _block(export: FoundExport, master: FoundExport | None, base: Path) -> Iterator[str]:
    folder = os.path.relpath(export.folder.resolve(), base.resolve())
    names = sorted({Path(name).name for name in export.files})
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    yield f"    # {export.system.name}: {shown}"
    yield f"    - system: {export.system.name}"
    yield f"      folder: {_scalar(folder)}"
    if any(mapping.is_local for found in export.files.values() for mapping in found):
        yield f"      timezone: UTC{GUESS}: the zone in which its screens show times"
    if export is master:
        kinds = sorted({kind for m in export.mappings("leads") for kind in m.ids})
        choice = f": one of {', '.join(kinds)}" if len(kinds) > 1 else ""
        yield f"      lead_id: {export.system.lead_id}{GUESS}{choice}"
        yield from (f"      {line}" for line in attribute_lines(people_columns(export)))
    elif export.system.is_any_id:
        found = shared_id(export, master) if master is not None else None
        why = ": its values are ids of your leads" if found else ": the column with the id of leads"
        yield f"      lead_id: {found or export.system.lead_id}{GUESS}{why}"
    elif master is not None:
        yield f"      master: false{GUESS}: the people are {master.system.name}'s"


def _plan(icp: Sequence[str], types: Sequence[str]) -> Iterator[str]:
    if icp or types:
        yield "plan:"
        yield from icp
    if types:
        yield from _signals([name for name in _SIGNALS if name in types])
    if icp or types:
        yield ""


def _signals(known: Sequence[str]) -> Iterator[str]:
    yield "  # A signal is a condition over one event row, in SQL."
    yield "  signals:"
    page = f"type = 'page_view' AND regexp_matches(lower(page), '/({_HIGH_INTENT})')"
    yield "    # Pages that people look at who want to buy; put your own paths here."
    yield f"    high_intent_page: {_signal(page, 'views of high-intent pages')}{GUESS}"
    if "content_download" in known:
        asset = f"type = 'content_download' AND regexp_matches(lower(asset), '{_ASSETS}')"
        yield f"    high_intent_asset: {_signal(asset, 'downloads for buyers')}{GUESS}"
    for name in known:
        where = f"type = '{name}'"
        yield f"    {name}: {_signal(where, _SIGNALS[name])}"
    extra = ["high_intent_asset"] if "content_download" in known else []
    listed = ", ".join(["any", "high_intent_page", *extra, *known])
    yield "  features:"
    yield f"    - {{kinds: [count], signals: [{listed}], windows_days: [7, 30, 90]}}"
    yield f"    - {{kinds: [count, days_since_last], signals: [{listed}]}}"
    yield "    - {kinds: [active_days, sessions], signals: [any], windows_days: [7, 30]}"


def _signal(where: str, says: str) -> str:
    return f"{{where: {_scalar(where)}, says: {_scalar(says)}}}"


def _guesses(exports: Sequence[FoundExport], master: FoundExport | None) -> Iterator[str]:
    for export in exports:
        count = len(export.files)
        files = f"{count} file" + ("s" if count > 1 else "")
        tables = dict.fromkeys(m.table for found in export.files.values() for m in found)
        role = ", master of the leads' ids" if export is master else ""
        yield f"{export.folder.name} holds an export of {export.system.name}{role}: {files}"
        yield f"{export.system.name} gives {', '.join(tables)}"


def _scalar(text: str) -> str:
    """Return text as one YAML scalar that may stand in a flow mapping."""
    return yaml.safe_dump(text, width=10**6, default_style="'").strip()
