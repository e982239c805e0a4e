"""Personas as segments: told by the columns that models get, as people spell their values."""

from pathlib import Path

import pandas as pd
from tests.company import CONFIG
from tests.flat_table import refused

SEGMENTS = "  segments: {personas: true, min_leads: 50, min_conversions: 10, min_months: 1}\n"
BY_PERSONA = CONFIG.replace("model:\n", f"model:\n{SEGMENTS}")
CHIEFS = "{name: top management, when: \"title__seniority = 'c_level'\"}"


def trained(mqlml, company, folder, persona):
    config = folder / "config.yaml"
    config.write_text(BY_PERSONA.replace(CHIEFS, persona), encoding="utf-8")
    words = ("--data", company.parent, "--workspace", folder / "w", "--as-of", "2025-12-01")
    return mqlml("train", "--config", config, *words, "--json")


def test_personas_are_segments_whose_rules_may_name_values_as_people_wrote_them(
    mqlml, company, tmp_path
):
    # The column holds "steel", people wrote "Steel".
    makers = "{name: makers, when: \"industry = 'Steel'\"}"
    answer = trained(mqlml, company, tmp_path, makers)
    assert answer.code == 0, answer.err
    found = {one["segment"]: one for one in answer.document["segments"]}
    assert set(found) == {"makers", "other"}
    # Were they told by the column alone, nobody would be of the makers.
    assert found["makers"]["leads"] > 100
    assert all(one["scored_by"] for one in found.values())


def test_a_persona_that_models_cannot_tell_is_no_segment(mqlml, company, tmp_path):
    chiefs = "{name: chiefs, when: \"title = 'CEO'\"}"
    answer = trained(mqlml, company, tmp_path, chiefs)
    assert refused(answer, 3, "models do not get what tells a persona", "title__seniority")


def test_an_edited_persona_names_leads_anew_and_the_scores_say_so(
    mqlml, company, workspace, tmp_path
):
    config = tmp_path / "config.yaml"
    shared = ("--config", config, "--data", company.parent, "--workspace", workspace)
    words = CHIEFS.replace("}", ", prefers: [case studies]}")
    config.write_text(CONFIG.replace(CHIEFS, words), encoding="utf-8")
    same = mqlml("score", *shared, "--as-of", "2025-12-01", "--json").document
    assert same["persona_changes"] == []
    edited = CHIEFS.replace("= 'c_level'", "IN ('c_level', 'vp')")
    new = "  - {name: makers, when: \"industry = 'Steel'\"}\n"
    config.write_text(CONFIG.replace(CHIEFS, edited) + new, encoding="utf-8")
    answer = mqlml("score", *shared, "--as-of", "2025-12-01", "--json").document
    changed = "the rule of the persona 'top management' changed since the model was trained"
    assert answer["persona_changes"][:2] == [
        "the persona 'makers' is new since the model was trained",
        changed,
    ]
    assert "by the rules of now" in answer["persona_changes"][2]
    assert answer["criteria"]["digest"] == same["criteria"]["digest"]
    assert changed[1:20] in Path(answer["report"]).read_text("utf-8")
    before, after = (pd.read_parquet(one["path"]).set_index("lead_id") for one in (same, answer))
    assert set(after["persona"]) == {"top management", "makers", "other"}
    assert before["probability"].equals(after["probability"])
