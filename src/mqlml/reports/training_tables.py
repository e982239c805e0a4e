"""The tables of the training page."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from mqlml.dataset.findings import Finding
from mqlml.modeling.gates import Gate
from mqlml.modeling.metrics import TestMetrics
from mqlml.reports.facts import became, contestant_words
from mqlml.reports.tables import Cell, Head, Table, cells, records, shares_of, text_head
from mqlml.reports.words import (
    MISSING,
    capital,
    count,
    counted,
    figure,
    listed,
    percent,
    percent_range,
    sentence,
    short,
)
from mqlml.tables.ingested import FileCount

_TOP_FEATURES = 12
# Name in words, how the bound is meant, digits (0 for counts).
_GATES = {
    "leads": ("leads with a known outcome", "at least", 0),
    "conversions": ("leads that converted", "at least", 0),
    "test_conversions": ("leads that converted in the test", "at least", 0),
    "months": ("months with conversions", "at least", 0),
    "roc_auc_low": ("lower end of the ROC-AUC interval", "above", 3),
    "test_log_loss": ("log loss on the test, beside a constant", "below", 4),
    "forward_log_loss": ("log loss on the forward folds, beside the base rate", "at most", 4),
}
_NARROW = "\u202f"


def contestant_table(
    contestants: Mapping[str, TestMetrics],
    winner: str,
    fold_log_loss: Mapping[str, float],
    *,
    is_fallback: bool = False,
) -> Table:
    """Return every contestant's test figures, the winner first, then by log loss."""
    serves = "stands in" if is_fallback else "winner"
    ordered = sorted(contestants, key=lambda name: (name != winner, contestants[name].log_loss))
    rows = tuple(
        cells(
            Cell(contestant_words(name), serves if name == winner else ""),
            Cell(figure(one.log_loss, 4), _while_choosing(fold_log_loss.get(name, math.nan))),
            Cell(figure(one.roc_auc), _interval(one)),
            figure(one.pr_auc),
            figure(one.brier, 4),
            percent(one.calibration_error),
            figure(one.lift_at_10, 2),
        )
        for name, one in ((name, contestants[name]) for name in ordered)
    )
    heads = (
        text_head("Contestant"),
        Head("Log loss", "lower is better"),
        Head("ROC-AUC", "higher; 0.5 is chance"),
        Head("PR-AUC", "higher is better"),
        Head("Brier", "lower is better"),
        Head("Calibration error", "lower is better"),
        Head(f"Lift at 10{_NARROW}%", "1 is chance"),
    )
    caption = "The contestants on the test, which nothing looked at while choosing"
    return Table(caption, heads, rows, strong_rows=frozenset({0}))


def _while_choosing(log_loss: float) -> str:
    return f"{figure(log_loss, 4)} in the folds" if math.isfinite(log_loss) else ""


def _interval(one: TestMetrics) -> str:
    if not one.roc_auc_low < one.roc_auc_high:
        return ""
    return f"{figure(one.roc_auc_low)} to {figure(one.roc_auc_high)}"


def feature_table(features: pd.DataFrame) -> Table:
    """Return the strongest features: share of influence and what more of each means."""
    top = features.head(_TOP_FEATURES)
    bars = shares_of([float(value) for value in top["importance"]])
    total = float(features["importance"].sum())
    rows = tuple(
        cells(
            short(row["sentence"], 120),
            Cell(percent(row["importance"] / total if total else math.nan), bar=bar),
            rank_words(row["rank_low"], row["rank_high"]),
            direction_words(row["direction"]),
            short(row["axis"]),
            short(row["family"]),
        )
        for row, bar in zip(records(top), bars, strict=True)
    )
    heads = (
        text_head("What"),
        Head("Share of influence"),
        Head("Rank", "with other leads"),
        text_head("More of it means"),
        text_head("Axis"),
        text_head("Family"),
    )
    note = f"The {len(top)} strongest of {counted(len(features), 'column', 'columns')}."
    return Table("What the model leans on, strongest first", heads, rows, note=note)


def rank_words(low: float, high: float) -> str:
    """Return the range of ranks that a column may have.

    >>> rank_words(1, 3.5), rank_words(2, 2), rank_words(math.nan, math.nan)
    ('1 to 4', '2', '–')
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return MISSING
    first, last = math.floor(low), math.ceil(high)
    return str(first) if first == last else f"{first} to {last}"


def direction_words(direction: object) -> str:
    """Return what more of a feature does to the chance.

    >>> direction_words(1), direction_words(-0.2), direction_words(0)
    ('more likely', 'less likely', 'it depends')
    """
    value = float(direction) if isinstance(direction, int | float) else math.nan
    if not math.isfinite(value) or value == 0:
        return "it depends"
    return "more likely" if value > 0 else "less likely"


def finding_table(findings: Sequence[Finding]) -> Table:
    """Return what the audit found, in its order: column, finding, evidence."""
    rows = tuple(
        cells(short(f.column), capital(f.finding), sentence(short(f.evidence, 400)))
        for f in findings
    )
    heads = (text_head("Column"), text_head("Finding"), text_head("Evidence"))
    return Table("What the search for leaks found", heads, rows)


def override_table(findings: Sequence[Finding]) -> Table:
    """Return the columns used although the audit would stop at them, with the reasons given."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for one in findings:
        if one.allowed:
            kinds.setdefault((one.column, one.allowed), []).append(one.finding)
    rows = tuple(
        cells(short(column), sentence(short(reason, 400)), capital(listed(found)))
        for (column, reason), found in kinds.items()
    )
    heads = (text_head("Column"), text_head("Reason given"), text_head("What would have stopped"))
    return Table("Columns used although the search for leaks would stop at them", heads, rows)


def persona_table(personas: pd.DataFrame, stage: str) -> Table:
    """Return conversion and ranking quality within each persona."""
    rates = [float(rate) for rate in personas["rate"]]
    rows = tuple(
        cells(
            short(row["persona"]),
            Cell(percent(row["rate"]), bar=bar),
            percent_range(row["low"], row["high"]),
            count(row["leads"]),
            figure(row["roc_auc"]),
        )
        for row, bar in zip(records(personas), shares_of(rates), strict=True)
    )
    heads = (
        text_head("Persona"),
        Head("Conversion rate"),
        Head("95 % interval"),
        Head("Leads"),
        Head("ROC-AUC", "within the persona"),
    )
    return Table(f"Test leads by persona, and how many {became(stage)}", heads, rows)


def reliability_table(reliability: pd.DataFrame) -> Table:
    """Return, by band, persona, source and month, how many conversions were promised and came."""
    rows = tuple(
        cells(
            Cell(short(row["group"]), str(row["kind"])),
            figure(row["expected"], 1),
            count(row["observed"]),
            figure(row["ratio"], 2),
            _ratio_range(row),
            _reliability_cell(row),
        )
        for row in records(reliability)
    )
    heads = (
        text_head("Group"),
        Head("Expected", "conversions"),
        Head("Observed", "conversions"),
        Head("Observed ÷ expected", "1 is as promised"),
        Head("95 % interval"),
        text_head("So"),
    )
    note = "Each group alone; among twenty groups one is outside its interval by chance."
    return Table("Promised and observed conversions on the test", heads, rows, note=note)


def _ratio_range(row: Mapping[str, Any]) -> str:
    if not math.isfinite(row["low"]):
        return MISSING
    return f"{figure(row['low'], 2)} to {figure(row['high'], 2)}"


def _reliability_cell(row: Mapping[str, Any]) -> Cell:
    if not math.isfinite(row["low"]):
        return Cell("too few to say")
    if row["low"] > 1:
        return Cell("more than promised", tone="bad")
    if row["high"] < 1:
        return Cell("fewer than promised", tone="bad")
    return Cell("as promised", tone="good")


def source_table(sources: Sequence[FileCount]) -> Table:
    """Return where the rows of each file went."""
    rows = tuple(
        cells(
            Cell(short(Path(one.file).name, 80), short(one.table)),
            *map(count, (one.rows, one.made, one.kept, one.duplicates)),
            *map(count, (one.quarantined, one.filtered)),
        )
        for one in sources
    )
    names = ("Rows", "Made of them", "Kept", "Duplicates", "Quarantined", "Left out by a filter")
    heads = (text_head("File"), *(Head(name) for name in names))
    return Table("Rows read, and where they went", heads, rows)


@dataclass(frozen=True)
class GateWords:
    """A gate as the page shows it."""

    name: str
    found: str
    needed: str


def gate_words(gate: Gate) -> GateWords:
    """Return a gate's name, what was found and what is needed, in words."""
    name, bound, digits = _GATES.get(gate.name, (short(gate.name).replace("_", " "), "", 3))
    show = partial(figure, digits=digits) if digits else count
    return GateWords(name, show(gate.found), f"{bound} {show(gate.needed)}".strip())


def gate_table(gates: Sequence[Gate]) -> Table:
    """Return each gate with what was found and what is needed."""
    rows = tuple(
        cells(
            gate_words(gate).name,
            Cell("passed" if gate.passed else "not passed", tone="good" if gate.passed else "bad"),
            gate_words(gate).found,
            gate_words(gate).needed,
        )
        for gate in gates
    )
    heads = (text_head("Gate"), text_head("Result"), Head("Found"), Head("Needed"))
    return Table("What a model must show before it is published", heads, rows)
