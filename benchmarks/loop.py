"""The loop's decisions on companies whose truth is known: `make bench-loop`.

Learning from young labels, correcting a champion after an abrupt change, promotion in a still
world, equal models, and going back. Every decision is made by the package's own functions;
only the companies are made here. Tuned on one set of seeds, reported on another.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.loop_world import (
    COLUMNS,
    HORIZON_WEEKS,
    Floats,
    Leads,
    World,
    draw_leads,
    joined,
    make_world,
)
from benchmarks.results_file import FOLDER, write_rows
from mqlml.modeling.adjustment import Evidence, correct, out_of_fold
from mqlml.modeling.calibration import probability_of
from mqlml.modeling.metrics import log_losses, roc_auc
from mqlml.modeling.young_labels import Prior, YoungFit, fit_young, mature_outcomes
from mqlml.monitoring.promotion import Compared, judge
from mqlml.monitoring.rollback import propose_rollback
from mqlml.monitoring.settings import MonitoringSettings

_FIRST_SEED = {"tune": 0, "report": 800_000}
_SETTINGS = MonitoringSettings()
_PRIOR = Prior(np.full(COLUMNS, 30.0))
_YEAR_WEEKS = 52
_TEST_WEEKS = 40
_JUDGED_WEEKS = 8
# Weeks from change to alarm, as the detector's median and spread are.
_ALARM_WEEKS = (5, 6, 7, 7, 8, 10)
_DATE_ERROR_WEEKS = (-2, -1, 0, 0, 1, 2)
_ROLLBACK_WEEKS = 26
_WORSE = 0.035


@dataclass(frozen=True)
class Measure:
    """A row of the table: its name, goal and unit, and what one company gives, by seed."""

    name: str
    goal: str
    is_met: Callable[[float], bool]
    values: list[float]

    def row(self, command: str) -> dict[str, Any]:
        """Return mean and 95 % interval over the companies."""
        found = np.array([v for v in self.values if np.isfinite(v)])
        mean = float(found.mean()) if len(found) else float("nan")
        error = 1.96 * float(found.std()) / max(len(found), 1) ** 0.5
        return {
            "name": self.name,
            "value": mean,
            "low": mean - error,
            "high": mean + error,
            "unit": "",
            "goal": self.goal,
            "met": bool(self.is_met(mean)),
            "companies": len(found),
            "command": command,
        }


def main() -> None:
    """Measure, print and write results/loop.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--companies", type=int, default=200)
    parser.add_argument("--seeds", choices=_FIRST_SEED, default="report")
    parser.add_argument("--only", choices=PARTS, default=None)
    given = parser.parse_args()
    command = f"python -m benchmarks.loop --companies {given.companies}"
    rows = measured(given.companies, _FIRST_SEED[given.seeds], command, only=given.only)
    for row in rows:
        shown = f"{row['value']:8.4f} [{row['low']:.4f}, {row['high']:.4f}]"
        print(f"{row['name']:66} {shown}  {row['goal']:9} {row['met']}")
    if given.seeds == "report":
        print(write_rows("loop", _with_others(rows), companies=given.companies))


def _with_others(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows in the table's order, with those of parts that were measured before."""
    path = FOLDER / "loop.json"
    before = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else []
    by_name = {row["name"]: row for row in (*before, *rows)}
    return [by_name[name] for name in GOALS if name in by_name]


def measured(
    companies: int, first_seed: int, command: str, *, only: str | None = None
) -> list[dict[str, Any]]:
    """Return every row of the table."""
    found: dict[str, list[float]] = {name: [] for name in GOALS}
    with threadpool_limits(limits=1):
        for number in range(companies):
            for name, part in PARTS.items():
                if only in (None, name):
                    rng = np.random.default_rng([first_seed + number, len(name)])
                    for key, value in part(rng).items():
                        found[key].append(value)
    measures = [Measure(name, *GOALS[name], values) for name, values in found.items() if values]
    return [measure.row(command) for measure in measures]


def young_labels(rng: np.random.Generator) -> dict[str, float]:
    """A still world: a year of leads, the last twelve weeks of which are not over."""
    world = make_world(rng)
    leads = draw_leads(world, rng, first_week=0, weeks=_YEAR_WEEKS, is_changed=False)
    ahead = draw_leads(world, rng, first_week=0, weeks=_TEST_WEEKS, is_changed=False)
    young = leads.known_at(world, _YEAR_WEEKS)
    mature = np.flatnonzero(leads.week + HORIZON_WEEKS <= _YEAR_WEEKS)
    fits = {
        "oracle": fit_young(leads.design, mature_outcomes(leads.label), prior=_PRIOR),
        "young": fit_young(leads.design, young, prior=_PRIOR),
        "mature": fit_young(leads.design[mature], young.rows(mature), prior=_PRIOR),
    }
    auc = {name: _auc(fit, ahead) for name, fit in fits.items()}
    return {
        "young labels, nothing changed: ROC-AUC below oracle labels": auc["oracle"] - auc["young"],
        "mature labels alone, nothing changed: below oracle labels": auc["oracle"] - auc["mature"],
    }


def _auc(fit: YoungFit, leads: Leads) -> float:
    return roc_auc(leads.label, probability_of(fit.log_odds(leads.design)))


def abrupt_change(rng: np.random.Generator) -> dict[str, float]:
    """Another kind of lead converts from one day on; some weeks later the alarm is raised."""
    world = make_world(rng)
    before = draw_leads(world, rng, first_week=-64, weeks=64, is_changed=False)
    mature = np.flatnonzero(before.week + HORIZON_WEEKS <= 0)
    known = before.known_at(world, 0).rows(mature)
    champion = fit_young(before.design[mature], known, prior=_PRIOR)
    alarm = int(rng.choice(_ALARM_WEEKS))
    since = int(rng.choice(_DATE_ERROR_WEEKS))
    after = draw_leads(world, rng, first_week=0, weeks=alarm + 13, is_changed=True)
    ahead = draw_leads(world, rng, first_week=0, weeks=_TEST_WEEKS, is_changed=True)
    stale, best = _auc(champion, ahead), roc_auc(ahead.label, ahead.truth)
    found = {"after an abrupt change: ceiling": best, "after an abrupt change: old model": stale}
    for weeks in (8, 13):
        now = alarm + weeks
        corrected = _corrected_auc(world, champion, joined(before, after), (since, now), ahead)
        waited = _waited_auc(world, joined(before, after), now, ahead)
        name = f"at +{weeks} weeks"
        found[f"after an abrupt change: corrected {name}"] = corrected
        found[f"after an abrupt change: mature labels {name}"] = waited
        found[f"share of the gap regained {name}"] = (corrected - stale) / (best - stale)
    return found


def dense_change(rng: np.random.Generator) -> dict[str, float]:
    """Twelve columns lose their weight and twelve others gain as much: harder to find."""
    world = make_world(rng, is_dense=True)
    before = draw_leads(world, rng, first_week=-64, weeks=64, is_changed=False)
    mature = np.flatnonzero(before.week + HORIZON_WEEKS <= 0)
    known = before.known_at(world, 0).rows(mature)
    champion = fit_young(before.design[mature], known, prior=_PRIOR)
    alarm, since = int(rng.choice(_ALARM_WEEKS)), int(rng.choice(_DATE_ERROR_WEEKS))
    after = draw_leads(world, rng, first_week=0, weeks=alarm + 13, is_changed=True)
    ahead = draw_leads(world, rng, first_week=0, weeks=_TEST_WEEKS, is_changed=True)
    stale, best = _auc(champion, ahead), roc_auc(ahead.label, ahead.truth)
    found = {}
    for weeks in (8, 13):
        span = (since, alarm + weeks)
        corrected = _corrected_auc(world, champion, joined(before, after), span, ahead)
        name = f"twelve columns of 24 change: share regained at +{weeks} weeks"
        found[name] = (corrected - stale) / (best - stale)
    return found


def _corrected_auc(
    world: World, champion: YoungFit, leads: Leads, span: tuple[int, int], ahead: Leads
) -> float:
    since, now = span
    leads = leads.rows(np.flatnonzero((leads.week >= since) & (leads.week < now)))
    evidence = Evidence(
        champion.log_odds(leads.design),
        leads.design,
        leads.known_at(world, now),
        np.arange(len(leads.week)),
    )
    learnt = correct(evidence, 0)
    said = learnt.log_odds(champion.log_odds(ahead.design), ahead.design)
    return roc_auc(ahead.label, said)


def _waited_auc(world: World, leads: Leads, now: int, ahead: Leads) -> float:
    """Return what a model has that waits for mature labels, of the last year."""
    is_in = (leads.week + HORIZON_WEEKS <= now) & (leads.week >= now - _YEAR_WEEKS)
    rows = np.flatnonzero(is_in)
    fit = fit_young(leads.design[rows], leads.known_at(world, now).rows(rows), prior=_PRIOR)
    return _auc(fit, ahead)


def still_year(rng: np.random.Generator) -> dict[str, float]:
    """Nothing changes; every thirteen weeks the calendar asks, and a challenger is judged."""
    world = make_world(rng)
    leads = draw_leads(world, rng, first_week=-52, weeks=104, is_changed=False)
    ahead = draw_leads(world, rng, first_week=0, weeks=_TEST_WEEKS, is_changed=False)
    champion, promotions, harmful = _learnt(world, leads, 0), 0, 0
    for now in (13, 26, 39, 52):
        last = now - HORIZON_WEEKS
        block = np.flatnonzero((leads.week >= last - _JUDGED_WEEKS) & (leads.week < last))
        tested = _learnt(world, leads, now, until=last - _JUDGED_WEEKS - HORIZON_WEEKS)
        sides = [probability_of(m.log_odds(leads.design[block])) for m in (champion, tested)]
        compared = Compared(block, mature_outcomes(leads.label[block]), *sides)
        if judge(compared, _SETTINGS).promote:
            fresh = _learnt(world, leads, now)
            promotions += 1
            harmful += _true_loss(fresh, ahead) > _true_loss(champion, ahead)
            champion = fresh
    return {
        "still world: promotions a year": float(promotions),
        "still world: share of promotions that harm": harmful / promotions
        if promotions
        else float("nan"),
    }


def _learnt(world: World, leads: Leads, now: float, *, until: float | None = None) -> YoungFit:
    last = now - HORIZON_WEEKS if until is None else until
    rows = np.flatnonzero((leads.week < last) & (leads.week >= now - _YEAR_WEEKS - HORIZON_WEEKS))
    return fit_young(leads.design[rows], leads.known_at(world, now).rows(rows), prior=_PRIOR)


def _true_loss(fit: YoungFit, leads: Leads) -> float:
    said = probability_of(fit.log_odds(leads.design))
    return float(-(leads.truth * np.log(said) + (1 - leads.truth) * np.log(1 - said)).mean())


def equal_models(rng: np.random.Generator) -> dict[str, float]:
    """Two models, each off the truth by as much; whether the second takes over."""
    world = make_world(rng)
    promoted = []
    for _ in range(10):
        leads = draw_leads(world, rng, first_week=0, weeks=_JUDGED_WEEKS, is_changed=False)
        first, second = (_off(leads.truth, 0.4, rng) for _ in range(2))
        known = mature_outcomes(leads.label)
        compared = Compared(np.arange(len(first)), known, first, second)
        promoted.append(judge(compared, _SETTINGS).promote)
    return {"equal models promoted": float(np.mean(promoted))}


def _off(truth: Floats, spread: float, rng: np.random.Generator) -> Floats:
    """Return probabilities that are off the truth by so much log-odds, right on average."""
    log_odds = np.log(truth) - np.log1p(-truth)
    return probability_of(log_odds + rng.normal(-(spread**2) / 4, spread, len(truth)))


def going_back(rng: np.random.Generator) -> dict[str, float]:
    """Twenty-six weekly looks at a new champion that is as good as the old, or 3.5 % worse."""
    world = make_world(rng)
    leads = draw_leads(world, rng, first_week=0, weeks=_ROLLBACK_WEEKS, is_changed=False)
    previous = _off(leads.truth, 0.4, rng)
    equal = _off(leads.truth, 0.4, rng)
    worse = _off(leads.truth, _spread_for(leads.truth, previous, rng), rng)
    return {
        "rollback: wrong within 26 weeks": float(_goes_back(world, leads, equal, previous)),
        "rollback: fires within 26 weeks when 3.5 % worse": float(
            _goes_back(world, leads, worse, previous)
        ),
    }


def _spread_for(truth: Floats, previous: Floats, rng: np.random.Generator) -> float:
    """Return by how much a model is off the truth whose true loss is 3.5 % above `previous`'s."""
    aim = (1 + _WORSE) * _loss_of(truth, previous)
    spreads = np.linspace(0.4, 1.6, 49)
    losses = [_loss_of(truth, _off(truth, float(spread), rng)) for spread in spreads]
    return float(spreads[int(np.argmin(np.abs(np.array(losses) - aim)))])


def _loss_of(truth: Floats, said: Floats) -> float:
    return float((truth * log_losses(np.ones(len(said)), said)).mean()) + float(
        ((1 - truth) * log_losses(np.zeros(len(said)), said)).mean()
    )


def _goes_back(world: World, leads: Leads, champion: Floats, previous: Floats) -> bool:
    for week in range(1, _ROLLBACK_WEEKS + 1):
        rows = np.flatnonzero(leads.week < week)
        known = leads.known_at(world, week).rows(rows)
        found = propose_rollback(rows, known, champion=champion[rows], previous=previous[rows])
        if found.is_proposed:
            return True
    return False


def young_promotion(rng: np.random.Generator) -> dict[str, float]:
    """A false alarm: the champion is adjusted although nothing changed, on young outcomes."""

    world = make_world(rng)
    before = draw_leads(world, rng, first_week=-64, weeks=64, is_changed=False)
    mature = np.flatnonzero(before.week + HORIZON_WEEKS <= 0)
    known = before.known_at(world, 0).rows(mature)
    champion = fit_young(before.design[mature], known, prior=_PRIOR)
    after = draw_leads(world, rng, first_week=0, weeks=12, is_changed=False)
    ahead = draw_leads(world, rng, first_week=0, weeks=_TEST_WEEKS, is_changed=False)
    offset = champion.log_odds(after.design)
    leads = np.arange(len(offset))
    evidence = Evidence(offset, after.design, after.known_at(world, 12), leads)
    said = probability_of(out_of_fold(evidence, correct, seed=0))
    compared = Compared(leads, evidence.outcomes, probability_of(offset), said)
    if not judge(compared, _SETTINGS).promote:
        return {"false alarm: the corrected champion takes over": 0.0}
    learnt = correct(evidence, 0)
    of_champion = champion.log_odds(ahead.design)
    corrected = probability_of(learnt.log_odds(of_champion, ahead.design))
    harm = _loss_of(ahead.truth, corrected) - _loss_of(ahead.truth, probability_of(of_champion))
    return {
        "false alarm: the corrected champion takes over": 1.0,
        "false alarm: what that costs, share of the log loss": harm
        / _loss_of(ahead.truth, probability_of(of_champion)),
    }


PARTS: dict[str, Callable[[np.random.Generator], dict[str, float]]] = {
    "young": young_labels,
    "change": abrupt_change,
    "dense": dense_change,
    "still": still_year,
    "equal": equal_models,
    "rollback": going_back,
    "false": young_promotion,
}


def _any(_: float) -> bool:
    return True


GOALS: dict[str, tuple[str, Callable[[float], bool]]] = {
    "young labels, nothing changed: ROC-AUC below oracle labels": ("≤ .002", lambda v: v <= 0.002),
    "mature labels alone, nothing changed: below oracle labels": ("", _any),
    "after an abrupt change: ceiling": ("", _any),
    "after an abrupt change: old model": ("", _any),
    "after an abrupt change: corrected at +8 weeks": ("", _any),
    "after an abrupt change: mature labels at +8 weeks": ("", _any),
    "share of the gap regained at +8 weeks": ("≥ .45", lambda v: v >= 0.45),
    "after an abrupt change: corrected at +13 weeks": ("", _any),
    "after an abrupt change: mature labels at +13 weeks": ("", _any),
    "share of the gap regained at +13 weeks": ("≥ .60", lambda v: v >= 0.60),
    "twelve columns of 24 change: share regained at +8 weeks": ("", _any),
    "twelve columns of 24 change: share regained at +13 weeks": ("", _any),
    "still world: promotions a year": ("≤ 1.5", lambda v: v <= 1.5),
    "still world: share of promotions that harm": ("≤ .10", lambda v: v <= 0.10),
    "equal models promoted": ("≤ .10", lambda v: v <= 0.10),
    "rollback: wrong within 26 weeks": ("≤ .05", lambda v: v <= 0.05),
    "rollback: fires within 26 weeks when 3.5 % worse": ("≥ .90", lambda v: v >= 0.90),
    "false alarm: the corrected champion takes over": ("", _any),
    "false alarm: what that costs, share of the log loss": ("", _any),
}

if __name__ == "__main__":
    main()
