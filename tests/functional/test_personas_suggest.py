"""`mqlml personas suggest` on a small company: the planted buyers, never the test, a config."""

from pathlib import Path

from tests.company import DATED_CONFIG, TEST_FROM, change_future, write_company

from mqlml.config import load_settings


def suggest(mqlml, config: Path, workspace: Path, *more: object):
    words = ("--config", config, "--workspace", workspace, "--json")
    return mqlml("personas", "suggest", *words, *more)


def test_chiefs_are_found_to_buy_and_the_config_that_is_written_is_read(
    mqlml, dated_company, tmp_path
):
    out = tmp_path / "with_personas.yaml"
    answer = suggest(mqlml, dated_company, tmp_path / "w", "--out", out)
    assert answer.code == 0
    document = answer.document
    best, *others = document["personas"]
    # Chiefs alone are of the management, so both say the same.
    assert best["when"] in {"title__seniority = 'c_level'", "title__function = 'management'"}
    assert all(best["rate"] > other["rate"] for other in others)
    assert best["low"] < best["rate"] < best["high"]
    assert sum(one["leads"] for one in document["personas"]) == document["leads"]
    assert document["looked_at_until"] == f"{TEST_FROM}T00:00:00Z"
    settings, before = load_settings(out), load_settings(dated_company)
    assert [p.when for p in settings.personas] == [p["when"] for p in document["personas"]]
    assert settings.model_copy(update={"personas": ()}) == before.model_copy(
        update={"personas": ()}
    )


def test_what_happens_from_the_test_on_changes_nothing(mqlml, dated_company, tmp_path):
    other = write_company(tmp_path / "other")
    other.write_text(DATED_CONFIG, encoding="utf-8")
    change_future(other.parent, TEST_FROM)
    as_it_was = suggest(mqlml, dated_company, tmp_path / "w").document
    assert suggest(mqlml, other, tmp_path / "o").document["personas"] == as_it_was["personas"]


def test_as_many_groups_as_asked_for_are_told_with_their_section(mqlml, dated_company, tmp_path):
    words = ("--config", dated_company, "--workspace", tmp_path / "w", "--groups", "4")
    answer = mqlml("personas", "suggest", *words)
    assert answer.code == 0
    assert answer.out.count("  - name: ") == 4
    assert "4: " in answer.out


def test_an_existing_config_is_not_replaced(mqlml, dated_company, tmp_path):
    out = tmp_path / "mine.yaml"
    out.write_text("mine", encoding="utf-8")
    assert suggest(mqlml, dated_company, tmp_path / "w", "--out", out).code == 2
    assert out.read_text(encoding="utf-8") == "mine"


def test_where_nothing_is_counted_converting_alone_tells_groups_apart(
    mqlml, dated_company, tmp_path
):
    config = dated_company.parent / "bare.yaml"
    lines = DATED_CONFIG.splitlines(keepends=True)
    config.write_text("".join(line for line in lines if "kinds: [count]" not in line))
    document = suggest(mqlml, config, tmp_path / "w").document
    assert document["personas"][0]["when"].startswith("title__")
    assert all(one["habits"] == [] for one in document["personas"])


def test_leads_without_attributes_cannot_be_told_apart(mqlml, dated_company, tmp_path):
    config = dated_company.parent / "nameless.yaml"
    told = "{ignore: [deal_value, title, industry]}"
    text = DATED_CONFIG.replace("{outcome_side: [deal_value]}", told)
    start, stop = text.index("  icp:"), text.index("model:")
    text = text[:start] + text[stop:]
    start, stop = text.index("  icp_gate:"), text.index("  hand_raisers:")
    text = text[:start] + text[stop:]
    text = text[: text.index("personas:")]
    text = "".join(line for line in text.splitlines(keepends=True) if "title__" not in line)
    config.write_text(text, encoding="utf-8")
    answer = suggest(mqlml, config, tmp_path / "w")
    assert answer.code == 3
    assert answer.document["faults"][0]["what"] == "no attribute to tell leads by"
