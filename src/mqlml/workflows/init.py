"""`mqlml init`: look at files, guess what they are, write a commented config to correct."""

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from mqlml.errors import DataError, Fault, SchemaError, UsageError, nearest
from mqlml.sources.found_exports import FoundExport, found_exports
from mqlml.sources.recognise import Outcome, Recognised, recognise
from mqlml.sources.samples import sample_file
from mqlml.storage.atomic import replace_file
from mqlml.tables.contracts import REASON_NAMES, STAGE_NAMES, VERDICT_NAMES
from mqlml.workflows.init_exports import export_text

_GUESS = "  # guessed"
_BLANKS = frozenset({"select", "n/a", "na", "null", "none", "nan", "unknown", "-"})
_STAGE_WORDS = {
    "customer": ("won", "closed won", "closedwon", "converted", "activated", "purchased"),
    "disqualified": ("lost", "closed lost", "closedlost", "unqualified", "declined", "cancelled"),
    "opportunity": ("opp", "deal", "proposal", "negotiation"),
    "sql": ("sales qualified", "qualified", "salesqualifiedlead"),
    "mql": ("marketing qualified", "marketingqualifiedlead"),
    "lead": ("new", "open", "subscriber", "prospect", "prospecting"),
    "recycled": ("nurture", "recycle"),
}
_TYPES_PER_FILE = 12
_DATED = (
    f"  horizon_days: 60{_GUESS}: within how many days a lead must get there to count",
    "",
    "points:",
    "  rule: weekly  # every week while a lead is open; 'once' looks at a lead one time",
    f"  until_days: 120{_GUESS}: leads older than this are not looked at",
    "",
)
_VERDICT_WORDS = {"accepted": ("accept", "yes", "1", "true"), "rejected": ("reject", "no", "0")}


@dataclass(frozen=True)
class Proposal:
    """A config's text with the guesses it makes, in sentences."""

    text: str
    guesses: tuple[str, ...]
    has_events: bool = False


def propose_config(
    files: Sequence[Path],
    *,
    target: str | None = None,
    order: str | None = None,
    name: str = "leads",
    relative_to: Path = Path(),
) -> Proposal:
    """Return a config for `files` that `train` accepts once its guesses are right.

    Raises SchemaError when no outcome can be found, naming the columns there are.
    """
    if not files:
        raise UsageError(Fault("no files given", mend="mqlml init leads.csv --out my.yaml"))
    folders = [f for f in files if f.is_dir()]
    if folders:
        return _propose_folders(files, target=target, order=order, name=name, base=relative_to)
    found = recognise([sample_file(f) for f in files], target=target, order=order)
    stages = next((r for r in found if r.table == "stages"), None)
    outcome = next((r.outcome for r in found if r.outcome is not None), None)
    if stages is None and (outcome is None or not outcome.positive):
        raise SchemaError(_no_outcome(found[0], outcome))
    _check_stage(stages, target)
    lines = [*_head(name, found), *_sources(found, target, relative_to), *_target(stages, target)]
    events = [r for r in found if r.table == "events"]
    if events:
        lines += _plan(events)
    lines += _tail(is_dated=stages is not None)
    guesses = tuple(_guesses(found))
    return Proposal("\n".join(lines) + "\n", guesses, events is not None)


def _propose_folders(
    files: Sequence[Path], *, target: str | None, order: str | None, name: str, base: Path
) -> Proposal:
    """Return a config for folders of exports, and for files beside them that are no export's."""
    looked = [found_exports(f) for f in files if f.is_dir()]
    exports = [export for found, _ in looked for export in found]
    rest = [f for f in files if not f.is_dir()] + [f for _, left in looked for f in left]
    if not exports:
        return propose_config(_some(rest), target=target, order=order, name=name, relative_to=base)
    text = export_text(exports, base)
    found = _beside(rest, target, order, needs_leads=not text.has_leads)
    has_own_leads = any(one.table == "leads" for one in found)
    stages = next((one for one in found if one.table == "stages"), None)
    if not text.has_stages:
        outcome = next((one.outcome for one in found if one.outcome is not None), None)
        if stages is None and (outcome is None or not outcome.positive):
            raise SchemaError(_no_outcome(found[0], outcome) if found else _no_stages(exports))
    lines = [*_head(name, found), *_sources(found, target, base)]
    lines = [*lines[:-1], *text.sources, *_unread(rest, found), ""]
    lines += _dated_target() if text.has_stages else _target(stages, target)
    lines += [*text.plan, *_tail(is_dated=text.has_stages or stages is not None)]
    guesses = (*text.guesses, *(_guesses(found) if has_own_leads or found else ()))
    return Proposal("\n".join(lines) + "\n", guesses, text.has_events)


def _some(files: Sequence[Path]) -> Sequence[Path]:
    if not files:
        mend = "name the folder that holds the exports, or the files themselves"
        raise DataError(Fault("no data file in the folder", mend=mend))
    return files


def _beside(
    files: Sequence[Path], target: str | None, order: str | None, *, needs_leads: bool
) -> tuple[Recognised, ...]:
    """Return what files beside exports hold; where nobody needs them they may hold anything."""
    if not needs_leads:
        return ()
    if not files:
        mend = "put the CRM's export beside it, or a file with a row for each lead"
        raise SchemaError(Fault("no file holds the leads", mend=mend))
    return recognise([sample_file(f) for f in files], target=target, order=order)


def _unread(files: Sequence[Path], found: Sequence[Recognised]) -> Iterator[str]:
    read = {one.sample.path for one in found}
    names = [path.name for path in files if path not in read]
    if names:
        shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        yield f"  # Not recognised, name them by hand if they matter: {shown}"


def _no_stages(exports: Sequence[FoundExport]) -> Fault:
    names = ", ".join(export.system.name for export in exports)
    mend = "add the export's table of stages, or a file of stage changes"
    return Fault("no outcome found", found=f"exports of {names} without stages", mend=mend)


def write_config(
    files: Sequence[Path],
    out: Path,
    *,
    target: str | None = None,
    order: str | None = None,
    data: Path | None = None,
    replace: bool = False,
) -> Proposal:
    """Write the proposed config to `out` and return it; an existing file is kept unless told.

    Its paths start at `data`, or at its own folder.
    """
    if out.exists() and not replace:
        mend = "choose another --out, or --force to replace it"
        raise UsageError(Fault("the file exists", str(out), mend=mend))
    name = "".join(c if c.isalnum() or c in "-_" else "_" for c in out.stem)
    base = data or out.parent
    proposal = propose_config(files, target=target, order=order, name=name, relative_to=base)
    out.parent.mkdir(parents=True, exist_ok=True)
    replace_file(out, proposal.text.encode())
    return proposal


def _no_outcome(leads: Recognised, outcome: Outcome | None) -> Fault:
    if outcome is not None:
        found = f"{outcome.column!r} holds {', '.join(map(repr, outcome.unknown[:8]))}"
        mend = "write sources.leads.outcome.positive and negative by hand"
        return Fault("the values of the outcome column are not yes and no", found=found, mend=mend)
    names = ", ".join(repr(c.name) for c in leads.sample.columns[:40])
    mend = "name the outcome column with --target, or add a file of stage changes"
    return Fault("no outcome found", str(leads.sample.path), f"columns {names}", mend)


def _check_stage(stages: Recognised | None, target: str | None) -> None:
    """Refuse a target that is neither a stage of ours nor one in the file of stage changes."""
    if stages is None or target is None:
        return
    column = stages.sample.column(stages.columns.get("stage", ""))
    valid = [*STAGE_NAMES, *(column.values if column is not None else ())]
    if target not in valid:
        where, hint = str(stages.sample.path), nearest(target, valid)
        raise SchemaError(Fault("--target names no stage", where, repr(target), hint))


def _head(name: str, found: Sequence[Recognised]) -> Iterator[str]:
    yield "# Written by 'mqlml init' from a look at the files. Lines marked 'guessed' are worth"
    yield "# a look before you trust a model; docs/config.md explains every setting."
    yield f"name: {_quoted(name)}"
    if any("created_at" in r.columns or r.table != "leads" for r in found):
        yield f"timezone: UTC{_GUESS}: the zone of times that carry none"
    yield ""


def _sources(found: Sequence[Recognised], target: str | None, base: Path) -> Iterator[str]:
    yield "sources:"
    for table in ("leads", "events", "stages", "verdicts", "handovers", "attributes"):
        several = [r for r in found if r.table == table]
        if several:
            yield f"  {table}:"
        for one in several:
            block = list(_source(one, target, base))
            yield f"    - {block[0]}"
            yield from (f"      {line}" for line in block[1:])
    yield ""


def _source(one: Recognised, target: str | None, base: Path) -> Iterator[str]:
    yield f"file: {_quoted(_relative(one.sample.path, base))}"
    if one.sample.delimiter not in {None, ","}:
        yield f"delimiter: {_quoted(str(one.sample.delimiter))}"
    missing = sorted({v for c in one.sample.columns for v in c.values if v.lower() in _BLANKS})
    if missing:
        yield f"missing: {_list(missing)}{_GUESS}: words that stand for nothing"
    yield "columns:" if one.columns else "columns: {}"
    for canonical, own in one.columns.items():
        yield f"  {canonical}: {_quoted(own)}{_GUESS}"
    if one.constants:
        yield "constants:"
        yield from (f"  {name}: {_quoted(v)}{_GUESS}" for name, v in one.constants.items())
    if one.table == "leads":
        yield from _leads_extras(one)
    if one.table == "stages" and "stage" in one.columns:
        yield from _values(one, "stage", STAGE_NAMES, _STAGE_WORDS, target)
    if one.table == "verdicts":
        yield from _values(one, "verdict", VERDICT_NAMES, _VERDICT_WORDS, None)
        yield f"# reasons not in {', '.join(REASON_NAMES)} count as 'other'"


def _leads_extras(one: Recognised) -> Iterator[str]:
    if one.order is not None:
        yield f"order: {_quoted(one.order)}  # stands for time: there is no creation date"
    if one.outcome is not None:
        yield "outcome:"
        yield f"  column: {_quoted(one.outcome.column)}{_GUESS}"
        yield f"  positive: {_list(one.outcome.positive)}{_GUESS}"
        yield f"  negative: {_list(one.outcome.negative)}{_GUESS}"
        if one.outcome.unknown:
            yield f"  open: {_list(one.outcome.unknown)}{_GUESS}: not decided yet"
    yield "attributes:"
    yield "  # Name here every column that is written at or after the outcome. The audit looks"
    yield "  # for forgotten ones, but only you know when a column is filled in."
    yield "  outcome_side: []"
    yield "  # What leads do, as opposed to who they are: the second axis of the grade."
    yield "  engagement: []"


def _values(
    one: Recognised,
    canonical: str,
    valid: Sequence[str],
    words: dict[str, tuple[str, ...]],
    target: str | None,
) -> Iterator[str]:
    column = one.sample.column(one.columns[canonical])
    own = column.values if column is not None else ()
    mapped = {v: _meaning(v, valid, words, target) for v in own if v not in valid}
    if mapped:
        yield "values:"
        yield f"  {canonical}:"
        for value, meaning in mapped.items():
            yield f"    {_quoted(value)}: {meaning}{_GUESS}"


def _meaning(
    value: str, valid: Sequence[str], words: dict[str, tuple[str, ...]], target: str | None
) -> str:
    plain = value.lower().replace("_", " ").replace("-", " ").strip()
    if target is not None and value == target:
        return "customer"
    if plain in valid:
        return plain
    for name, synonyms in words.items():
        if any(word in plain for word in synonyms):
            return name
    return valid[0]


def _target(stages: Recognised | None, target: str | None) -> Iterator[str]:
    yield "target:"
    if stages is None:
        yield "  stage: outcome  # the outcome column above"
        yield ""
        return
    stage = target if target in STAGE_NAMES else "customer"
    yield f"  stage: {stage}"
    yield from _DATED


def _dated_target() -> Iterator[str]:
    yield "target:"
    yield "  stage: customer"
    yield from _DATED


def _plan(events: Sequence[Recognised]) -> Iterator[str]:
    columns = [one.sample.column(one.columns["type"]) for one in events]
    types = dict.fromkeys(v for c in columns if c is not None for v in c.values[:_TYPES_PER_FILE])
    names: dict[str, str] = {}
    for position, value in enumerate(types):
        names[value] = _signal_name(value, position, names.values())
    yield "plan:"
    yield "  # A signal is a condition over one event row, in SQL."
    yield "  signals:"
    for value, name in names.items():
        text = value.replace("'", "''")
        where = _quoted(f"type = '{text}'")
        says = _quoted(f"{value.replace('_', ' ')} events")
        yield f"    {name}: {{where: {where}, says: {says}}}{_GUESS}"
    listed = ", ".join(["any", *names.values()])
    yield "  features:"
    yield f"    - {{kinds: [count], signals: [{listed}], windows_days: [7, 30, 90]}}"
    yield f"    - {{kinds: [count, days_since_last], signals: [{listed}]}}"
    yield "    - {kinds: [active_days, sessions], signals: [any], windows_days: [7, 30]}"
    yield ""


def _signal_name(value: str, position: int, taken: Collection[str]) -> str:
    name = "".join(c if c.isalnum() and c.isascii() else "_" for c in value.lower()).strip("_")
    is_good = bool(name) and not name[0].isdigit() and name not in {"any", *taken}
    return name if is_good else f"type_{position}_{name}"


def _tail(*, is_dated: bool) -> Iterator[str]:
    yield "# A draft until marketing and sales sign it: move these lines into a file of their own,"
    yield "# name it here (criteria: criteria.yaml), and see 'mqlml criteria sign'."
    yield "criteria:"
    yield "  version: 1"
    yield "  owners: [marketing, sales]"
    yield "  thresholds:"
    # A fixed probability suits no two firms; a capacity can be asked of sales, but needs weeks.
    if is_dated:
        most = f"    ranked: {{most: 20, per: week}}{_GUESS}"
        yield f"{most}: how many new leads sales can work in a week"
    else:
        yield f"    mql_probability: 0.3{_GUESS}: from which probability on a lead is an MQL"


def _guesses(found: Sequence[Recognised]) -> Iterator[str]:
    for one in found:
        columns = ", ".join(f"{c} from {own!r}" for c, own in one.columns.items())
        yield f"{one.sample.path.name} holds {one.table}" + (f": {columns}" if columns else "")
        yield from (f"{one.sample.path.name}: {remark}" for remark in one.notes)
        if one.outcome is not None:
            yes = ", ".join(map(repr, one.outcome.positive))
            yield f"{one.outcome.column!r} is the outcome, yes is {yes}"


def _relative(path: Path, base: Path) -> str:
    return os.path.relpath(path.resolve(), base.resolve())


def _quoted(text: str) -> str:
    """Return text as one YAML scalar on one line."""
    return yaml.safe_dump(text, width=10**6, allow_unicode=True).removesuffix("...\n").strip()


def _list(values: Sequence[str]) -> str:
    return "[" + ", ".join(_quoted(v) for v in values) + "]"
