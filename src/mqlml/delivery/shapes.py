"""What each system's interface wants for a batch of leads, and what its answer means.

HubSpot: batch update of contacts by id (CRM v3, at most 100). Salesforce: sObject
collections (at most 200, each record for itself). A webhook gets the records with a
key that names the content, so that a repetition can be told.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mqlml.delivery.fields import NAMES, Record, Value
from mqlml.delivery.settings import DeliverySettings

_SALESFORCE_VERSION = "v61.0"
_MOST = {"hubspot": 100, "salesforce": 200, "webhook": 500}
_OBJECTS = {"hubspot": "contacts", "salesforce": "Lead", "webhook": "lead"}


@dataclass(frozen=True)
class Request:
    """One call: method, address, JSON body, further headers."""

    method: str
    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    """One record that the system did not take, and why, in its own words."""

    record: Record
    why: str


def batch_size(settings: DeliverySettings) -> int:
    """Return how many records one call may carry."""
    most = _MOST[settings.system]
    return min(settings.batch or most, most)


def field_names(settings: DeliverySettings) -> dict[str, str]:
    """Return our names → the system's; fields that the config sets to null are left out."""
    names = {name: _usual(settings.system, name) for name in NAMES} | settings.fields
    return {name: own for name, own in names.items() if own is not None}


def _usual(system: str, name: str) -> str:
    if system == "salesforce":
        return "MQL_" + "_".join(part.capitalize() for part in name.split("_")) + "__c"
    return f"mqlml_{name}" if system == "hubspot" else name


def request_of(settings: DeliverySettings, records: Sequence[Record]) -> Request:
    """Return the call that writes `records`; equal records give equal bytes."""
    names = field_names(settings)
    kind = settings.object or _OBJECTS[settings.system]
    host = settings.url.rstrip("/")
    values = [
        {names[name]: value for name, value in one.values.items() if name in names}
        for one in records
    ]
    ids = [one.lead_id for one in records]
    if settings.system == "hubspot":
        inputs = [
            {"id": i, "properties": {n: _text(v) for n, v in row.items()}}
            for i, row in zip(ids, values, strict=True)
        ]
        url = f"{host}/crm/v3/objects/{kind}/batch/update"
        return Request("POST", url, _json({"inputs": inputs}))
    if settings.system == "salesforce":
        rows = [
            {"attributes": {"type": kind}, "id": i, **row}
            for i, row in zip(ids, values, strict=True)
        ]
        url = f"{host}/services/data/{_SALESFORCE_VERSION}/composite/sobjects"
        return Request("PATCH", url, _json({"allOrNone": False, "records": rows}))
    rows = [{"lead_id": i, **row} for i, row in zip(ids, values, strict=True)]
    body = _json({"records": rows})
    key = hashlib.sha256(body).hexdigest()
    return Request("POST", settings.url, body, {"Idempotency-Key": key})


def refused_of(settings: DeliverySettings, records: Sequence[Record], body: bytes) -> list[Refused]:
    """Return the records that an answer of success names as not taken."""
    answer = _parsed(body)
    if settings.system == "salesforce" and isinstance(answer, list):
        return [
            Refused(one, _salesforce_words(result))
            for one, result in zip(records, answer, strict=False)
            if isinstance(result, Mapping) and result.get("success") is False
        ]
    if settings.system == "hubspot" and isinstance(answer, Mapping):
        return _hubspot_refused(records, answer.get("errors") or [])
    return []


def _hubspot_refused(records: Sequence[Record], errors: Sequence[Any]) -> list[Refused]:
    by_id = {one.lead_id: one for one in records}
    found = []
    for error in errors:
        why = str(error.get("category") or error.get("message") or "not taken")
        ids = (error.get("context") or {}).get("ids") or list(by_id)
        found += [Refused(by_id[str(i)], why) for i in ids if str(i) in by_id]
    return found


def _salesforce_words(result: Mapping[str, Any]) -> str:
    codes = [str(error.get("statusCode", "")) for error in result.get("errors") or []]
    return ", ".join(code for code in codes if code) or "not taken"


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _text(value: Value) -> str:
    # HubSpot takes every property as text, and an empty one as "no value".
    return "" if value is None else str(value)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True).encode()
