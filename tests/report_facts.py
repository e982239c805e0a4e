"""Made-up facts for the pages: a plausible firm, from a seed."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from tests.people_facts import dependence_frame, sensitive_facts

from mqlml.criteria.compare import criteria_changes
from mqlml.criteria.preview import History, Version, moved_today, preview
from mqlml.criteria.settings import Criteria, RankedList, Thresholds
from mqlml.dataset.findings import Finding, View
from mqlml.modeling.gates import Gate
from mqlml.modeling.metrics import TestMetrics, calibration_curve, gains, wilson_interval
from mqlml.modeling.reliability import expected_and_observed
from mqlml.monitoring.evidence import Change, Monitoring
from mqlml.monitoring.silence import silences
from mqlml.reports.audit import AuditFacts
from mqlml.reports.facts import Named
from mqlml.reports.ingest import IngestFacts
from mqlml.reports.monitor import Flow, MonitorFacts
from mqlml.reports.preview import PreviewFacts
from mqlml.reports.preview_pictures import SideNames
from mqlml.reports.review import ReviewFacts
from mqlml.reports.scoring import ScoringFacts
from mqlml.reports.summaries import rate_frame
from mqlml.reports.timeline_picture import Champion
from mqlml.reports.training_facts import Target, TrainingFacts
from mqlml.review.acts import Done
from mqlml.review.earlier import Earlier, LastReview
from mqlml.review.followup import Followed, FollowUp, Now
from mqlml.review.funnel import Aftermath
from mqlml.review.reps import Agreement
from mqlml.review.review import Became, Review
from mqlml.review.unseen_followup import EarlierReason, FollowedReason
from mqlml.scoring.settings import PersonaSettings
from mqlml.tables.ingested import FileCount, Note

DAY = 86_400_000_000
AS_OF = 1_780_272_000_000_000  # 2026-06-01
HOSTILE = "<script>alert('x')</script> 🎉 & \"quotes\""
_UP = (
    "webinars attended in the last 30 days: 3",
    "pricing page views in the last 7 days: 6",
    "job title seniority is director",
    "company size is inside the ICP",
    "e-mails clicked in the last 90 days: 11",
)
_DOWN = (
    "industry is public sector",
    "days since the last visit: 41",
    "country is outside the ICP",
    "no case study downloaded ever",
)


def scored(rows: int = 400, seed: int = 7) -> pd.DataFrame:
    """Return rows as `score_points` gives them, hottest first."""
    rng = np.random.default_rng(seed)
    fit, active = rng.normal(0, 1, rows), rng.normal(0, 1, rows)
    chance = 1 / (1 + np.exp(2.6 - fit - active))
    letters = np.digitize(-fit, [-0.8, 0, 0.8])
    figures = np.digitize(-active, [-0.8, 0, 0.8])
    outcome = np.select([chance > 0.28, chance > 0.14], ["mql", "warm"], "cold").astype(object)
    outcome[rng.random(rows) < 0.01] = "hand_raiser"
    outcome[rng.random(rows) < 0.03] = "disqualified"
    frame = pd.DataFrame(
        {
            "lead_id": [f"lead-{n:05d}" for n in rng.permutation(rows)],
            "probability": chance,
            "score": np.round(100 * chance),
            "grade": [f"{'ABCD'[a]}{b + 1}" for a, b in zip(letters, figures, strict=True)],
            "outcome": outcome,
            "persona": rng.choice(["Technical buyer", "Business buyer", "Student"], rows),
            "reasons_up": ["; ".join(rng.permutation(_UP)[:3]) for _ in range(rows)],
            "reasons_down": ["; ".join(rng.permutation(_DOWN)[:2]) for _ in range(rows)],
            "trend": np.where(rng.random(rows) < 0.8, rng.normal(0, 6, rows).round(), np.nan),
            "model_version": "4",
            "criteria_version": "2",
        }
    )
    return frame.sort_values(["probability", "lead_id"], ascending=[False, True], ignore_index=True)


def outcomes_of(scores: pd.DataFrame, seed: int = 8) -> np.ndarray:
    """Return what became of scored leads, 1 or 0, true to their probabilities."""
    rng = np.random.default_rng(seed)
    return (rng.random(len(scores)) < scores["probability"]).astype(float).to_numpy()


def feature_frame() -> pd.DataFrame:
    """Return ten columns by influence."""
    rows = [
        ("webinar__count__30d", "webinars attended in the last 30 days", "engagement", 1.0),
        ("icp__size", "company size inside the ICP", "fit", 1.0),
        ("visit__days_since_last__ever", "days since the last visit", "engagement", -1.0),
        ("title__seniority", "job title seniority", "fit", 0.0),
        ("pricing__count__7d", "pricing page views in the last 7 days", "engagement", 1.0),
        ("industry", "industry", "fit", np.nan),
        ("email__count__90d", "e-mails clicked in the last 90 days", "engagement", 1.0),
        ("source", "lead source", "fit", 0.0),
        ("case__count__ever", "case studies downloaded", "engagement", 1.0),
        ("country", "country", "fit", 0.0),
    ]
    frame = pd.DataFrame(rows, columns=["column", "sentence", "axis", "direction"])
    family = np.where(frame["axis"] == "fit", "demographic", "behavioural")
    own = np.arange(1.0, len(frame) + 1)
    return frame.assign(
        family=family,
        importance=np.geomspace(0.4, 0.02, len(frame)),
        rank_low=np.maximum(own - 1, 1),
        rank_high=own + 1.5,
    )


def measured(rows: int, base: float, log_loss: float, *rest: float) -> TestMetrics:
    """Return test figures: ROC-AUC, low, high, PR-AUC, Brier, calibration error, lift."""
    auc, low, high, pr_auc, brier, error, lift = rest
    won = round(rows * base)
    return TestMetrics(rows, won, base, auc, low, high, pr_auc, log_loss, brier, error, lift)


def training_facts(**changes: Any) -> TrainingFacts:
    """Return the facts of a good training, with a warning."""
    scores = scored(2412)
    labels = outcomes_of(scores)
    probability = scores["probability"].to_numpy()
    points = np.round(probability * 9 + np.random.default_rng(1).normal(0, 2, len(scores)))
    simple = probability * np.random.default_rng(2).uniform(0.6, 1.4, len(scores))
    base, best = float(labels.mean()), gains(labels, probability)
    personas = rate_frame(scores["persona"], labels).rename(columns={"group": "persona"})
    rows = len(labels)
    came_true = np.where(labels == 1, "became a customer", "did not convert")
    values: dict[str, Any] = {
        "name": "Demo company",
        "as_of": AS_OF,
        "target": Target(
            stage="customer",
            points="Every week from creation until 120 days after it, while the lead is open.",
            is_repeated=True,
            horizon_days=90,
            first_as_of=AS_OF - 500 * DAY,
            last_as_of=AS_OF - 91 * DAY,
            test_from=AS_OF - 180 * DAY,
        ),
        "winner": "lightgbm",
        "contestants": {
            "base_rate": measured(rows, base, 0.4012, 0.5, 0.5, 0.5, base, 0.105, 0.004, 1.0),
            "points_rules": measured(
                rows, base, 0.3804, 0.702, 0.671, 0.731, 0.28, 0.101, 0.021, 2.1
            ),
            "logistic": measured(
                rows, base, 0.3391, 0.801, 0.778, 0.823, 0.41, 0.0921, 0.013, 3.02
            ),
            "lightgbm": measured(
                rows, base, 0.3302, 0.814, 0.792, 0.836, 0.44, 0.0904, 0.011, best["lift"].iloc[1]
            ),
        },
        "fold_log_loss": {"base_rate": 0.4103, "logistic": 0.3472, "lightgbm": 0.3401},
        "calibration": calibration_curve(labels, probability),
        "gains": {
            "lightgbm": best,
            "logistic": gains(labels, simple),
            "points_rules": gains(labels, points),
        },
        "bands": rate_frame(scores["outcome"], labels),
        "reliability": pd.concat(
            [
                expected_and_observed(labels, probability, scores[name], scores["lead_id"]).assign(
                    kind=kind
                )
                for kind, name in (("band", "outcome"), ("persona", "persona"))
            ],
            ignore_index=True,
        ),
        "grades": rate_frame(scores["grade"], labels),
        "features": feature_frame(),
        "model_version": "4",
        "gates": (
            Gate("leads", passed=True, found=11_902.0, needed=200.0),
            Gate("test_log_loss", passed=True, found=0.3302, needed=0.4012),
        ),
        "findings": (
            Finding(
                "lead_quality",
                "fill rate differs by outcome",
                "Filled for 91 % of the converted, 34 % of the others.",
                "warn",
                "If sales fills it in later, declare it under outcome_side.",
                {},
            ),
        ),
        "personas": personas.assign(roc_auc=[0.81, np.nan, 0.79]),
        "sensitive": sensitive_facts(labels, probability),
        "dependence": dependence_frame(),
        "examples": scores.assign(came_true=came_true).iloc[[0, 1, 2, 300, 1200, 2400]],
        "sources": (
            FileCount("in/leads.csv", "leads", 12010, 12000, 6, 4),
            FileCount("in/events.csv.gz", "events", 843_211, 840_002, 3_190, 19),
            FileCount("in/stages.csv", "stages", 9_410, 9_402, 0, 2, 6),
        ),
        "details": (
            Named("Data digest", "3f9a2c1be07d4417"),
            Named("Plan fingerprint", "b1c2d3e4f5a69788"),
            Named("Criteria", "version 2, digest 77aa01c9e2b4d6f8"),
            Named("mqlml", "0.1.0"),
        ),
    }
    return TrainingFacts(**(values | changes))


def scoring_facts(**changes: Any) -> ScoringFacts:
    """Return the facts of a third weekly scoring."""
    previous = scored(380, seed=6)
    values: dict[str, Any] = {
        "name": "Demo company",
        "as_of": AS_OF,
        "scores": scored(),
        "model_version": "4",
        "criteria_version": "2",
        "previous": previous,
        "previous_as_of": AS_OF - 7 * DAY,
        "mql_probability": 0.28,
        "personas": tuple(
            PersonaSettings(
                name=name,
                when="true",
                pain_points=("too many tools", "no overview"),
                objections=("no budget before spring",),
            )
            for name in ("Business buyer", "nobody")
        ),
        "warnings": ("19 events were set aside: their time lies in the future.",),
        "details": (Named("Criteria digest", "77aa01c9e2b4d6f8"),),
    }
    return ScoringFacts(**(values | changes))


def weekly_frame(weeks: int = 40, seed: int = 3) -> pd.DataFrame:
    """Return weeks whose rate halves late; the last twelve are not mature."""
    rng = np.random.default_rng(seed)
    week = AS_OF - 7 * DAY * np.arange(weeks, 0, -1)
    leads = rng.integers(240, 340, weeks)
    truth = np.where(np.arange(weeks) < weeks - 18, 0.09, 0.045)
    won = rng.binomial(leads, truth)
    low, high = wilson_interval(won / leads, leads)
    frame = pd.DataFrame(
        {
            "week": week,
            "leads": leads,
            "expected": 0.088 + 0.004 * np.sin(np.arange(weeks) / 4),
            "observed": won / leads,
            "low": low,
            "high": high,
        }
    )
    frame.loc[weeks - 12 :, ["observed", "low", "high"]] = np.nan
    return frame


def monitoring(**changes: Any) -> Monitoring:
    """Return an alarm with two changes."""
    inputs = feature_frame()[["column", "sentence"]].assign(
        statistic="mean rank",
        reference=np.linspace(0.3, 4, 10),
        current=np.linspace(0.2, 4.4, 10),
        p_value=np.geomspace(1e-9, 0.9, 10),
        shifted=[True, True] + [False] * 8,
    )
    scores = scored(1500, seed=21)
    values: dict[str, Any] = {
        "alarm": True,
        "changes": (
            Change(
                kind="prior",
                since=AS_OF - 18 * 7 * DAY,
                columns=(),
                segment="industry = public sector",
                evidence="fewer conversions than expected: 61 expected, 33 came",
                act="recalibrate; if the cause is not known, look at volume and campaigns",
                strength=5.1,
                earliest=AS_OF - 20 * 7 * DAY,
                latest=AS_OF - 17 * 7 * DAY,
            ),
            Change(
                kind="covariate",
                since=None,
                columns=("webinar__count__30d", "icp__size"),
                segment=None,
                evidence="mean rank of webinars attended in the last 30 days: 0.3 before, 0.2 now",
                act="look at campaigns and sources",
                strength=4.0,
            ),
        ),
        "weekly": weekly_frame(),
        "inputs": inputs,
        "calibration": calibration_curve(
            outcomes_of(scores), 0.8 * scores["probability"].to_numpy()
        ),
        "warnings": ("only 12 accepted leads: too few to judge verdicts",),
        "checked": checked_estimates_frame(),
    }
    return Monitoring(**(values | changes))


def checked_estimates_frame() -> pd.DataFrame:
    """Return four looks' estimates: one held what came, two did not, the last is still open."""
    looks = [AS_OF - weeks * 7 * DAY for weeks in (40, 30, 20, 4)]
    ratio = pd.DataFrame(
        {
            "as_of": looks,
            "measure": "conversions as a share of those expected, young leads",
            "estimated": [0.98, 0.9, 1.02, 0.7],
            "low": [0.8, 0.75, 0.85, 0.55],
            "high": [1.2, 1.08, 1.22, 0.89],
            "came": [1.01, 0.72, 0.8, np.nan],
            "conversions": [80.0, 75.0, 90.0, np.nan],
            "held": [True, False, False, None],
        }
    )
    auc = ratio.assign(measure="ROC-AUC, young leads", estimated=0.81, low=0.7, high=0.9)
    auc["came"], auc["held"] = [0.8, 0.79, 0.78, np.nan], [True, True, True, None]
    return pd.concat([ratio, auc], ignore_index=True)


def flow() -> Flow:
    """Return a mail source whose events arrive later than they did, and times to two stages."""
    arrival = pd.DataFrame(
        {
            "source": ["mail", "web"],
            "events": [1200, 8000],
            "median_h": [30.0, 0.0],
            "slow_h": [120.0, 0.25],
            "late_share": [0.6, 0.0],
            "before_h": [2.0, 0.0],
            "slow_before_h": [20.0, 0.2],
            "ahead_share": [0.0, 0.0],
        }
    )
    times = pd.DataFrame(
        {
            "stage": ["mql", "mql", "customer"],
            "month": ["2026-04", "2026-05", "2026-05"],
            "leads": [120, 90, 11],
            "median_days": [12.0, 14.0, 63.0],
            "low_days": [8.0, 9.0, 50.0],
            "high_days": [20.0, 22.0, 80.0],
        }
    )
    return Flow(arrival, times)


def monitor_facts(**changes: Any) -> MonitorFacts:
    """Return the facts of an alarm."""
    values: dict[str, Any] = {
        "name": "Demo company",
        "as_of": AS_OF,
        "model_version": "4",
        "found": monitoring(),
        "flow": flow(),
        "champions": (
            Champion(AS_OF - 30 * 7 * DAY, "3"),
            Champion(AS_OF - 5 * 7 * DAY, "4"),
        ),
        "warnings": ("2 weeks have under 50 leads and are not judged alone.",),
        "details": (
            Named("Reference period", "2025-06-01 to 2026-03-01"),
            Named("Current period", "2026-05-04 to 2026-06-01"),
        ),
    }
    return MonitorFacts(**(values | changes))


def became() -> Became:
    """Return nine months of handovers, the last still open, and what followed the verdicts."""
    months = [f"2025-{month:02d}" for month in range(4, 13)]
    handed = np.array([40, 52, 61, 58, 70, 66, 81, 75, 60])
    funnel = pd.DataFrame(
        {
            "month": months,
            "handed_over": handed,
            "judged": handed - 6,
            "accepted": (handed * 0.55).round().astype(int),
            "sql": (handed * 0.3).round().astype(int),
            "customers": [6, 9, 9, 10, 12, 10, 9, 5, 1],
            "median_days": [3.0, 2.5, 2.0, 2.0, 2.5, 4.0, 3.0, 2.0, 1.0],
            "is_open": [False] * 7 + [True] * 2,
        }
    )
    table = pd.DataFrame(
        {
            "group": ["accepted", "rejected: no_budget", "rejected: none given"],
            "leads": [300, 71, 9],
            "known": [250, 60, 0],
            "conversions": [60, 3, 0],
            "rate": [0.24, 0.05, np.nan],
            "low": [0.19, 0.02, np.nan],
            "high": [0.30, 0.14, np.nan],
        }
    )
    return Became(funnel, Aftermath(table, ("L000017", "L000411")))


def reviewed(**changes: Any) -> Review:
    """Return a review in which sales dislikes two things the model likes."""
    rng = np.random.default_rng(5)
    scores = scored(700, seed=9)
    verdict = (rng.random(700) < 0.35 + 0.6 * scores["probability"]).astype(float)
    features = feature_frame()
    effect = np.array([-0.6, 0.7, -0.1, 0.3, 0.15, -0.45, 0.2, np.nan, 0.05, -0.1])
    spread = np.linspace(0.2, 0.5, 10)
    tiers = ["confirmed", "confirmed", *["none"] * 3, "indicated", *["none"] * 4]
    over, under, few = "model over-rates", "model under-rates", "too few verdicts"
    findings = pd.DataFrame(
        {
            "feature": [
                *features["column"][:5],
                "industry = public sector",
                *features["column"][6:],
            ],
            "asked": ["presence"] * 5 + ["level"] + ["presence"] * 4,
            "sentence": features["sentence"],
            "direction": "up",
            "share": features["importance"] / features["importance"].sum(),
            "effect": effect,
            "low": effect - spread,
            "high": effect + spread,
            "verdicts": np.linspace(600, 80, 10).round(),
            "p_value": 0.5,
            "tier": tiers,
            "class": [over, under, "agree", few, "agree", over, few, few, "agree", few],
        }
    )
    values: dict[str, Any] = {
        "accepted": int(verdict.sum()),
        "rejected": int(len(verdict) - verdict.sum()),
        "sentences": (
            "webinars: at equal score sales accepts fewer of these leads; model over-rates them",
        ),
        "findings": findings,
        "by_grade": rate_frame(scores["grade"], verdict),
        "by_rep": rate_frame(rng.choice(["rep-a1", "rep-b7", "rep-c3"], 700), verdict),
        "by_reason": pd.DataFrame(
            {"reason": ["not_now", "no_budget", "not_icp"], "verdicts": [90, 71, 55]}
        ),
        "warnings": ("12 verdicts are on leads that were never scored before",),
        "strictness": pd.DataFrame(
            {
                "group": ["rep-a1", "rep-b7", "rep-c3"],
                "strictness": [0.4, 0.1, -0.5],
                "low": [0.2, -0.1, -0.7],
                "high": [0.6, 0.3, -0.3],
            }
        ),
        "agreement": Agreement(40, 30, 0.45),
        "unseen": pd.DataFrame(
            {
                "reason": ["no_budget", "not_icp"],
                "verdicts": [71, 55],
                "share": [0.4, 0.31],
                "roc_auc": [0.52, 0.77],
                "low": [0.46, 0.72],
                "high": [0.58, 0.82],
                "class": ["no column tells", "columns tell"],
            }
        ),
        "terms": pd.DataFrame(
            {
                "term": ["budget frozen", "<b>"],
                "leads": [41, 9],
                "reps": [3, 3],
                "rejected": [40, 9],
                "accepted": [1, 0],
                "effect": [-1.2, np.nan],
                "low": [-1.9, np.nan],
                "high": [-0.5, np.nan],
                "roc_auc": [0.53, np.nan],
                "class": ["no column tells", "not compared: hardly a note on accepted leads"],
            }
        ),
        "became": became(),
    }
    return Review(**(values | changes))


def followed_up() -> FollowUp:
    """Return what became of three findings: one kept from sales, one open, one never counted."""
    about = ("level", "industry", -0.8, -1.2, -0.4, "confirmed", 300, 1000, AS_OF - 30 * DAY)
    fair = Earlier("industry = public sector", *about, "criteria", "no_public_sector", "x")
    visits = replace(fair, feature="pages", asked="amount", sentence="pages viewed", rule="")
    done = Done(
        ("criteria version 2 holds the rule from 2026-05-01 on, signed by both teams",), True
    )
    no_need = EarlierReason("no_need", 200, 450, 0.51, AS_OF - 30 * DAY)
    gone = Now(verdicts=2, judged=400)
    again = Now(-0.6, -1.0, -0.2, verdicts=400, judged=400)
    return FollowUp(
        LastReview(AS_OF - 30 * DAY, 550, 450, (fair, visits)),
        280,
        120,
        (
            Followed(fair, gone, done, "kept from sales"),
            Followed(visits, again, Done(), "still there"),
            Followed(visits, Now(judged=400), Done(), "too few verdicts yet"),
        ),
        (FollowedReason(no_need, 60, 120, 0.52, ("signal demo",), "still no column tells"),),
    )


def review_facts(**changes: Any) -> ReviewFacts:
    """Return the facts of a review."""
    values: dict[str, Any] = {
        "name": "Demo company",
        "as_of": AS_OF,
        "found": reviewed(),
        "details": (Named("Verdicts from", "2026-03-01 to 2026-06-01"),),
        "follow": followed_up(),
    }
    return ReviewFacts(**(values | changes))


def ingest_facts(**changes: Any) -> IngestFacts:
    """Return an ingest of three sources, of which the web's has fallen silent nine days ago."""
    last = AS_OF // DAY - 1
    rows = [("ga4", day, 400 + day % 7) for day in range(last - 200, last - 9)]
    rows += [
        ("sendgrid", day, 40) for day in range(last - 200, last + 1) if not 90 < last - day < 97
    ]
    rows += [("", last - 3, 1)]
    days = pd.DataFrame(rows, columns=["source", "day", "rows"])
    sources = days.groupby("source", as_index=False).agg(rows=("rows", "sum"), first=("day", "min"))
    sources = sources.assign(
        first=sources["first"] * DAY,
        last=(last - 1) * DAY,
        late=sources["rows"] // 10,
        delay_h=[0.0, 3.5, 80.0],
        ids=500,
        matched=410,
        leads=400,
    ).sort_values("rows", ascending=False, ignore_index=True)
    refused = pd.DataFrame(
        {
            "table": ["events", "leads"],
            "file": ["web/events.ndjson", "crm.csv"],
            "column": ["occurred_at", ""],
            "reason": ["occurred_at is not a time", "not a row"],
            "remedy": ["set 'time_format'", "repair the line in the source file"],
            "rows": [31, 2],
        }
    )
    values: dict[str, Any] = {
        "name": "Acme",
        "data_end": AS_OF,
        "last_day": last,
        "counts": (
            FileCount("web/events.ndjson", "events", 80_131, 80_000, 100, 31),
            FileCount("crm.csv", "leads", 500, 490, 0, 2, 8),
        ),
        "sources": sources,
        "days": days,
        "refused": refused,
        "silences": silences(days, last_day=last),
        "notes": (
            Note("events", "ga4", "type", "'scroll' is no canonical event type", 40),
            Note("leads", "crm.csv", "size", "NaN taken as missing", 3),
        ),
        "leads": 490,
        "leads_covered": 402,
        "details": (Named("Data", "abc123"),),
    }
    return IngestFacts(**(values | changes))


def preview_facts(**changes: Any) -> PreviewFacts:
    """Return a preview of a lower threshold on twelve weeks of a firm with three personas."""
    rng = np.random.default_rng(11)
    leads = 30 * 12
    points = pd.DataFrame(
        {
            "lead_id": [f"lead-{n:05d}" for n in range(leads)],
            "as_of": AS_OF - 90 * DAY + (np.arange(leads) // 30) * 7 * DAY,
        }
    )
    chance = rng.beta(1.2, 5.0, leads)
    points["label"] = (rng.random(leads) < chance).astype(float)
    segment = pd.Series(rng.choice(["top management", "engineers", "other"], leads), dtype="str")
    history = History(points, chance, pd.DataFrame(index=range(leads)), segment)
    old = Version(Criteria(version=1, thresholds=Thresholds(mql_probability=0.3)), 0.3)
    ranked = RankedList(most=8)
    new = Version(Criteria(version=2, thresholds=Thresholds(ranked=ranked)), 0.2)
    facts = PreviewFacts(
        name="Nordlicht Robotics",
        as_of=AS_OF,
        names=SideNames("version 1", "version 2"),
        found=preview(history, old, new, weeks=12),
        today=moved_today(history, old, new),
        changes=criteria_changes(old.criteria, new.criteria),
        told="past probabilities come from 5 models",
        capacity=8,
        details=[Named("In force", "version 1"), Named("Proposed", "version 2")],
    )
    return replace(facts, **changes)


def audit_facts(**changes: Any) -> AuditFacts:
    """Return an audit that stopped at one column and shows another."""
    by_value = View("share that converted, by value", ("demo", "missing"), (40, 300), (0.95, 0.02))
    filled = View("share that has a value", ("converted leads", "other leads"), (45, 295), (1, 0.4))
    findings = (
        Finding(
            "deal_value", "alone too good", "of 40 leads 95 % converted", "stop", view=by_value
        ),
        Finding("phone", "fill rate tells the outcome", "filled more often", "warn", view=filled),
        Finding("same", "constant", "the same in all 340 development rows", "warn", mend=""),
    )
    facts = AuditFacts("Nordlicht Robotics", AS_OF, findings, [Named("Data", "0123abcd")])
    return replace(facts, **changes)
