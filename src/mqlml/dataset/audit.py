"""The audit: which columns know the outcome, by evidence from development rows only.

A column of the plan that is measured from events, or from a dated attribute, is
point-in-time by construction and is at most warned about. An attribute without
a date may have been written at any time before the export; if the evidence says
that it knows the outcome, it stops the run unless it is allowed by name.

A file's position is looked at where it stands for time; else rows are told apart by
their dates, and where they stood in the file is not kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.dataset.evidence import dates, exclusive, groups, history, leaks, rows, time
from mqlml.dataset.evidence.buckets import Buckets, count, make_buckets
from mqlml.dataset.evidence.figures import forward_discrimination
from mqlml.dataset.evidence.names import later_name
from mqlml.dataset.evidence.origin import Origin
from mqlml.dataset.evidence.sample import Sample, sample_leads, sample_points
from mqlml.dataset.findings import Action, Finding
from mqlml.dataset.settings import AuditSettings
from mqlml.dataset.splits import Split
from mqlml.errors import ConfigError, Fault, LeakageError, nearest
from mqlml.features.plan import Plan

__all__ = ["Finding", "audit", "overrides", "refuse"]

# A name is evidence already, so its figures need less than 99 %: here a 90 % interval.
_NAMED_Z = 1.645


@dataclass(frozen=True)
class _Examined:
    """A column on the sample: its buckets, and the counts that judgements read."""

    column: leaks.Column
    buckets: Buckets
    sample: Sample


def audit(
    matrix: pd.DataFrame,
    points: pd.DataFrame,
    plan: Plan,
    settings: AuditSettings,
    *,
    split: Split,
    origin: Origin | None = None,
) -> tuple[Finding, ...]:
    """Return what was found, stops first, then in the plan's order.

    Args:
        matrix: one row per point, columns as the plan says.
        points: as `training_points` gives them, rows as in `matrix`.
        plan: tells attributes from what is measured from events.
        settings: columns allowed by name, with reasons; their stops become warnings.
        split: development rows are examined, test rows only compared as twins.
        origin: when each attribute is known (`origin_of`); without it all are undated.

    Raises:
        ConfigError: if a column is allowed without a reason, or does not exist.
    """
    origin = origin or Origin()
    sources = {a.column: a.source for a in plan.attributes}
    _refuse_bad_allowances(settings, (*plan.columns, *sources.values()))
    samples: dict[Action, Sample] = {
        "stop": sample_leads(points, split.development),
        "warn": sample_points(points, split.development),
    }
    dated = origin.dated()
    # Only an attribute without dates of its own may know the outcome.
    worst: dict[str, Action] = {
        name: "stop" if name in sources and sources[name] not in dated else "warn"
        for name in plan.columns
    }
    examined = [_examine(matrix, name, samples[worst[name]], worst[name]) for name in plan.columns]
    found = [f for e in examined for f in _judge(e, sources.get(e.column.name, ""))]
    found += _undecided(matrix, points, split, [e.column for e in examined])
    found += _texts(matrix, points, [e for e in examined if e.column.name in sources], origin)
    pairs = [(name, source) for name, source in sources.items() if source in dated]
    found += history.written_with_the_outcome(pairs, points.iloc[split.development], origin)
    missing = {e.column.name: e.buckets.is_missing for e in examined if e.column.worst == "stop"}
    stopped = list(dict.fromkeys(f.column for f in found if f.action == "stop"))
    found += rows.written_together(missing, [name for name in stopped if name in missing])
    found += _about_rows(matrix, points, split, samples["stop"])
    # Beside a reason to stop, what else is odd about the column is noise.
    stopped = [f.column for f in found if f.action == "stop"]
    found = [f for f in found if f.action == "stop" or f.column not in stopped]
    found = [_allowed(f, settings, sources) for f in found]
    place = {name: i for i, name in enumerate(plan.columns)}
    return tuple(sorted(found, key=lambda f: (f.action, place.get(f.column, len(place)))))


def refuse(findings: Sequence[Finding]) -> None:
    """Raise LeakageError naming every column that stops the run; return if none does."""
    faults = [
        Fault(f.finding, f"column '{f.column}'", f.evidence, f.mend)
        for f in findings
        if f.action == "stop"
    ]
    if faults:
        raise LeakageError(*faults)


def overrides(findings: Sequence[Finding]) -> dict[str, str]:
    """Return the reason by column of every stop that was allowed by name."""
    return {f.column: f.allowed for f in findings if f.allowed}


def _examine(matrix: pd.DataFrame, name: str, sample: Sample, worst: Action) -> _Examined:
    buckets = make_buckets(matrix[name].iloc[sample.rows])
    return _Examined(leaks.Column(name, count(buckets, sample), worst), buckets, sample)


def _judge(examined: _Examined, source: str) -> Iterator[Finding]:
    found = [
        *leaks.alone_too_good(examined.column),
        *exclusive.only_for_one_outcome(examined.column),
        *leaks.fill_rate_by_outcome(examined.column),
    ]
    yield from found
    # What these have stopped already needs no third figure to be believed.
    if not any(f.action == "stop" for f in found):
        yield from groups.settled_by_one_group(examined.column)
    yield from time.clock_column(examined.column.name, examined.buckets, examined.sample)
    yield from _named_like_later(examined.column, source)


def _named_like_later(column: leaks.Column, source: str) -> Iterator[Finding]:
    """Yield a stop for an undated attribute whose name speaks of later and whose values matter."""
    name = later_name(source)
    if name is None or column.worst != "stop":
        return
    views = (column.counts, column.counts.filled())
    found = max((forward_discrimination(view, z=_NAMED_Z) for view in views), key=lambda d: d.low)
    action: Action = "stop" if found.low > name.from_auc else "warn"
    evidence = (
        f"{name.says}, its values have no date, and alone it ranks later leads with a ROC-AUC of "
        f"{found.auc:.3f} (90 % interval {found.low:.3f}–{found.high:.3f})"
    )
    figures = {"roc_auc": found.auc, "roc_auc_low": found.low}
    yield column.finding("named like a later state", evidence, action, figures)


def _texts(
    matrix: pd.DataFrame, points: pd.DataFrame, examined: Sequence[_Examined], origin: Origin
) -> Iterator[Finding]:
    """Yield what the texts themselves tell: dates after the point, and ids given by outcome."""
    is_first = ~points["lead_id"].duplicated()
    as_of = points["as_of"][is_first]
    for one in examined:
        column = one.column
        if column.worst != "stop" or pd.api.types.is_numeric_dtype(matrix[column.name]):
            continue
        values = matrix[column.name]
        if not origin.is_order_time:
            yield from dates.dated_after_the_point(column, values[is_first], as_of)
        in_order = values.iloc[one.sample.rows]
        if time.is_like_ids(in_order):
            yield from time.identifier_tells(column.name, in_order, one.sample, column.worst)


def _undecided(
    matrix: pd.DataFrame, points: pd.DataFrame, split: Split, columns: Sequence[leaks.Column]
) -> Iterator[Finding]:
    """Yield columns that wait for the outcome: compare with unlabelled points of the same time."""
    as_of = points["as_of"].to_numpy()
    examined = as_of[split.development]
    is_same_time = np.asarray(timeline.is_from(as_of, int(examined.min())))
    is_same_time &= np.asarray(timeline.is_known(as_of, np.full_like(as_of, examined.max())))
    filled = matrix.notna()
    done = filled.iloc[split.development]
    still = filled[points["label"].isna().to_numpy() & is_same_time]
    for column in columns:
        yield from leaks.filled_once_decided(
            column,
            filled=(int(done[column.name].sum()), len(done)),
            undecided=(int(still[column.name].sum()), len(still)),
        )


def _about_rows(
    matrix: pd.DataFrame, points: pd.DataFrame, split: Split, sample: Sample
) -> Iterator[Finding]:
    development = matrix.iloc[split.development]
    yield from rows.constant_columns(development)
    lead_ids = points["lead_id"]
    yield from rows.twins(
        matrix.iloc[split.test].set_axis(lead_ids.iloc[split.test], axis=0),
        development.set_axis(lead_ids.iloc[split.development], axis=0),
    )
    ids = lead_ids.iloc[sample.rows]
    yield from time.identifier_tells("lead_id", ids, sample, "warn")
    # Sorted by outcome, development may hold one outcome only: here alone the test counts too.
    labelled = np.flatnonzero(points["label"].notna())
    yield from time.order_tells(sample_leads(points, labelled))


def _allowed(finding: Finding, settings: AuditSettings, sources: Mapping[str, str]) -> Finding:
    """Return a stop as a warning if its column, or the attribute behind it, is allowed."""
    for name in (finding.column, sources.get(finding.column, "")):
        if finding.action == "stop" and name in settings.allow:
            reason = settings.allow[name].strip()
            evidence = f"{finding.evidence}; allowed: {reason}"
            return replace(finding, action="warn", evidence=evidence, mend="", allowed=reason)
    return finding


def _refuse_bad_allowances(settings: AuditSettings, names: Sequence[str]) -> None:
    faults = []
    for column, reason in settings.allow.items():
        where = f"audit.allow.{column}"
        if column not in names:
            mend = f"{nearest(column, tuple(names))} (an outcome-side column needs no allowance)"
            faults.append(Fault("no such column in the plan", where, repr(column), mend))
        if not reason.strip():
            mend = "say who knows that the column was known beforehand, and how"
            faults.append(Fault("allowed without a reason", where, "an empty reason", mend))
    if faults:
        raise ConfigError(*faults)
