"""`mqlml plan suggest` on a small company: what it writes trains, and it never saw the test."""

from pathlib import Path

from tests.company import DATED_CONFIG, TEST_FROM, change_future, write_company

from mqlml.config import load_settings


def suggest(mqlml, config: Path, out: Path, *more: object):
    words = ("--config", config, "--out", out, "--workspace", out.parent / "w", "--json")
    return mqlml("plan", "suggest", *words, *more)


def test_what_is_suggested_trains_and_keeps_what_rules_read(mqlml, dated_company, tmp_path):
    out = tmp_path / "suggested.yaml"
    answer = suggest(mqlml, dated_company, out)
    assert answer.code == 0
    document = answer.document
    kept = {row["column"] for row in document["kept"]}
    assert set(document["kept_for_rules"]) == {
        "demo_request__count__7d",
        "demo_request__count__28d",
    }
    assert set(document["kept_for_rules"]) <= kept
    assert len(kept) + len(document["dropped"]) == document["candidates"]
    assert document["looked_at_until"] == f"{TEST_FROM}T00:00:00Z"
    assert min(s["log_loss"] for s in document["sets"]) < document["sets"][0]["log_loss"]
    settings = load_settings(out)
    assert settings.model_copy(update={"plan": None}) == load_settings(dated_company).model_copy(
        update={"plan": None}
    )
    shared = ("--data", dated_company.parent, "--workspace", tmp_path / "w", "--json")
    trained = mqlml("train", "--config", out, *shared)
    assert trained.code == 0
    assert trained.document["winner"] != "base_rate"


def test_the_test_block_is_never_looked_at(mqlml, dated_company, tmp_path):
    other = write_company(tmp_path / "other")
    other.write_text(DATED_CONFIG, encoding="utf-8")
    change_future(other.parent, TEST_FROM)
    one = suggest(mqlml, dated_company, tmp_path / "one" / "x.yaml").document
    two = suggest(mqlml, other, tmp_path / "two" / "x.yaml").document
    assert {k: v for k, v in one.items() if k != "config"} == {
        k: v for k, v in two.items() if k != "config"
    }
    texts = [(tmp_path / name / "x.yaml").read_text() for name in ("one", "two")]
    assert texts[0] == texts[1]


def test_without_signals_they_come_from_the_event_types(mqlml, dated_company, tmp_path):
    config = dated_company.parent / "bare.yaml"
    text = (
        DATED_CONFIG[: DATED_CONFIG.index("plan:")] + DATED_CONFIG[DATED_CONFIG.index("split:") :]
    )
    text = text[: text.index("  disqualifiers")] + "  thresholds: {mql_probability: 0.2}\n"
    config.write_text(text, encoding="utf-8")
    out = tmp_path / "x.yaml"
    words = ("--config", config, "--out", out, "--workspace", tmp_path / "w")
    answer = mqlml("plan", "suggest", *words)
    assert answer.code == 0
    assert "next: mqlml train --config" in answer.out
    assert set(load_settings(out).plan.signals) <= {"page_view", "demo_request"}
    assert load_settings(out).plan.features


def test_what_stands_before_the_command_reaches_it(mqlml, dated_company, tmp_path):
    before = ("--config", dated_company, "--workspace", tmp_path / "w")
    answer = mqlml(*before, "--json", "plan", "suggest", "--out", dated_company)
    assert answer.code == 2
    assert answer.document["faults"][0]["what"] == "the file exists"


def test_a_config_is_replaced_only_when_told(mqlml, dated_company):
    assert suggest(mqlml, dated_company, dated_company).code == 2
    assert dated_company.read_text(encoding="utf-8") == DATED_CONFIG
