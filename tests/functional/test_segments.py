"""Personas as segments: told by the columns that models get, as people spell their values."""

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
