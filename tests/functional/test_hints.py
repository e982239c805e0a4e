"""Hints of `mqlml why`: what would have led to another outcome, told to people and programs."""

import json
import re
from pathlib import Path

import pandas as pd
from tests.company import CONFIG

DAYS = ("--from", "2025-11-18", "--to", "2025-11-20")
# Of the leads of the small company, one just below where an MQL begins.
LEAD = "L1005"


def test_why_tells_which_few_events_more_would_have_led_to_another_outcome(
    company, workspace, mqlml
):
    place = ("--config", company, "--workspace", workspace)
    answer = mqlml("why", LEAD, *place, *DAYS, "--json")
    document = json.loads(answer.out)
    (hint,) = document["hints"]
    assert document["to"]["outcome"] == "warm"
    assert (hint["signal"], hint["count"], hint["outcome"]) == ("pricing", 1, "mql")
    assert hint["probability"] >= document["to"]["mql_probability"] > document["to"]["probability"]
    said = document["to"]
    assert 0 < said["score_low"] < said["score"] < said["score_high"] < 100
    lines = mqlml("why", LEAD, *place, *DAYS).out.splitlines()
    assert lines[-1] == f"hint: {hint['sentence']}"
    assert hint["sentence"].startswith("pricing page views: one more would be an MQL (")


def test_the_page_of_scores_names_warm_leads_nearly_mqls_and_agrees_with_why(
    company, workspace, mqlml
):
    place = ("--config", company, "--workspace", workspace)
    scored = mqlml("score", *place, "--as-of", DAYS[3], "--json").document
    page = Path(scored["report"]).read_text(encoding="utf-8")
    (hint,) = json.loads(mqlml("why", LEAD, *place, *DAYS, "--json").out)["hints"]
    _, _, nearly = page.partition('<h2 id="nearly">')
    nearly, _, _ = nearly.partition("</section>")
    assert LEAD in nearly
    assert f"Hint: {hint['sentence']}" in nearly
    # Hints are no part of the scores: given again, these are the same.
    assert "hint" not in "".join(pd.read_parquet(scored["path"]).columns)


def test_a_ranked_list_is_entered_above_its_last_and_left_below_the_first_without_a_place(
    company, workspace, tmp_path, mqlml
):
    config = tmp_path / "ranked.yaml"
    text = CONFIG.replace("capacity_per_week: 15,", "ranked: {most: 4, hand_raisers_count: false},")
    config.write_text(text, encoding="utf-8")
    place = ("--config", config, "--data", company.parent, "--workspace", workspace)
    scored = mqlml("score", *place, "--as-of", DAYS[3], "--json").document
    scores = pd.read_parquet(scored["path"])
    page = Path(scored["report"]).read_text(encoding="utf-8")
    hints = re.findall(r"Hint: .* (more|fewer) would be (.+?) \(([\d.]+) %\)", page)
    ranked = scores[scores["because"].str.startswith("ranked")]
    last = ranked.loc[ranked["outcome"] == "mql", "probability"].min()
    first_left = ranked.loc[ranked["outcome"] != "mql", "probability"].max()
    assert hints
    for way, outcome, percent in hints:
        chance = float(percent) / 100
        if way == "more":
            assert outcome == "an MQL"
            assert chance > last - 0.0005
        else:
            assert outcome in ("warm", "cold")
            assert chance < first_left + 0.0005
