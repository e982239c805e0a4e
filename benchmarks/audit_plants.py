"""Leaks of every kind, planted into an honest table, each of a strength drawn by the seed."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from benchmarks.audit_tables import DAY, SPAN_DAYS, Table, history_rows
from mqlml import timeline

PLANT = "planted"


@dataclass(frozen=True)
class Planted:
    """A table with one leak: which columns may be named for it, and whether that must stop."""

    table: Table
    columns: frozenset[str]
    stops: bool = True
    finding: str | None = None


@dataclass(frozen=True)
class _Lead:
    """Draws that are the same for all points of a lead."""

    table: Table
    rng: np.random.Generator

    def __post_init__(self) -> None:
        codes, _ = pd.factorize(self.table.points["lead_id"])
        object.__setattr__(self, "_codes", codes)

    def chance(self) -> np.ndarray:
        return self.rng.random(self._codes.max() + 1)[self._codes]

    def noise(self) -> np.ndarray:
        return self.rng.normal(size=self._codes.max() + 1)[self._codes]

    def happens(self, yes: float, no: float) -> np.ndarray:
        """Return which rows get it, with these chances for converted and other leads."""
        return self.chance() < np.where(self.table.outcome, yes, no)

    def other(self) -> np.ndarray:
        return np.where(self.chance() < 0.5, "web", "event").astype(object)


def plant(kind: str, table: Table, seed: int) -> Planted:
    """Return the table with a leak of this kind."""
    return PLANTS[kind](table, _Lead(table, np.random.default_rng(seed + 1_000_003)))


def _column(table: Table, values: np.ndarray, name: str = PLANT) -> Planted:
    return Planted(table.with_columns(**{name: values}), frozenset({name}))


def _strong_number(table: Table, lead: _Lead) -> Planted:
    return _column(table, table.outcome * lead.rng.uniform(1.7, 3) + lead.noise())


def _noisy_copy(table: Table, lead: _Lead) -> Planted:
    flipped = lead.chance() < lead.rng.uniform(0.02, 0.1)
    return _column(table, (table.outcome ^ flipped).astype(float))


def _amount_of_the_won(table: Table, lead: _Lead) -> Planted:
    return _column(table, np.where(table.outcome, np.exp(lead.noise()), 0.0))


def _mostly_zero(table: Table, lead: _Lead) -> Planted:
    """Most others have 0, most converted leads have not: the worth of pages seen before buying."""
    has = lead.happens(lead.rng.uniform(0.75, 0.9), lead.rng.uniform(0.05, 0.12))
    return _column(table, np.where(has, np.exp(lead.noise()), 0.0))


def _value_of_the_won(table: Table, lead: _Lead) -> Planted:
    has = lead.happens(lead.rng.uniform(0.25, 0.6), 0.0)
    return _column(table, np.where(has, "onboarding", lead.other()))


def _fill_of_the_won(table: Table, lead: _Lead) -> Planted:
    filled = lead.happens(lead.rng.uniform(0.85, 0.97), lead.rng.uniform(0.1, 0.25))
    return _column(table, np.where(filled, lead.other(), None))


def _written_for_some_won(table: Table, lead: _Lead) -> Planted:
    filled = lead.happens(lead.rng.uniform(0.3, 0.6), 0.0)
    number = np.exp(lead.noise())
    return _column(table, np.where(filled, number, np.nan))


def _reason_of_the_lost(table: Table, lead: _Lead) -> Planted:
    filled = lead.happens(0.0, lead.rng.uniform(0.5, 0.9))
    reason = np.where(lead.chance() < 0.4, "price", "timing").astype(object)
    return _column(table, np.where(filled, reason, None))


def _filled_back(table: Table, lead: _Lead) -> Planted:
    """Until some date the category was written only once a lead had converted."""
    until = lead.rng.uniform(0.3, 0.7) * SPAN_DAYS * DAY
    is_early = table.points["cohort"].to_numpy() < until
    honest = lead.happens(0.2, 0.15)
    has = np.where(is_early, lead.happens(lead.rng.uniform(0.35, 0.7), 0.0), honest)
    return _column(table, np.where(has, "partner", lead.other()))


def _filled_once_decided(table: Table, lead: _Lead) -> Planted:
    """The column says little of the outcome, but open leads do not have it."""
    points = table.points
    is_open = points["label"].isna().to_numpy() | (lead.chance() < 0.15)
    points = points.assign(label=points["label"].where(~is_open))
    filled = ~is_open & (lead.chance() < lead.rng.uniform(0.7, 1))
    values = np.where(filled, lead.rng.uniform(0, 0.4) * table.outcome + lead.noise(), np.nan)
    return _column(replace(table, points=points), values)


def _closing_date(table: Table, lead: _Lead) -> Planted:
    """The day on which a lead was won or lost; both take equally long."""
    cohort = table.points["cohort"].to_numpy()
    scale = lead.rng.uniform(8, 40)
    days = -np.log(lead.chance() * 0.98 + 0.01) * scale + 1
    closed = cohort + (days * DAY).astype(np.int64)
    texts = pd.to_datetime(closed, unit="us").strftime("%Y-%m-%d").to_numpy(dtype=object)
    # An export of some day holds what had happened by then.
    texts[closed > (SPAN_DAYS + 4) * DAY] = None
    name = str(lead.rng.choice(["close_date", "contract", "date 2"]))
    return _column(table, texts, name)


def _later_name(table: Table, lead: _Lead) -> Planted:
    """What the process keeps writing, no stronger than honest columns get."""
    name = str(lead.rng.choice(["Last Activity", "Lead Quality", "lead_status", "sales_rating"]))
    return _column(table, table.outcome * lead.rng.uniform(0.7, 1.0) + lead.noise(), name)


def _written_together(table: Table, lead: _Lead) -> Planted:
    filled = lead.chance() < lead.rng.uniform(0.3, 0.8)
    leak = np.where(filled, table.outcome * 3.0 + lead.noise(), np.nan)
    beside = np.where(filled, lead.noise(), np.nan)
    made = table.with_columns(leak=leak, beside=beside)
    return Planted(made, frozenset({"beside"}))


def _lead_ids(table: Table, lead: _Lead) -> Planted:
    """Ids of converted leads were given by another system."""
    is_won = table.outcome ^ (lead.chance() < 0.03)
    place = pd.factorize(table.points["lead_id"])[0]
    form = int(lead.rng.integers(3))
    forms = (
        [f"{'W' if w else 'N'}{p:06d}" for w, p in zip(is_won, place, strict=True)],
        [f"L{p + 500_000 * w:07d}" for w, p in zip(is_won, place, strict=True)],
        [f"L{p}{'-C' if w else ''}" for w, p in zip(is_won, place, strict=True)],
    )
    # All of a lead's points must agree.
    ids = pd.Series(forms[form]).groupby(place).transform("first").to_numpy()
    points = table.points.assign(lead_id=ids)
    history = table.history.assign(
        lead_id=table.history["lead_id"].map(dict(zip(table.points["lead_id"], ids, strict=True)))
    )
    made = replace(table, points=points, history=history)
    return Planted(made, frozenset({"lead_id"}), stops=False, finding="id tells the outcome")


def _attribute_ids(table: Table, lead: _Lead) -> Planted:
    is_won = table.outcome ^ (lead.chance() < 0.03)
    place = pd.factorize(table.points["lead_id"])[0]
    prefix = lead.rng.random() < 0.5
    texts = [
        f"{'C' if w else 'P'}-{p}" if prefix else f"K{2 * p + w}"
        for w, p in zip(is_won, place, strict=True)
    ]
    if not prefix:  # an even number for one outcome, an odd one for the other
        texts = [f"{text}0" if w else f"{text}5" for text, w in zip(texts, is_won, strict=True)]
    return _column(table, np.array(texts, dtype=object))


def _file_position(table: Table, lead: _Lead) -> Planted:
    """The file holds first the others, then the converted leads, and its order passes for time.

    A few leads stand elsewhere; without them no split would have both outcomes.
    """
    points = table.points
    place = (
        table.outcome * 1.0
        + lead.chance() * 0.6
        + (lead.chance() < 0.04) * (1.0 - 2.0 * table.outcome)
    )
    one = points["lead_id"].drop_duplicates().index
    rank = pd.Series(place[one]).rank(method="first").to_numpy().astype(np.int64)
    as_of = dict(zip(points["lead_id"][one], rank, strict=True))
    at = points["lead_id"].map(as_of).to_numpy()[one]
    points = points.iloc[one].assign(as_of=at, cohort=at, converted_at=timeline.NEVER)
    points = points.assign(label=points["truth"])
    order = np.argsort(at, kind="stable")
    made = replace(
        table,
        points=points.iloc[order].reset_index(drop=True),
        columns=table.columns.iloc[one[order]].drop(columns="wished start").reset_index(drop=True),
    )
    return Planted(made, frozenset({"as_of"}))


def _twins(table: Table, lead: _Lead) -> Planted:
    """Old leads loaded once more, lately, under new ids."""
    share = lead.rng.uniform(0.03, 0.15)
    columns = table.columns.drop(columns=["calendar", "session", "wished start"])
    late = np.flatnonzero(np.arange(len(columns)) >= 0.85 * len(columns))
    again = late[lead.rng.random(len(late)) < share]
    old = lead.rng.integers(0, int(0.6 * len(columns)), len(again))
    columns.iloc[again] = columns.iloc[old].to_numpy()
    points = table.points.copy()
    for name in ("label", "truth"):
        points.iloc[again, points.columns.get_loc(name)] = points[name].to_numpy()[old]
    made = replace(table, columns=columns.infer_objects(), points=points)
    return Planted(made, frozenset({"(rows)"}), stops=False)


def _clock(table: Table, lead: _Lead) -> Planted:
    weeks = np.floor(table.points["as_of"].to_numpy() / (7 * DAY))
    index = 100 + np.cumsum(lead.rng.normal(0.4, 0.3, int(weeks.max()) + 1))
    planted = _column(table, index[weeks.astype(int)])
    return replace(planted, stops=False, finding="clock")


def _stamped_with_creation(table: Table, lead: _Lead) -> Planted:
    """A flat export made into a history: every value is dated to the lead's creation."""
    planted = _column(table, table.outcome * lead.rng.uniform(1.7, 3) + lead.noise())
    points = table.points.drop_duplicates("lead_id")
    rows = history_rows(points, PLANT, points["cohort"].to_numpy(), np.ones(len(points), bool))
    return _with_history(planted, rows)


def _just_before(table: Table, lead: _Lead) -> Planted:
    """The outcome's own writing, dated to the midnight before it."""
    points = table.points.drop_duplicates("lead_id")
    end = points["converted_at"].to_numpy()
    is_won = end != timeline.NEVER
    midnight = np.where(is_won, end - end % DAY, points["cohort"] + 20 * DAY)
    has = lead.rng.random(len(points)) < np.where(is_won, lead.rng.uniform(0.5, 0.95), 0.2)
    planted = _column(table, lead.noise())
    return _with_history(planted, history_rows(points, PLANT, midnight, has))


def _after(table: Table, lead: _Lead) -> Planted:
    """Customers are described afresh in the weeks after they have become customers."""
    points = table.points.drop_duplicates("lead_id")
    end = points["converted_at"].to_numpy()
    is_won = end != timeline.NEVER
    later = (lead.rng.exponential(8, len(points)) * DAY).astype(np.int64)
    at = np.where(is_won, end, points["cohort"] + 30 * DAY) + later
    has = lead.rng.random(len(points)) < np.where(is_won, lead.rng.uniform(0.5, 0.95), 0.2)
    planted = _column(table, lead.noise())
    made = _with_history(planted, history_rows(points, PLANT, at, has))
    return replace(made, stops=False, finding="changes after the outcome")


def _with_history(planted: Planted, rows: pd.DataFrame) -> Planted:
    table = planted.table
    history = pd.concat([table.history, rows]) if len(table.history) else rows
    made = replace(table, history=history, dated=table.dated | {PLANT})
    return replace(planted, table=made)


PLANTS: dict[str, Callable[[Table, _Lead], Planted]] = {
    "alone too good: a number": _strong_number,
    "alone too good: a noisy copy": _noisy_copy,
    "alone too good: an amount of the won": _amount_of_the_won,
    "alone too good: zero for most": _mostly_zero,
    "after the outcome: a value of some won": _value_of_the_won,
    "after the outcome: a reason of the lost": _reason_of_the_lost,
    "after the outcome: filled once decided": _filled_once_decided,
    "after the outcome: a closing date": _closing_date,
    "after the outcome: named so": _later_name,
    "fill rate: for the won": _fill_of_the_won,
    "fill rate: for some won alone": _written_for_some_won,
    "fill rate: together with a leak": _written_together,
    "backfilled category": _filled_back,
    "dated: stamped with creation": _stamped_with_creation,
    "dated: written just before": _just_before,
    "dated: changes afterwards": _after,
    "encoded: ids of leads": _lead_ids,
    "encoded: ids in a column": _attribute_ids,
    "encoded: order of the file": _file_position,
    "twins of train and test": _twins,
    "clock": _clock,
}
