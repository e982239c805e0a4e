"""Guesses which table each file holds and which of its columns mean what."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mqlml.errors import Fault, SchemaError, nearest
from mqlml.sources.samples import ColumnSample, FileSample

# First the words that say it exactly, then those that may mean it.
_WORDS: Mapping[str, tuple[str, ...]] = {
    "lead_id": (
        "lead_id", "leadid", "prospect_id", "contact_id", "mql_id", "case_id", "person_id", "lead",
        "contact", "prospect",
        "customer_id", "opportunity_id", "user_id", "record_id", "id", "uuid", "email",
    ),
    "created_at": (
        "created_at", "createdat", "create_date", "created_date", "created", "first_contact_date",
        "reg_date", "registered_at", "signup_date", "engage_date", "date", "timestamp",
    ),
    "occurred_at": (
        "occurred_at", "at", "event_time", "event_timestamp", "timestamp", "happened_at", "time",
        "ts", "event_date", "activity_date", "created_at", "date",
    ),
    "arrived_at": ("arrived_at", "received_at", "loaded_at", "ingested_at"),
    "event_id": ("event_id", "eventid", "message_id", "id"),
    "type": ("type", "event_type", "event_name", "event", "activity_type", "activity", "action"),
    "source": ("source_system", "source"),
    "channel": ("channel", "medium"),
    "campaign": ("campaign", "campaign_name", "utm_campaign"),
    "page": ("page", "page_path", "page_location", "url"),
    "asset": ("asset", "content", "file", "title"),
    "value": ("value", "amount"),
    "duration_s": ("duration_s", "duration", "time_on_page", "seconds"),
    "is_bot": ("is_bot", "bot"),
    "stage": ("stage", "lifecycle_stage", "new_stage", "deal_stage", "status"),
    "entered_at": (
        "entered_at", "at", "changed_at", "stage_date", "since", "won_date", "closed_at",
        "timestamp", "date",
    ),
    "won_at": ("won_date", "won_at", "converted_at", "conversion_date", "closed_at"),
    "verdict": ("verdict", "decision", "accepted"),
    "given_at": ("given_at", "at", "decided_at", "verdict_at", "date"),
    "reason": ("reason", "rejection_reason"),
    "who": ("who", "rep", "rep_id", "sales_rep", "owner"),
    "note": ("note", "notes", "comment"),
    "at": ("at", "handed_over_at", "handover_at", "handed_at"),
    "route": ("route",),
    "score": ("score",),
    "model_version": ("model_version",),
    "criteria_version": ("criteria_version",),
    "name": ("name", "attribute", "property"),
    "known_at": ("known_at", "changed_at", "valid_from"),
    "account_id": ("account_id", "company_id"),
}  # fmt: skip
_TABLES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "verdicts": (("lead_id", "verdict", "given_at"), ("reason", "who", "note")),
    "handovers": (
        ("lead_id", "at", "route"),
        ("score", "model_version", "criteria_version"),
    ),
    "attributes": (("lead_id", "name", "value", "known_at"), ()),
    "stages": (("lead_id", "stage", "entered_at"), ()),
    "events": (
        ("lead_id", "occurred_at", "type"),
        (
            "event_id", "arrived_at", "source", "channel", "campaign", "page", "asset", "value",
            "duration_s", "is_bot",
        ),
    ),
}  # fmt: skip
_OUTCOME_WORDS = (
    "converted", "outcome", "is_customer", "won", "closed_won", "closed", "purchased", "revenue",
    "target", "label", "y", "deal_stage", "status",
)  # fmt: skip
_POSITIVE_WORDS = frozenset(
    {
        "1",
        "1.0",
        "yes",
        "y",
        "true",
        "t",
        "won",
        "converted",
        "customer",
        "closed won",
        "closed_won",
    }
)
_NEGATIVE_WORDS = frozenset(
    {"0", "0.0", "no", "n", "false", "f", "lost", "not converted", "closed lost", "closed_lost"}
)


@dataclass(frozen=True)
class Outcome:
    """The outcome column of a flat table, with what its values seem to mean."""

    column: str
    positive: tuple[str, ...]
    negative: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class Recognised:
    """One file with the table it seems to hold; `columns` maps canonical names to its own."""

    sample: FileSample
    table: str
    columns: dict[str, str]
    order: str | None = None
    outcome: Outcome | None = None
    constants: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = field(default=())


def recognise(
    samples: Sequence[FileSample], *, target: str | None, order: str | None
) -> tuple[Recognised, ...]:
    """Return what each file seems to hold, leads first.

    `target` names the outcome column of a flat table or a stage; `order` a
    column that stands for time, or `file`. SchemaError if no file has one row
    per lead, or a named column does not exist.
    """
    history = {s.path: found for s in samples if (found := _history_table(s, target)) is not None}
    flat = [s for s in samples if s.path not in history]
    if not flat:
        mend = "name a file with one row per lead, with a column such as 'lead_id'"
        raise SchemaError(Fault("none of the files has one row per lead", mend=mend))
    has_stages = any(found.table == "stages" for found in history.values())
    leads = [_leads_table(s, target, order, has_stages=has_stages) for s in flat]
    if len(leads) > 1:
        _refuse_unclear([found for found in leads if "lead_id" not in found.columns])
    return (*leads, *history.values())


def _refuse_unclear(files: Sequence[Recognised]) -> None:
    """Raise one SchemaError naming every file that is neither leads nor a history of theirs."""
    mend = (
        "leave it out, or rename its columns: a history needs lead_id and a time, and type for"
        " events, stage for stages, verdict for verdicts"
    )
    faults = [
        Fault(
            "nothing tells what the file holds",
            str(found.sample.path),
            f"columns {', '.join(repr(c.name) for c in found.sample.columns[:40])}",
            mend,
        )
        for found in files
    ]
    if faults:
        raise SchemaError(*faults)


def _history_table(sample: FileSample, target: str | None) -> Recognised | None:
    if target is not None and sample.column(target) is not None:
        return None
    for table, (needed, optional) in _TABLES.items():
        columns = _matched(sample, (*needed, *optional))
        if all(name in columns for name in needed) and _is_history(sample, table, columns):
            return Recognised(sample, table, columns)
    return _won_deals(sample)


def _won_deals(sample: FileSample) -> Recognised | None:
    """A list of won deals with their dates, and no creation date, is a stage history."""
    columns = _matched(sample, ("lead_id", "won_at", "created_at"))
    won = sample.column(columns.get("won_at", ""))
    if won is None or not won.is_date or "lead_id" not in columns or "created_at" in columns:
        return None
    mapped = {"lead_id": columns["lead_id"], "entered_at": won.name}
    return Recognised(sample, "stages", mapped, constants={"stage": "customer"})


def _is_history(sample: FileSample, table: str, columns: Mapping[str, str]) -> bool:
    time = {"verdicts": "given_at", "handovers": "at", "attributes": "known_at"}.get(table)
    time = time or {"stages": "entered_at", "events": "occurred_at"}[table]
    column = sample.column(columns[time])
    return column is not None and (column.is_date or column.filled == 0)


def _matched(sample: FileSample, names: Sequence[str]) -> dict[str, str]:
    """Return canonical → own column for the names found; each own column serves once."""
    plain = {_plain(c.name): c.name for c in sample.columns}
    found: dict[str, str] = {}
    for name in names:
        for word in _WORDS.get(name, (name,)):
            if word in plain and plain[word] not in found.values():
                found[name] = plain[word]
                break
    return found


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _leads_table(
    sample: FileSample, target: str | None, order: str | None, *, has_stages: bool
) -> Recognised:
    columns = _matched(sample, ("lead_id", "created_at", "account_id"))
    notes = []
    key = _key(sample, columns.pop("lead_id", ""))
    if key is None:
        notes.append("no column names every row once: the row number becomes the lead's id")
    else:
        columns = {"lead_id": key.name, **columns}
        repeats = sample.rows - key.distinct
        if repeats:
            notes.append(
                f"{repeats} rows repeat a {key.name!r} or have none; ingest sorts them out"
            )
    created = sample.column(columns.get("created_at", ""))
    if created is None or not created.is_date or order is not None:
        columns.pop("created_at", None)
    if "created_at" not in columns and order is None:
        order = "file"
        notes.append("no creation date found: the order of the rows stands for time")
    if order not in {None, "file"}:
        _require(sample, str(order), "--order")
    outcome = None if has_stages else _outcome(sample, target)
    return Recognised(sample, "leads", columns, order, outcome, notes=tuple(notes))


def _key(sample: FileSample, named: str) -> ColumnSample | None:
    """Return the column of lead ids: the one named so, even if some rows repeat, or a likely one.

    Real exports hold a lead twice here and there; without its id no event would find it.
    """
    by_name = sample.column(named)
    if by_name is not None and sample.is_nearly_key(by_name):
        return by_name
    return next((c for c in sample.columns if _looks_like_key(sample, c)), None)


def _looks_like_key(sample: FileSample, column: ColumnSample) -> bool:
    return sample.is_key(column) and not column.is_date and "id" in _plain(column.name).split("_")


def _require(sample: FileSample, name: str, option: str) -> ColumnSample:
    column = sample.column(name)
    if column is None:
        hint = nearest(name, [c.name for c in sample.columns])
        raise SchemaError(Fault(f"{option} names no column", str(sample.path), repr(name), hint))
    return column


def _outcome(sample: FileSample, target: str | None) -> Outcome | None:
    if target is None:
        plain = {_plain(c.name): c for c in sample.columns}
        column = next((plain[w] for w in _OUTCOME_WORDS if w in plain), None)
    else:
        column = _require(sample, target, "--target")
    if column is None:
        return None
    positive = tuple(v for v in column.values if v.lower() in _POSITIVE_WORDS)
    negative = tuple(v for v in column.values if v.lower() in _NEGATIVE_WORDS)
    unknown = tuple(v for v in column.values if v not in {*positive, *negative})
    if column.distinct == 2 and len(positive) == 1:
        negative, unknown = tuple(v for v in column.values if v not in positive), ()
    if not positive:
        return None if target is None else Outcome(column.name, (), (), column.values)
    return Outcome(column.name, positive, negative, unknown)
