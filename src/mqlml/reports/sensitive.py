"""Sensitive columns on a training's page: what is left out or allowed, and how groups fare."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from mqlml.modeling.proxies import ProxyFigures, SensitiveFinding
from mqlml.reports.facts import became
from mqlml.reports.tables import Cell, Head, Table, cells, records, text_head
from mqlml.reports.words import MISSING, count, figure, listed, percent, percent_range, short

_CLEARLY_LESS = 0.8


@dataclass(frozen=True)
class SensitiveFacts:
    """What the page shows of sensitive columns.

    `sentences` maps the model's columns to words; `fares` are `group_outcomes` with `column`.
    """

    findings: Sequence[SensitiveFinding]
    fares: pd.DataFrame
    sentences: Mapping[str, str] = field(default_factory=dict)


def sensitive_table(facts: SensitiveFacts) -> Table:
    """Return each sensitive column: whether the model sees it, and how well features tell it."""
    rows = tuple(
        cells(
            Cell(short(found.column.name), _tells(found)),
            _use(found),
            _told(found.told),
            _proxies(found.told, facts.sentences),
        )
        for found in facts.findings
    )
    heads = (
        text_head("Column", "what it tells"),
        text_head("In the model"),
        text_head("Told by the other features", "on leads kept aside, with 95 % interval"),
        text_head("Most by", "what is lost without it"),
    )
    note = (
        "A column that is left out can still act through features that tell it. ROC-AUC 0.5 "
        "and R² 0 mean that they do not tell it at all."
    )
    return Table("Sensitive columns", heads, rows, note=note)


def _tells(found: SensitiveFinding) -> str:
    return "" if found.column.kind == found.column.name else found.column.kind


def _use(found: SensitiveFinding) -> Cell:
    if not found.column.is_allowed:
        return Cell("left out", tone="good")
    return Cell("allowed", short(found.column.reason, 200), tone="bad")


def _told(told: ProxyFigures) -> Cell:
    if not told.measure:
        return Cell(told.words, f"{count(told.leads)} leads are too few, or all alike")
    bounds = f"{figure(told.low, 2)} to {figure(told.high, 2)}"
    return Cell(told.words, f"{told.measure} {figure(told.told, 2)} ({bounds})")


def _proxies(told: ProxyFigures, sentences: Mapping[str, str]) -> str:
    named = [
        f"{short(sentences.get(p.column, p.column), 80)} ({figure(p.loss, 2)})"
        for p in told.proxies
    ]
    return listed(named) if named else MISSING


def fare_tables(facts: SensitiveFacts, stage: str) -> tuple[Table, ...]:
    """Return a table per sensitive column: what became of each group, and who went to sales."""
    if facts.fares.empty:
        return ()
    return tuple(
        _fare_table(str(name), frame, stage)
        for name, frame in facts.fares.groupby("column", sort=False)
    )


def _fare_table(name: str, frame: pd.DataFrame, stage: str) -> Table:
    rows = tuple(
        cells(
            Cell(short(row["group"])),
            count(row["leads"]),
            Cell(percent(row["rate"]), percent_range(row["low"], row["high"])),
            percent(row["promised"]),
            Cell(percent(row["mql_share"]), percent_range(row["mql_low"], row["mql_high"])),
        )
        for row in records(frame)
    )
    heads = (
        text_head("Group"),
        Head("Leads"),
        Head(f"Share that {became(stage)}", "95 % interval"),
        Head("Mean probability"),
        Head("Share for sales", "95 % interval"),
    )
    return Table(f"Test leads by {short(name)}", heads, rows, note=_fare_words(frame))


def _fare_words(frame: pd.DataFrame) -> str:
    """Return which group goes to sales much less often than another, by the four-fifths rule."""
    if len(frame) < 2:
        return ""
    ranked = sorted(records(frame), key=lambda row: float(row["mql_share"]))
    least, most = ranked[0], ranked[-1]
    is_less = least["mql_share"] < _CLEARLY_LESS * most["mql_share"]
    if not is_less or least["mql_high"] >= most["mql_low"]:
        return ""
    share = least["mql_share"] / most["mql_share"]
    return (
        f"{short(least['group'])} goes to sales {figure(share, 2)} times as often as "
        f"{short(most['group'])}, clearly beyond chance; compare the shares that converted."
    )


def sensitive_limits(facts: SensitiveFacts | None) -> Iterator[str]:
    """Yield, in sentences, which sensitive columns count and which are told by others."""
    if facts is None:
        return
    for found in facts.findings:
        if found.column.is_allowed:
            yield f"It looks at {short(found.column.name)}, allowed because: {found.column.reason}."
    told = [
        short(found.column.name)
        for found in facts.findings
        if found.told.words in {"well", "partly"} and not found.column.is_allowed
    ]
    if told:
        verb = "it is" if len(told) == 1 else "they are"
        yield f"Its features tell {listed(told)} although {verb} left out."
