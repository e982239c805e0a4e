"""A fallback instead of a model that the gates refused: marked, modest, and left again."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from tests.company import CONFIG
from tests.flat_table import FLAT, train

from mqlml.cli.main import run

STRICT = CONFIG.replace("min_conversions: 20", "min_conversions: 9000")
DAY = "2025-12-01"


def options(company, folder, text):
    config = folder / "config.yaml"
    config.write_text(text, encoding="utf-8")
    return ("--config", config, "--data", company.parent, "--workspace", folder / "w")


def falling_back(rung, text=STRICT):
    return text.replace("model:\n", f"model:\n  fallback: {rung}\n")


@pytest.fixture(scope="module")
def by_points(company, tmp_path_factory):
    """Return the options of a workspace whose champion is points rules as a fallback."""
    folder = tmp_path_factory.mktemp("points")
    words = ("train", *options(company, folder, falling_back("points_rules")), "--as-of", DAY)
    assert run([str(word) for word in words]) == 0
    return folder


@pytest.fixture
def points(company, by_points, tmp_path):
    """Return the options of a copy of that workspace."""
    shutil.copytree(by_points / "w", tmp_path / "w")
    return options(company, tmp_path, falling_back("points_rules"))


def test_points_rules_score_as_a_fallback_and_every_place_says_so(mqlml, points):
    answer = mqlml("score", *points, "--as-of", DAY, "--json").document
    assert answer["model"] == {"name": "small", "version": "1", "fallback": "points_rules"}
    scores = pd.read_parquet(answer["path"])
    mqls = scores[scores["outcome"] == "mql"]
    assert len(mqls)
    assert mqls["because"].str.endswith("(by points rules, no learnt model)").all()
    page = Path(answer["report"]).read_text(encoding="utf-8")
    assert "No learnt model has passed the gates" in page
    assert "FALLBACK" in mqlml("score", *points, "--as-of", DAY).out


def test_a_fallback_stays_while_gates_are_not_passed_and_goes_when_they_are(
    mqlml, company, points, tmp_path
):
    later = ("--as-of", "2026-01-20", "--reason", "manual", "--json")
    kept = mqlml("retrain", *points, *later).document
    assert (kept["promoted"], kept["champion"]["version"]) == (False, "1")
    assert "did not pass conversions" in kept["decision"]
    passing = options(company, tmp_path, falling_back("points_rules", CONFIG))
    left = mqlml("retrain", *passing, *later).document
    assert left["promoted"]
    assert left["decision"].endswith("the champion is a fallback (points rules)")
    scored = mqlml("score", *passing, "--as-of", "2026-01-20", "--json").document
    assert scored["model"]["fallback"] is None


RAISED = """\
criteria:
  version: 1
  hand_raisers: [{name: asked, when: 'size = 1'}]
  thresholds: {mql_probability: 0.02}
"""


def test_the_base_rate_makes_nobody_an_mql_though_it_lies_above_the_threshold(mqlml, flat):
    config, _ = flat
    text = f"{FLAT}{RAISED}".replace("conversions: 20", "conversions: 999")
    config.write_text(text.replace("model: {", "model: {fallback: base_rate, "), encoding="utf-8")
    trained = train(mqlml, config, "--json").document
    assert (trained["published"], trained["fallback"]) == (True, "base_rate")
    assert "it does not tell the leads apart" in Path(trained["report"]).read_text("utf-8")
    words = ("--config", config, "--workspace", config.parent / "w")
    answer = mqlml("score", *words, "--json").document
    scores = pd.read_parquet(answer["path"])
    # Four in ten convert, and 2 % would make an MQL.
    assert scores["probability"].nunique() == 1
    assert scores["probability"][0] == pytest.approx(0.4, abs=0.1)
    assert dict(scores["outcome"].value_counts()) == {"cold": 300, "hand_raiser": 300}
    assert "No lead can be an MQL" not in Path(answer["report"]).read_text("utf-8")


def test_a_champion_that_passed_its_gates_is_not_replaced_by_a_fallback(mqlml, flat):
    config, _ = flat
    assert train(mqlml, config).code == 0
    text = FLAT.replace("conversions: 20", "conversions: 999")
    config.write_text(text.replace("model: {", "model: {fallback: base_rate, "), encoding="utf-8")
    answer = train(mqlml, config, "--json")
    assert answer.code == 9
    assert (answer.document["published"], answer.document["fallback"]) == (False, None)
    words = ("--config", config, "--workspace", config.parent / "w")
    scored = mqlml("score", *words, "--json").document
    assert scored["model"] == {"name": "flat", "version": "1", "fallback": None}


def test_a_fallback_to_rules_that_are_not_there_is_refused(mqlml, flat):
    config, _ = flat
    text = config.read_text("utf-8")
    config.write_text(text.replace("model: {", "model: {fallback: points_rules, "))
    answer = mqlml("train", "--config", config, "--workspace", config.parent / "w")
    assert answer.code == 3
    assert "a fallback to points rules without rules" in answer.err
