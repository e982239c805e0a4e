"""The company's records in the layouts of the systems that firms really have.

Visits become a Google Analytics 4 export, people, stages and answered mails HubSpot's tables
as Fivetran lays them out, mails the bodies of SendGrid's webhook. What no such system holds
(webinars, verdicts, handovers) stays as `Exports` writes it. Rows that were spoiled on purpose
are left out, repeated ones are not: the tables made of these files are those of the plain ones.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from mqlml.demo.company import DemoCompany
from mqlml.demo.export import FILES, Exports
from mqlml.demo.rawtext import utc_text
from mqlml.timeline import MICROS_PER_SECOND

SITE = "https://www.acme-workflows.example"
_OFFICE = ZoneInfo("Europe/Berlin")
_ATTRIBUTES = (
    *("title", "industry", "company_size", "country", "source", "campaign", "email_kind"),
    *("is_competitor", "contract_value"),
)
# What the demo's config says of single words, done here: no export's mapping knows them.
_SPELLED = {
    **{(name, word): "" for name in _ATTRIBUTES for word in ("Select", "N/A")},
    ("country", "UK"): "United Kingdom",
}
_MAIL_EVENTS = {"email_sent": "processed", "email_opened": "open", "email_clicked": "click"}
_READER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"
_SCANNER = "BarracudaSentinel (EE)"
_BATCH = 500

Files = Mapping[str, bytes]


def whole_seconds(company: DemoCompany) -> DemoCompany:
    """Return the company with its mails' times cut to seconds, as mail systems tell them."""
    mail = company.tables["email_events"]
    at = mail["at"] // MICROS_PER_SECOND * MICROS_PER_SECOND
    is_broken = mail["blemish"] == "broken"
    text = mail["event_time"].where(is_broken, pd.Series(utc_text(at.to_numpy()), mail.index))
    tables = {**company.tables, "email_events": mail.assign(at=at, event_time=text)}
    return replace(company, tables=tables)


def write_exports_as(company: DemoCompany, folder: Path, systems: Sequence[str]) -> dict[str, int]:
    """Write the company's files below `folder` and return the bytes of each, by its path.

    `systems` are some of SYSTEM_WRITERS, each in a folder of its own; what they do not hold
    goes into `folder` itself. Files are those of the end of the simulation.
    """
    written: dict[str, int] = {}
    folder.mkdir(parents=True, exist_ok=True)
    Exports(company).write(folder)
    held = {name for system in systems for name in HELD[system]}
    for name, file in FILES.items():
        if name in held:
            (folder / file).unlink()
        else:
            written[file] = (folder / file).stat().st_size
    for system in systems:
        for file, content in SYSTEM_WRITERS[system](company).items():
            path = folder / system / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            written[f"{system}/{file}"] = len(content)
    return written


def ga4_files(company: DemoCompany) -> Files:
    """Return the visits as Google Analytics 4 exports them, the days of a month in one file."""
    months: dict[str, list[str]] = {}
    for row in _sound(company.tables["web_events"]):
        day = datetime.fromtimestamp(row["at"] // MICROS_PER_SECOND, tz=UTC).strftime("%Y%m%d")
        months.setdefault(day[:6], []).append(
            json.dumps(_ga4_event(row, day), separators=(",", ":"))
        )
    return {
        f"events_{month}.json": ("\n".join(lines) + "\n").encode()
        for month, lines in sorted(months.items())
    }


def _ga4_event(row: Mapping[str, Any], day: str) -> dict[str, Any]:
    number = str(row["session"]).lstrip("s")
    spent = float(str(row["duration"]))
    params = [
        _param("page_location", "string", f"{SITE}{row['page']}"),
        _param("ga_session_id", "int", number),
    ]
    if spent == spent:
        params.append(_param("engagement_time_msec", "int", str(round(spent * 1000))))
    lead = str(row["lead"])
    return {
        "event_date": day,
        "event_timestamp": str(row["at"]),
        "event_name": row["event"],
        "event_params": params,
        "event_bundle_sequence_id": str(row["id"]).lstrip("w"),
        "user_id": lead,
        "user_pseudo_id": f"{lead.lstrip('L')}.1",
        "user_properties": [],
        "device": {"category": "desktop", "web_info": {"browser": "Chrome"}},
        "geo": {"country": "Germany"},
        "stream_id": "1",
        "platform": "WEB",
    }


def _param(key: str, kind: str, value: str) -> dict[str, Any]:
    kinds = {f"{k}_value": None for k in ("string", "int", "float", "double")}
    return {"key": key, "value": {**kinds, f"{kind}_value": value}}


def hubspot_files(company: DemoCompany) -> Files:
    """Return people, their history and answered mails as the tables of Fivetran's HubSpot."""
    tables = company.tables
    replies = [row for row in _sound(tables["email_events"]) if row["event"] == "email_replied"]
    return {
        "contact_data.csv": _csv(
            (
                "id",
                "property_email",
                "property_createdate",
                *(f"property_{n}" for n in _ATTRIBUTES),
            ),
            (_contact(row) for row in _sound(tables["crm_leads"])),
        ),
        "contact_property_history_data.csv": _csv(
            ("contact_id", "name", "source", "source_id", "timestamp", "value"),
            (*_stage_history(tables["stage_history"]), *_values(tables["attribute_history"])),
        ),
        "engagement_data.csv": _csv(
            ("id", "type", "timestamp"),
            ((row["message_event_id"], "EMAIL", _moment(int(row["at"]))) for row in replies),
        ),
        "engagement_email_data.csv": _csv(
            ("engagement_id", "property_hs_email_direction"),
            ((row["message_event_id"], "INCOMING_EMAIL") for row in replies),
        ),
        "engagement_contact_data.csv": _csv(
            ("engagement_id", "contact_id"),
            ((row["message_event_id"], row["contact"]) for row in replies),
        ),
    }


def _contact(row: Mapping[str, Any]) -> Iterator[object]:
    created = datetime.fromisoformat(str(row["created_at"]))
    yield row["lead_id"]
    yield _address(row["lead_id"])
    yield created.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    for name in _ATTRIBUTES:
        text = str(row[name])
        yield _SPELLED.get((name, text.strip()), text)


def _stage_history(stages: pd.DataFrame) -> Iterator[Sequence[object]]:
    for row in _sound(stages):
        local = datetime.fromisoformat(str(row["changed_at"])).replace(tzinfo=_OFFICE)
        at = local.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        yield row["lead_id"], "lifecyclestage", "CRM_UI", "", at, row["stage"]


def _values(history: pd.DataFrame) -> Iterator[Sequence[object]]:
    for row in _sound(history):
        at = str(row["known_at"]).replace("T", " ").removesuffix("Z")
        yield row["lead_id"], row["attribute"], "INTEGRATION", "", at, row["value"]


def sendgrid_files(company: DemoCompany) -> Files:
    """Return the mails as SendGrid's webhook told of them, a body of many events a line.

    The webhook does not tell of answers; those are HubSpot's.
    """
    events = [
        _webhook(row)
        for row in _sound(company.tables["email_events"])
        if row["event"] in _MAIL_EVENTS
    ]
    bodies = (events[start : start + _BATCH] for start in range(0, len(events), _BATCH))
    lines = (json.dumps(body, separators=(",", ":")) for body in bodies)
    return {"bodies.ndjson": ("\n".join(lines) + "\n").encode()}


def _webhook(row: Mapping[str, Any]) -> dict[str, Any]:
    kind = _MAIL_EVENTS[str(row["event"])]
    is_machine = row["is_bot"] == "true"
    event: dict[str, Any] = {
        "email": _address(row["contact"]),
        "timestamp": int(str(row["at"])) // MICROS_PER_SECOND,
        "event": kind,
        "sg_event_id": row["message_event_id"],
        "sg_message_id": f"{row['contact']}-{row['mailing']}",
        "singlesend_name": row["mailing"],
    }
    if kind != "processed":
        event["useragent"] = _SCANNER if is_machine else _READER
    if kind == "click":
        event["url"] = f"{SITE}/mail/{row['mailing']}"
    return event


def robot_bodies(robots: pd.DataFrame) -> bytes:
    """Return planted robots' events as SendGrid's webhook told of them."""
    events = []
    for number, row in enumerate(robots.to_dict("records")):
        events.append(
            {
                "email": _address(row["lead_id"]),
                "timestamp": row["occurred_at"] // MICROS_PER_SECOND,
                "event": _MAIL_EVENTS[row["type"]],
                "sg_event_id": f"r{number:08}",
                "sg_message_id": f"{row['lead_id']}-{row['mailing']}",
                "singlesend_name": row["mailing"],
                "useragent": row["user_agent"],
                **({"url": row["url"]} if row["url"] else {}),
            }
        )
    bodies = (events[start : start + _BATCH] for start in range(0, len(events), _BATCH))
    lines = (json.dumps(body, separators=(",", ":")) for body in bodies)
    return ("\n".join(lines) + "\n").encode()


def robot_visits(visits: pd.DataFrame) -> bytes:
    """Return planted robots' page views as Google Analytics 4 exports them."""
    lines = []
    for number, row in enumerate(visits.to_dict("records")):
        at = int(row["occurred_at"])
        day = datetime.fromtimestamp(at // MICROS_PER_SECOND, tz=UTC).strftime("%Y%m%d")
        view = {"at": at, "id": f"8{number:08}", "event": "page_view", "lead": row["lead_id"]}
        view |= {"page": row["page"], "duration": "nan", "session": str(number)}
        event = _ga4_event(view, day) | {"user_pseudo_id": row["visitor"]}
        event["user_id"] = row["lead_id"] or None
        if row["user_agent"]:
            event["event_params"].append(_param("user_agent", "string", row["user_agent"]))
        if row["mark"] == "internal":
            event["event_params"].append(_param("traffic_type", "string", "internal"))
        if row["mark"] == "debug":
            event["event_params"].append(_param("debug_mode", "int", "1"))
        lines.append(json.dumps(event, separators=(",", ":")))
    return ("\n".join(lines) + "\n").encode()


def _address(lead: object) -> str:
    return f"{str(lead).lower()}@buyer-{str(lead).lower()}.example"


def _moment(micros: int) -> str:
    return datetime.fromtimestamp(micros // MICROS_PER_SECOND, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")


def _sound(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the rows that are as they were meant, and those that came twice."""
    kept = table[table["blemish"].isin(["", "repeated"])]
    names = list(kept.columns)
    for values in zip(*(kept[name].tolist() for name in names), strict=True):
        yield dict(zip(names, values, strict=True))


def _csv(header: Sequence[str], rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


SYSTEM_WRITERS: Mapping[str, Callable[[DemoCompany], Files]] = {
    "ga4": ga4_files,
    "hubspot": hubspot_files,
    "sendgrid": sendgrid_files,
}
HELD: Mapping[str, tuple[str, ...]] = {
    "ga4": ("web_events",),
    "hubspot": ("crm_leads", "attribute_history", "stage_history"),
    "sendgrid": ("email_events",),
}
