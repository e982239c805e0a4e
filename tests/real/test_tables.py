"""Five public tables trained forward in time by their configs, and one without any signal.

The bars are figures that others' defaults reached on the same last parts of the tables.
"""

from pathlib import Path

import pytest
from tests.company import Answer

from mqlml.cli.main import run

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
# table: least ROC-AUC, most log loss
BARS = {
    "x_education": (0.887, 0.402),
    "olist_funnel": (0.686, 0.302),
    "bank_marketing": (0.738, 0.575),
    "online_shoppers": (0.672, 0.500),
    "bpic2012_loan_funnel": (0.813, 0.500),
}
NO_SIGNAL = """\
name: crm_maven
timezone: UTC
sources:
  leads:
    file: crm_maven_opportunities/sales_pipeline.csv
    columns: {lead_id: opportunity_id, created_at: engage_date}
    outcome: {column: deal_stage, positive: [Won], negative: [Lost], open: [Engaging, Prospecting]}
    attributes: {outcome_side: [close_value, close_date]}
target: {stage: outcome}
"""

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"REAL DATA MISSING: {DATA} is not there"),
]


@pytest.fixture
def train(tmp_path, capsys):
    """Train a config on the real data in this process."""

    def call(config):
        words = ["train", "--config", str(config), "--data", str(DATA), "--json"]
        code = run([*words, "--workspace", str(tmp_path / "w")])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


@pytest.mark.parametrize("name", BARS)
def test_a_table_is_predicted_forward_at_least_as_well_as_by_defaults(name, train):
    answer = train(ROOT / "configs" / f"{name}.yaml")
    assert answer.code == 0, answer.err
    least_roc_auc, most_log_loss = BARS[name]
    test = answer.document["test"]
    assert test["roc_auc"] >= least_roc_auc
    assert test["log_loss"] <= most_log_loss
    assert test["log_loss"] < answer.document["constant"]["log_loss"]


def test_a_table_without_signal_is_not_published(train, tmp_path):
    config = tmp_path / "crm.yaml"
    config.write_text(NO_SIGNAL, encoding="utf-8")
    answer = train(config)
    assert answer.code == 9, answer.err
    assert answer.document["published"] is False
    failed = {gate["name"] for gate in answer.document["gates"] if not gate["passed"]}
    assert "roc_auc_low" in failed


def test_undeclared_outcome_side_columns_stop_the_command(train, tmp_path):
    text = (ROOT / "configs" / "x_education.yaml").read_text(encoding="utf-8")
    start = text.index("      outcome_side:")
    stop = text.index("      # What the person did")
    config = tmp_path / "undeclared.yaml"
    config.write_text(text[:start] + text[stop:], encoding="utf-8")
    answer = train(config)
    assert answer.code == 6
    named = [name for name in ("Tags", "Lead Quality", "Lead Profile", "Last Activity",
             "Last Notable Activity", "Asymmetrique Activity Index",
             "Asymmetrique Profile Index", "Asymmetrique Activity Score",
             "Asymmetrique Profile Score") if f"column '{name}'" in answer.err]  # fmt: skip
    assert {"Tags", "Lead Quality"} <= set(named)
    assert len(named) >= 6
    assert "Lead Source" not in answer.err
