"""From a rep's verdicts to criteria both teams signed, and to the review that tells the effect."""

import csv
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from tests.browser import chromium_path, tab
from tests.serving_browser import shown, sign_in
from tests.serving_site import Clock, outside, served

from mqlml.storage.ledger import read_entries
from mqlml.workflows.project import open_project

pytestmark = pytest.mark.skipif(
    chromium_path() is None,
    reason="NO CHROMIUM on this machine: the way of a verdict is not walked in a browser",
)
SCORED, JUDGED, FROM, SCORED_AGAIN, END = (
    *("2025-12-08", "2025-12-09", "2025-12-10", "2025-12-15"),
    "2026-02-01",
)


@pytest.fixture
def firm(company, workspace, tmp_path):
    """Return a config whose verdicts all come by the page, and who judges at which moment."""
    folder = tmp_path / "firm"
    shutil.copytree(company.parent, folder)
    (folder / "verdicts.csv").write_text("lead,at,verdict,reason,rep\n", encoding="utf-8")
    return folder / "config.yaml"


def write_verdicts(folder, path, *, start, end, seed, skip=()):
    """Write verdicts given fifteen days after a lead came: sales hardly wants software."""
    draw = np.random.default_rng(seed)
    leads = pd.read_csv(folder / "leads.csv")
    rows = []
    for lead, created, industry in zip(leads.id, leads.created, leads.industry, strict=True):
        at = datetime.fromisoformat(created) + timedelta(days=15)
        if not start <= f"{at:%Y-%m-%d}" < end or industry in skip:
            continue
        good = draw.random() < (0.15 if industry == "Software" else 0.65)
        said = ("accepted", "") if good else ("rejected", "no_need")
        handed = f"{at - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
        rows.append((lead, handed, f"{at:%Y-%m-%dT%H:%M:%SZ}", f"rep{len(rows) % 2}", *said))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("lead_id", "handed_over_at", "given_at", "who", "verdict", "reason"))
        writer.writerows(rows)
    return len(rows)


def test_verdicts_become_signed_criteria_and_the_next_review_tells_what_they_did(
    mqlml, firm, workspace, tmp_path, monkeypatch
):
    shared = ("--config", firm, "--workspace", workspace)
    clock = Clock()
    fixed = outside(clock)
    monkeypatch.setattr("mqlml.cli.review._outside", lambda: fixed)

    def run(*words):
        answer = mqlml(*words, "--json")
        assert answer.code == 0, answer.err
        return answer.document

    # A rep judges ten leads of today's list with nothing but a keyboard.
    run("score", *shared, "--as-of", SCORED)
    project = open_project(firm, workspace=workspace)
    clock.now = project.instant(JUDGED)
    with tab(tmp_path / "profile") as browser, served(project, clock) as page:
        sign_in(page, browser, "Ann")
        browser.type("j")
        browser.type_and_wait("\n")
        for key in "aa44a4a4a4":
            browser.type_and_wait(key)
            assert "Saved: L" in shown(browser)
        (count,) = page.rows("SELECT count(*) FROM review_standing")[0]
        assert count == 10

        # What the others said comes as a file; marketing opens the review.
        for rep in ("rep0", "rep1"):
            run("review", "invite", rep, *shared, "--who", rep)
        given = write_verdicts(
            firm.parent, tmp_path / "a.csv", start="2025-01-01", end=JUDGED, seed=1
        )
        assert run("review", "import", tmp_path / "a.csv", *shared)["added"] == given
        drafts = tmp_path / "drafts"
        first = run("review", *shared, "--to", FROM, "--drafts", drafts)
        browser.open(Path(first["report"]))
        told = "Industry = software: at equal score sales accepts fewer of these leads"
        assert told in shown(browser)
        assert "Findings of last time" not in shown(browser)
        assert browser.complaints() == []
        assert first["followed"] == []

        # The confirmed finding is drafted, previewed, dated and signed by both teams.
        (draft,) = map(Path, first["written"])
        before = yaml.safe_load(firm.read_text(encoding="utf-8"))["criteria"]
        assert yaml.safe_load(draft.read_text(encoding="utf-8"))["version"] == 2
        second = firm.parent / "criteria_v2.yaml"
        second.write_text(f"valid_from: {FROM}\n{draft.read_text(encoding='utf-8')}")
        (firm.parent / "criteria_v1.yaml").write_text(yaml.safe_dump(before), encoding="utf-8")
        preview = run("criteria", "preview", second, *shared, "--as-of", SCORED)
        # Rules look at what people wrote, "Software", where the model reads "software".
        rule = f"disqualifier '{draft.stem}' was added: \"industry\" = 'Software'"
        assert rule in preview["changes"]
        assert preview["enters"]["leads"] == 0
        assert preview["new"]["leads"] + preview["leaves"]["leads"] == preview["old"]["leads"]
        for team in ("marketing", "sales"):
            words = ("criteria", "sign", second, "--team", team, "--who", team)
            signed = run(*words, "--date", JUDGED)
        assert signed["agreement"] == "signed"
        config = yaml.safe_load(firm.read_text(encoding="utf-8"))
        config["criteria"] = ["criteria_v1.yaml", "criteria_v2.yaml"]
        firm.write_text(yaml.safe_dump(config), encoding="utf-8")

        # From the day on the leads are disqualified.
        document = run("score", *shared, "--as-of", SCORED_AGAIN)
        assert document["criteria"]["version"] == 2
        scores = pd.read_parquet(document["path"])
        leads = pd.read_csv(firm.parent / "leads.csv").set_index("id")
        industry = leads["industry"].reindex(scores["lead_id"]).to_numpy()
        is_software = industry == "Software"
        assert is_software.sum() > 10
        assert set(scores.loc[is_software, "outcome"]) == {"disqualified"}
        assert (scores.loc[~is_software, "outcome"] == "mql").any()

        # What sales says from then on is about the others; the next review tells so.
        clock.now = project.instant(END)
        write_verdicts(
            firm.parent, tmp_path / "b.csv", start=FROM, end=END, seed=2, skip=("Software",)
        )
        assert run("review", "import", tmp_path / "b.csv", *shared)["added"] > 50
        later = run("review", *shared, "--from", FROM, "--to", END)
        (followed,) = later["followed"]
        assert followed["feature"] == "industry = software"
        assert followed["state"] == "kept from sales"
        assert followed["done"] == [
            f"criteria version 2 holds the rule from {FROM} on, signed by both teams"
        ]
        assert followed["then"]["high"] < -1
        assert followed["now"]["verdicts"] == 0
        # Reviewed once more it reads the review before, not itself.
        again = mqlml("review", *shared, "--from", FROM, "--to", END)
        assert f"last time: {followed['says']}" in again.out
        kept = [e.payload for e in read_entries(workspace / "ledger", kind="review")]
        assert [len(one["findings"]) for one in kept] == [1, 0, 0]
        assert kept[0]["findings"][0]["draft"] == "criteria"
        assert [one["left_open"] for one in kept] == [[], [], []]  # it is settled
        browser.open(Path(later["report"]))
        words = shown(browser)
        assert "Findings of last time, and what became of them" in words
        assert "The review up to 2025-12-10: sales accepted" in words
        assert "% of the verdicts were on such leads then, 0 % are now" in words
        assert browser.complaints() == []
