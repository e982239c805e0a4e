"""X Education's Lead Quality and Tags, which sales wrote, held against a model that never saw them.

The table has no dates; lead numbers rise with creation, so every number is five minutes after
a day of our choice here.
"""

import re
from pathlib import Path

import pandas as pd
import pytest

from mqlml.cli.main import run

ROOT = Path(__file__).parents[2]
LEADS = ROOT.parent / "shared" / "data" / "x_education" / "Leads.csv"
START = pd.Timestamp("2020-01-01", tz="UTC")
VERDICTS = {
    "High in Relevance": "accepted",
    "Might be": "accepted",
    "Not Sure": "rejected",
    "Low in Relevance": "rejected",
    "Worst": "rejected",
}
REASONS = {
    "Interested in other courses": "no_need",
    "Not doing further education": "no_need",
    "Already a student": "not_icp",
    "Diploma holder (Not Eligible)": "not_icp",
    "Lost to EINS": "competitor",
    "Ringing": "unreachable",
    "switched off": "unreachable",
    "Busy": "not_now",
    "invalid number": "wrong_data",
    "wrong number given": "wrong_data",
}

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not LEADS.is_file(), reason=f"REAL DATA MISSING: {LEADS} is not there"),
]


@pytest.fixture
def config(tmp_path):
    """Write leads and verdicts with dates, and the table's own config pointing to them."""
    leads = pd.read_csv(LEADS)
    created = START + pd.to_timedelta(5 * leads["Lead Number"], unit="min")
    given = created + pd.Timedelta(seconds=1)
    verdicts = pd.DataFrame(
        {
            "lead_id": leads["Prospect ID"],
            "given_at": given.dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "verdict": leads["Lead Quality"].map(VERDICTS),
            "reason": leads["Tags"].map(REASONS),
        }
    ).dropna(subset=["verdict"])
    verdicts.loc[verdicts["verdict"] == "accepted", "reason"] = None
    verdicts.to_csv(tmp_path / "verdicts.csv", index=False)
    dated = leads.assign(created_at=created.dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    dated.drop(columns="Lead Number").to_csv(tmp_path / "Leads.csv", index=False)
    text = (ROOT / "configs" / "x_education.yaml").read_text()
    text = text.replace("x_education/Leads.csv", "Leads.csv")
    text = re.sub(r"    order: Lead Number.*\n", "", text)
    text = text.replace("Prospect ID\n", "Prospect ID\n      created_at: created_at\n", 1)
    names = ", ".join(f"{n}: {n}" for n in ("lead_id", "given_at", "verdict", "reason"))
    source = f"  verdicts: {{file: verdicts.csv, columns: {{{names}}}}}\n\ntarget:"
    text = text.replace("\ntarget:", source, 1)
    text += "\nmodel: {contestants: [base_rate, logistic]}\nsplit: {folds: 2}\n"
    path = tmp_path / "x.yaml"
    path.write_text(text)
    return path


def test_sales_rejects_students_beyond_their_score_and_the_review_says_so(config, tmp_path, capsys):
    words = ["--config", str(config), "--workspace", str(tmp_path / "w")]
    assert run(["train", *words]) == 0
    capsys.readouterr()
    assert run(["review", *words, "--drafts", str(tmp_path / "drafts")]) == 0
    told = capsys.readouterr().out
    # 4,473 leads have a quality; 829 of them were only not reached, or had wrong numbers.
    assert "verdicts are about records or timing, not quality: left out" in told
    assert "What is your current occupation = Student: at equal score sales accepts fewer" in told
    (draft,) = [p for p in (tmp_path / "drafts").iterdir() if "student" in p.name]
    assert "\"What is your current occupation\" = ''Student''" in draft.read_text()
