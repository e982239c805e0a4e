"""A small company on disk, and the command line called in the test's own process."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

CONFIG = """\
name: small
timezone: UTC
sources:
  leads:
    file: leads.csv
    columns: {lead_id: id, created_at: created}
    attributes: {outcome_side: [deal_value]}
  events:
    file: events.csv
    columns: {lead_id: lead, occurred_at: at, type: type, page: page}
  stages:
    file: stages.csv
    columns: {lead_id: lead, stage: stage, entered_at: at}
  verdicts:
    file: verdicts.csv
    columns: {lead_id: lead, given_at: at, verdict: verdict, reason: reason, who: rep}
target: {stage: customer, horizon_days: 21}
points: {rule: weekly, after_days: 7, until_days: 28}
plan:
  signals:
    demo_request: {where: "type = 'demo_request'", says: demo requests}
    pricing: {where: "type = 'page_view' AND page = '/pricing'", says: pricing page views}
  features:
    - {kinds: [count], signals: [any, demo_request, pricing], windows_days: [7, 28]}
    - {kinds: [days_since_last], signals: [any, pricing]}
  icp: {title: title, industry: industry, industries: [steel, software], seniorities: [c_level, vp]}
model:
  contestants: [base_rate, points_rules, logistic]
  points_rules:
    - {when: "demo_request__count__28d > 0", points: 20}
    - {when: "title__seniority = 'c_level'", points: 10}
split: {folds: 3}
gates: {min_leads: 100, min_conversions: 20, min_test_conversions: 5}
criteria:
  version: 1
  owners: [marketing, sales]
  icp_gate: [{name: industry, when: "industry IN ('Steel', 'Software')", says: steel or software}]
  disqualifiers: [{name: student, when: "title__seniority = 'intern'", says: a student}]
  hand_raisers: [{name: demo, when: "demo_request__count__7d > 0", says: asked for a demo}]
  thresholds: {capacity_per_week: 15, mql_probability: 0.02}
personas:
  - {name: top management, when: "title__seniority = 'c_level'"}
"""
# A test that begins on a known day, for commands that may look at nothing from then on.
TEST_FROM = "2025-10-15"
DATED_CONFIG = CONFIG.replace("split: {folds: 3}", f"split: {{folds: 3, test_from: {TEST_FROM}}}")
_DAY = np.timedelta64(1, "D")


def write_company(folder: Path, *, leads: int = 1200, seed: int = 5) -> Path:
    """Write leads, events, stages, verdicts and `config.yaml` into `folder`; return the config.

    Chiefs in steel and software who look at prices and ask for demos buy; a year
    of leads, conversions some ten days after a point, verdicts by two reps.
    """
    draw = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    start = np.datetime64("2025-01-01T00:00:00")
    created = start + np.sort(draw.integers(0, 365 * 24 * 60, leads)).astype("timedelta64[m]")
    title = draw.choice(["CEO", "VP Sales", "Engineer", "Working student"], leads)
    industry = draw.choice(["Steel", "Software", "Retail"], leads)
    fit = (title == "CEO") * 1.8 + (industry != "Retail") * 1.2
    interest = draw.normal(size=leads)
    views = draw.poisson(np.exp(0.8 + 0.5 * interest))
    asks = draw.random(leads) < 1 / (1 + np.exp(3 - interest))
    chance = 1 / (1 + np.exp(4.0 - fit - 1.3 * interest - 1.5 * asks))
    wins = draw.random(leads) < chance
    rows = {
        "leads.csv": [["id", "created", "title", "industry", "deal_value"]],
        "events.csv": [["lead", "at", "type", "page"]],
        "stages.csv": [["lead", "stage", "at"]],
        "verdicts.csv": [["lead", "at", "verdict", "reason", "rep"]],
    }
    for i in range(leads):
        lead = f"L{i:04d}"
        value = "900" if wins[i] else ""
        rows["leads.csv"].append([lead, f"{created[i]}", title[i], industry[i], value])
        for _ in range(int(views[i])):
            at = created[i] + draw.integers(0, 25 * 24 * 60).astype("timedelta64[m]")
            page = "/pricing" if draw.random() < 0.3 + 0.1 * interest[i] else "/home"
            rows["events.csv"].append([lead, f"{at}", "page_view", page])
        if asks[i]:
            at = created[i] + draw.integers(1, 20 * 24 * 60).astype("timedelta64[m]")
            rows["events.csv"].append([lead, f"{at}", "demo_request", ""])
        if wins[i]:
            at = created[i] + (8 + draw.integers(0, 30)) * _DAY
            rows["stages.csv"].append([lead, "customer", f"{at}"])
        if i % 3 == 0:
            good = draw.random() < 1 / (1 + np.exp(0.5 - fit[i]))
            reason = "" if good else draw.choice(["not_icp", "no_budget", "unreachable"])
            at = created[i] + 15 * _DAY
            verdict = "accepted" if good else "rejected"
            rows["verdicts.csv"].append([lead, f"{at}", verdict, reason, f"rep{i % 2}"])
    for name, lines in rows.items():
        text = "\n".join(",".join(map(str, line)) for line in lines) + "\n"
        (folder / name).write_text(text, encoding="utf-8")
    config = folder / "config.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    return config


@dataclass(frozen=True)
class Answer:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Return the one JSON document on stdout."""
        return json.loads(self.out)


def change_future(folder: Path, day: str) -> None:
    """Let every other change of stage from `day` on be undone, and all that people then did be new.

    The company of `write_company` otherwise stays: who looks at nothing from that day on
    sees no difference.
    """
    with (folder / "stages.csv").open() as file:
        header, *stages = csv.reader(file)
    later = [row for row in stages if row[2] >= day]
    stages = [row for row in stages if row not in later[::2]]
    with (folder / "events.csv").open() as file:
        names, *events = csv.reader(file)
    events = [row if row[1] < day else [*row[:2], "secret", ""] for row in events]
    for name, rows in (("stages.csv", [header, *stages]), ("events.csv", [names, *events])):
        with (folder / name).open("w", newline="") as file:
            csv.writer(file).writerows(rows)
