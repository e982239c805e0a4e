"""Faulty configs and command lines: every fault at once, with its line and its exit code."""

from tests.flat_table import FLAT, refused, train


def test_all_faults_of_a_config_come_with_their_lines(mqlml, flat):
    config, _ = flat
    config.write_text(FLAT.replace("name:", "nam:").replace("model:", "modle:"), encoding="utf-8")
    assert refused(
        train(mqlml, config), 3, "flat.yaml:1", "did you mean 'name'", "did you mean 'model'"
    )


def test_rules_over_unknown_columns_are_all_refused_before_anything_is_learnt(
    mqlml, flat, monkeypatch
):
    config, _ = flat
    rules = (
        "criteria: {version: 1, disqualifiers: [{name: tiny, when: siz = 0, says: tiny}]}\n"
        "personas: [{name: big, when: sise = 1}]\n"
    )
    config.write_text(FLAT + rules, encoding="utf-8")
    monkeypatch.setattr("mqlml.workflows.learning.run_tournament", None)
    answer = train(mqlml, config)
    assert refused(answer, 3, "criteria.disqualifiers.tiny", "personas.big", "did you mean 'size'")


def test_a_missing_config_and_unknown_options_are_named(mqlml, tmp_path):
    assert refused(mqlml("train", "--config", tmp_path / "no.yaml"), 3, "no such file")
    assert mqlml("train").code == 2
    assert mqlml("trian").code == 2
    assert mqlml("--help").code == 0


def test_a_json_caller_gets_the_faults_as_a_document(mqlml, tmp_path):
    answer = mqlml("train", "--config", tmp_path / "no.yaml", "--json")
    assert answer.document["exit_code"] == answer.code == 3
    assert answer.document["faults"][0]["what"] == "no such file"


def test_naive_times_without_a_zone_are_refused(mqlml, flat):
    config, _ = flat
    config.write_text(FLAT.replace("timezone: UTC\n", ""), encoding="utf-8")
    assert refused(train(mqlml, config), 3, "timezone")


def test_a_secret_that_is_not_set_is_named_before_anything_is_written(
    mqlml, company, workspace, monkeypatch
):
    text = company.read_text(encoding="utf-8") + "scoring: {postgres_url_env: OUR_URL}\n"
    other = company.parent / "pg.yaml"
    other.write_text(text, encoding="utf-8")
    monkeypatch.delenv("OUR_URL", raising=False)
    words = ("score", "--config", other, "--workspace", workspace)
    assert refused(mqlml(*words), 3, "OUR_URL")
    assert not [path for path in (workspace / "scores").rglob("*") if path.is_file()]
