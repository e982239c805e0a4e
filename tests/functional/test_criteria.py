"""A change of the criteria as two teams walk it: compared, signed, edited, refused."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from tests.company import CONFIG
from tests.page_checks import faults_of

HEAD, _, REST = CONFIG.partition("criteria:\n")
INLINE, _, PERSONAS = REST.partition("personas:\n")
# What stood indented in the config stands at the left margin of a file of its own.
CRITERIA = "# agreed in spring\n" + "".join(f"{line[2:]}\n" for line in INLINE.splitlines())


@pytest.fixture
def agreed(tmp_path, company, workspace):
    """Write the company's criteria into a file of their own; return it and the shared options."""
    file = tmp_path / "criteria.yaml"
    file.write_text(CRITERIA, encoding="utf-8")
    config = tmp_path / "config.yaml"
    text = f"{HEAD}criteria: criteria.yaml\npersonas:\n{PERSONAS}"
    config.write_text(text, encoding="utf-8")
    shared = ("--config", config, "--data", company.parent, "--workspace", workspace)
    return file, (*shared, "--as-of", "2025-12-01")


def sign(mqlml, file, team):
    words = ("criteria", "sign", file, "--team", team, "--who", "A B", "--date", "2025-11-20")
    answer = mqlml(*words, "--json")
    assert answer.code == 0, answer.err
    return answer.document


def test_a_draft_scores_and_says_that_nobody_has_signed(mqlml, agreed):
    _, shared = agreed
    answer = mqlml("score", *shared, "--json")
    assert answer.code == 0
    assert answer.document["criteria"]["agreement"] == "draft"
    assert "version 1 of the criteria is a draft: neither team has signed it" in answer.err


def test_signed_by_both_it_scores_and_edited_it_does_not_until_signed_again(mqlml, agreed):
    file, shared = agreed
    first = sign(mqlml, file, "marketing")
    assert (first["agreement"], len(first["missing"])) == ("waiting", 1)
    assert mqlml("score", *shared).code == 3
    assert sign(mqlml, file, "sales")["agreement"] == "signed"
    answer = mqlml("score", *shared, "--json")
    assert (answer.code, answer.document["criteria"]["agreement"]) == (0, "signed")
    assert "draft" not in answer.err
    assert file.read_text(encoding="utf-8").startswith(CRITERIA)

    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("capacity_per_week: 15", "capacity_per_week: 16"))
    refused = mqlml("score", *shared, "--json")
    assert refused.code == 3
    whats = [fault["what"] for fault in refused.document["faults"]]
    assert whats[:2] == [
        "version 1 of the criteria is not signed by marketing",
        "version 1 of the criteria is not signed by sales",
    ]
    sign(mqlml, file, "marketing")
    sign(mqlml, file, "sales")
    assert mqlml("score", *shared).code == 0


def test_an_edit_of_words_around_the_content_unsigns_nothing(mqlml, agreed):
    file, shared = agreed
    sign(mqlml, file, "marketing")
    sign(mqlml, file, "sales")
    file.write_text("# read by all\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    assert mqlml("score", *shared).code == 0


def test_an_unsigned_edit_scores_by_flag_and_the_ledger_keeps_that(mqlml, agreed, workspace):
    file, shared = agreed
    sign(mqlml, file, "sales")
    answer = mqlml("score", *shared, "--allow-unsigned", "--json")
    assert answer.code == 0
    assert answer.document["criteria"]["agreement"] == "waiting"
    assert "is not signed as it is; scored all the same, and recorded" in answer.err
    entries = [json.loads(p.read_text()) for p in (workspace / "ledger").glob("*-score-*.json")]
    (terms,) = [entry["payload"]["terms"] for entry in entries]
    assert [signature["team"] for signature in terms["criteria"]["signed"]] == ["sales"]


def test_signing_waits_for_a_day_and_a_name(mqlml, agreed):
    file, _ = agreed
    before = file.read_bytes()
    words = ("criteria", "sign", file, "--team", "sales", "--who", " ", "--date", "soon")
    answer = mqlml(*words, "--json")
    assert answer.code == 2
    assert [f["where"] for f in answer.document["faults"]] == ["--who", "--date"]
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\nsigned: [sales]\n",
        "version: 1\nthresholds: {capacity_per_week: -1}\n",
        "{version: 1}\n",
        "? version\n: 1\n...\n",
    ],
)
def test_a_file_that_cannot_bear_a_signature_stays_as_it_was(mqlml, tmp_path, text):
    file = tmp_path / "odd.yaml"
    file.write_text(text, encoding="utf-8")
    answer = mqlml(
        "criteria", "sign", file, "--team", "sales", "--who", "S", "--date", "2026-01-01"
    )
    assert answer.code == 3
    assert file.read_text(encoding="utf-8") == text


def test_a_byte_order_mark_and_windows_line_ends_survive_signing(mqlml, tmp_path):
    file = tmp_path / "windows.yaml"
    file.write_bytes("\ufeffversion: 1\r\nnote: ü\r\n".encode())
    assert sign(mqlml, file, "sales")["version"] == 1
    content = file.read_bytes().decode()
    assert content.startswith("\ufeffversion: 1\r\nnote: ü\r\nsigned:\r\n  - {team: sales")
    assert content.count("\n") == content.count("\r\n")


def test_diff_says_in_words_what_changed(mqlml, agreed, tmp_path):
    file, _ = agreed
    other = tmp_path / "other.yaml"
    other.write_text(CRITERIA.replace("capacity_per_week: 15", "capacity_per_week: 20"))
    lines = mqlml("criteria", "diff", file, other).out.splitlines()
    assert lines[0] == "capacity of sales per week 15 became 20"
    assert lines[1].startswith("both call themselves version 1")
    assert mqlml("criteria", "diff", file, file).out == "both say the same\n"
    document = mqlml("criteria", "diff", file, other, "--json").document
    assert document["changes"] == [lines[0]]
    assert document["old"]["digest"] != document["new"]["digest"]


@pytest.fixture
def two_versions(agreed, tmp_path):
    """Let the config list two versions, the second from November 2025 on."""
    _, shared = agreed
    newer = yaml.safe_load(CRITERIA) | {"version": 2, "valid_from": "2025-11-01"}
    (tmp_path / "criteria_v2.yaml").write_text(yaml.safe_dump(newer), encoding="utf-8")
    config = shared[1]
    text = config.read_text(encoding="utf-8")
    text = text.replace("criteria: criteria.yaml", "criteria: [criteria.yaml, criteria_v2.yaml]")
    config.write_text(text, encoding="utf-8")
    return shared[:-1]


@pytest.mark.parametrize(("day", "version"), [("2025-10-31", 1), ("2025-11-01", 2)])
def test_the_version_of_the_day_decides(mqlml, two_versions, day, version):
    answer = mqlml("score", *two_versions, day, "--json")
    assert answer.code == 0, answer.err
    assert answer.document["criteria"]["version"] == version
    scores = pd.read_parquet(answer.document["path"])
    assert set(scores["criteria_version"]) == {version}


def test_two_versions_from_one_day_are_refused(mqlml, two_versions, tmp_path):
    newer = yaml.safe_load(CRITERIA) | {"version": 2}
    (tmp_path / "criteria_v2.yaml").write_text(yaml.safe_dump(newer), encoding="utf-8")
    answer = mqlml("score", *two_versions, "2025-12-01")
    assert answer.code == 3
    assert "two active versions: versions 1 and 2" in answer.err


def test_criteria_that_are_not_valid_yet_score_nobody(mqlml, agreed):
    file, shared = agreed
    file.write_text("valid_from: 2026-01-01\n" + CRITERIA, encoding="utf-8")
    answer = mqlml("score", *shared)
    assert answer.code == 3
    assert "version 1 is valid from 2026-01-01" in answer.err


def test_a_preview_replays_a_change_on_the_past_and_on_today(mqlml, agreed, tmp_path):
    _, shared = agreed
    other = tmp_path / "open.yaml"
    lines = [line for line in CRITERIA.splitlines() if not line.startswith("icp_gate")]
    other.write_text("\n".join(lines).replace("version: 1", "version: 2") + "\n", encoding="utf-8")
    answer = mqlml("criteria", "preview", other, *shared, "--weeks", 12, "--json")
    assert answer.code == 0, answer.err
    document = answer.document
    assert document["changes"] == ["version 1 became 2", "ICP gate 'industry' was removed"]
    assert len(document["by_week"]) == 12
    for side in ("old", "new"):
        told = document[side]
        assert told["leads"] == sum(week[side] for week in document["by_week"])
        assert told["low"] <= told["precision"] <= told["high"]
    enters, leaves = document["enters"], document["leaves"]
    assert len(enters["lead_ids"]) == enters["leads"] > 0
    assert document["new"]["leads"] - document["old"]["leads"] == enters["leads"] - leaves["leads"]
    assert {row["before"] for row in document["today"]}.isdisjoint({"disqualified"})
    # Four folds at most and the test, each scored by a model from before it.
    assert document["probabilities"]["past"] == "unseen"
    assert 3 <= document["probabilities"]["models"] <= 5
    page = Path(document["report"]).read_text(encoding="utf-8")
    assert faults_of(page) == []
    assert enters["lead_ids"][0] in page
    shown = mqlml("criteria", "preview", other, *shared, "--weeks", 12)
    assert "ICP gate 'industry' was removed" in shown.out
    assert "would enter:" in shown.out


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        ("industry IN ('Steel', 'Software')", "nobody passes the ICP gate"),
        ("title__seniority = 'intern'", "the rule holds for everybody"),
    ],
)
def test_a_preview_refuses_rules_that_can_decide_nothing(mqlml, agreed, tmp_path, edit, what):
    _, shared = agreed
    other = tmp_path / "odd.yaml"
    never = "industry = 'Steele'" if "ICP" in what else "industry IS NOT NULL OR true"
    other.write_text(CRITERIA.replace(edit, never), encoding="utf-8")
    answer = mqlml("criteria", "preview", other, *shared)
    assert answer.code == 3
    assert what in answer.err


@pytest.mark.parametrize(("when", "word"), [("1 = 2", "nobody"), ("1 = 1", "everybody")])
def test_a_preview_refuses_a_persona_for_nobody_or_everybody(mqlml, agreed, when, word):
    file, shared = agreed
    config = shared[1]
    text = config.read_text(encoding="utf-8").replace(
        "title__seniority = 'c_level'\"}\n", when + '"}\n'
    )
    config.write_text(text, encoding="utf-8")
    answer = mqlml("criteria", "preview", file, *shared)
    assert f"the persona matches {word}" in answer.err


def test_history_is_restated_under_a_version(mqlml, two_versions):
    answer = mqlml("criteria", "history", *two_versions, "2025-12-01", "--json")
    assert answer.code == 0, answer.err
    document = answer.document
    assert (document["in_force"], [v["version"] for v in document["versions"]]) == (2, [1, 2])
    assert {row["version"] for row in document["restated"]} == {0, 1, 2}
    alone = mqlml("criteria", "history", *two_versions, "2025-12-01", "--under", 1)
    assert "under version 1: " in alone.out
    assert "under version 2" not in alone.out
    assert mqlml("criteria", "history", *two_versions, "2025-12-01", "--under", 9).code == 2


def threshold_by(mqlml, agreed, thresholds):
    file, shared = agreed
    old = "{capacity_per_week: 15, mql_probability: 0.02}"
    file.write_text(CRITERIA.replace(old, f"{{{thresholds}}}"), encoding="utf-8")
    return mqlml("score", *shared, "--json")


def test_a_floor_that_too_few_conversions_stand_behind_is_refused_with_their_number(mqlml, agreed):
    answer = threshold_by(mqlml, agreed, "precision_floor: 0.3")
    (fault,) = answer.document["faults"]
    assert fault["what"] == "too few conversions to promise a precision"
    assert fault["found"].endswith(" leads converted in the test, 30 needed")


def test_worth_its_cost_a_lead_is_an_mql(mqlml, agreed):
    answer = threshold_by(mqlml, agreed, "cost_per_lead: 50, value_per_conversion: 200")
    assert answer.document["mql_probability"] == 0.25


def test_cost_and_value_belong_together(mqlml, agreed):
    answer = threshold_by(mqlml, agreed, "cost_per_lead: 20")
    (fault,) = answer.document["faults"]
    assert (answer.code, fault["found"]) == (3, "value_per_conversion is missing")
    answer = threshold_by(mqlml, agreed, "cost_per_lead: 20, value_per_conversion: 20")
    (fault,) = answer.document["faults"]
    assert fault["what"] == "a lead costs as much as a conversion is worth"


def test_a_change_is_walked_from_diff_to_a_trend_that_compares(mqlml, agreed, tmp_path):
    file, shared = agreed
    config, newer = shared[1], tmp_path / "criteria_v2.yaml"
    text = CRITERIA.replace("version: 1", "version: 2\nvalid_from: 2025-11-03")
    newer.write_text(text.replace("capacity_per_week: 15", "ranked: {most: 8}"), encoding="utf-8")
    for team in ("marketing", "sales"):
        sign(mqlml, file, team)

    changes = mqlml("criteria", "diff", file, newer, "--json").document["changes"]
    assert changes[:2] == ["version 1 became 2", "valid from none became 2025-11-03"]
    previewed = mqlml("criteria", "preview", newer, *shared, "--weeks", 8, "--json").document
    assert previewed["changes"] == changes
    assert Path(previewed["report"]).is_file()

    lines = config.read_text(encoding="utf-8")
    both = lines.replace("criteria: criteria.yaml", "criteria: [criteria.yaml, criteria_v2.yaml]")
    config.write_text(both, encoding="utf-8")
    dated = shared[:-1]
    # The first day of the new version waits for both teams; the day before does not.
    assert mqlml("score", *dated, "2025-11-02").code == 0
    assert (
        mqlml("score", *dated, "2025-11-03", "--json").document["criteria"]["agreement"] == "draft"
    )
    sign(mqlml, newer, "marketing")
    assert mqlml("score", *dated, "2025-11-03").code == 3
    sign(mqlml, newer, "sales")
    first = mqlml("score", *dated, "2025-11-03", "--json").document
    assert (first["criteria"]["version"], first["criteria"]["agreement"]) == (2, "signed")
    assert first["ranked"]["start"] == "2025-11-03T00:00:00Z"

    history = mqlml("criteria", "history", *dated, "2025-12-01", "--json").document
    told = pd.DataFrame(history["restated"]).set_index(["period", "version"])["leads"].unstack()
    before = told[told.index < "2025-10-01"]
    assert len(before) > 2
    assert (before[0] == before[1]).all()
    assert (before[1] != before[2]).any()
