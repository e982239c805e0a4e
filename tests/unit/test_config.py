from pathlib import Path

import pytest

from mqlml.config import load_criteria, load_settings, settings_digest
from mqlml.errors import ConfigError

ROOT = Path(__file__).parents[2]
LEAST = """\
name: ours
sources:
  leads:
    file: leads.csv
    order: file
    columns: {lead_id: id}
    outcome: {column: won, positive: [yes], negative: [no]}
target: {stage: outcome}
"""


def write(folder, text, name="our.yaml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def faults_of(path, load=load_settings):
    with pytest.raises(ConfigError) as caught:
        load(path)
    return caught.value.faults


@pytest.mark.parametrize(
    "path",
    [p for p in sorted((ROOT / "configs").glob("*.yaml")) if "criteria" not in p.name],
    ids=lambda p: p.stem,
)
def test_every_config_of_the_repository_loads(path):
    assert load_settings(path).name


def test_yes_and_no_stay_the_words_that_were_written(tmp_path):
    outcome = load_settings(write(tmp_path, LEAST)).sources.leads[0].outcome
    assert outcome.positive == ("yes",)
    assert outcome.negative == ("no",)


def test_one_mapping_may_stand_where_a_list_of_files_may(tmp_path):
    listed = LEAST.replace("    file:", "  - file:").replace("\n    ", "\n    ")
    assert load_settings(write(tmp_path, LEAST)) == load_settings(write(tmp_path, listed))


def test_all_faults_are_named_at_once_with_line_and_nearest_name(tmp_path):
    text = LEAST.replace("    file:", "    fil:").replace("name: ours", "name: a/b")
    path = write(tmp_path, text + "point: {rule: weekly}\nsplit: {folds: many}\n")
    found = {fault.where: fault for fault in faults_of(path)}
    assert set(found) == {
        f"{path}:1: name",
        f"{path}:4: sources.leads.0.fil",
        f"{path}:9: point",
        f"{path}:10: split.folds",
    }
    assert found[f"{path}:4: sources.leads.0.fil"].mend == "did you mean 'file'?"
    assert found[f"{path}:9: point"].mend == "did you mean 'points'?"
    assert found[f"{path}:10: split.folds"].found == "'many'"


def test_a_wrong_choice_names_the_nearest_valid_one(tmp_path):
    (fault,) = faults_of(write(tmp_path, LEAST + "points: {rule: weekli}\n"))
    assert fault.what == "not a valid choice"
    assert fault.mend == "did you mean 'weekly'?"


def test_a_missing_setting_says_what_to_add(tmp_path):
    (fault,) = faults_of(write(tmp_path, LEAST.replace("target: {stage: outcome}\n", "")))
    assert (fault.what, fault.mend) == ("setting is missing", "add 'target:'")


def test_leads_need_exactly_one_clock(tmp_path):
    path = write(tmp_path, LEAST.replace("{lead_id: id}", "{lead_id: id, created_at: c}"))
    (fault,) = faults_of(path)
    assert fault.what == "give exactly one of 'order' and columns.created_at"


def test_a_setting_that_stands_twice_is_refused(tmp_path):
    (fault,) = faults_of(write(tmp_path, LEAST + "name: again\n"))
    assert fault.what == "this setting stands twice"
    assert fault.found == "also on line 1"


def test_broken_yaml_names_its_line(tmp_path):
    path = write(tmp_path, "name: ours\nsources: [unclosed\ntarget: x\n")
    (fault,) = faults_of(path)
    assert fault.what == "not valid YAML"
    assert fault.where == f"{path}:3"


def test_a_file_that_is_not_a_mapping_is_refused(tmp_path):
    (fault,) = faults_of(write(tmp_path, "- a\n- b\n"))
    assert fault.what == "not a mapping of settings"


def test_a_missing_file_is_named(tmp_path):
    (fault,) = faults_of(tmp_path / "none.yaml")
    assert fault.what == "no such file"


def test_a_file_in_another_encoding_is_named(tmp_path):
    path = tmp_path / "our.yaml"
    path.write_bytes("name: ours".encode("utf-16"))
    (fault,) = faults_of(path)
    assert fault.what == "cannot be read"


def test_an_empty_file_lacks_its_settings(tmp_path):
    whats = {fault.what for fault in faults_of(write(tmp_path, ""))}
    assert "setting is missing" in whats


def test_criteria_may_stand_in_a_file_beside_the_config(tmp_path):
    write(tmp_path, "version: 3\nowners: [us]\n", "criteria.yaml")
    settings = load_settings(write(tmp_path, LEAST + "criteria: criteria.yaml\n"))
    assert settings.criteria.version == 3


def test_faults_of_config_and_criteria_come_together(tmp_path):
    write(tmp_path, "version: three\n", "criteria.yaml")
    path = write(tmp_path, LEAST.replace("name: ours", "nam: ours") + "criteria: criteria.yaml\n")
    wheres = {fault.where for fault in faults_of(path)}
    assert f"{tmp_path / 'criteria.yaml'}:1: version" in wheres
    assert f"{path}:1: nam" in wheres


def test_criteria_alone_can_be_read(tmp_path):
    assert load_criteria(write(tmp_path, "version: 2\n")).version == 2
    (fault,) = faults_of(write(tmp_path, "versio: 2\nversion: 1\n"), load_criteria)
    assert fault.mend == "did you mean 'version'?"


def test_equal_settings_have_equal_digests(tmp_path):
    one = load_settings(write(tmp_path, LEAST))
    other = load_settings(write(tmp_path, LEAST + "split: {folds: 5}\n"))
    assert settings_digest(one) == settings_digest(one)
    assert settings_digest(one) != settings_digest(other)


def test_names_zones_and_stages_are_faults_of_the_file_with_their_lines(tmp_path):
    text = LEAST.replace("{lead_id: id}", "{leadid: id}").replace("outcome}", "custmer}")
    path = write(tmp_path, text.replace("positive:", "postive:") + "timezone: Europe/Berln\n")
    found = {fault.where: fault.mend for fault in faults_of(path)}
    assert found[f"{path}:6: sources.leads.0.columns"] == "did you mean 'lead_id'?"
    assert found[f"{path}:7: sources.leads.0.outcome.postive"] == "did you mean 'positive'?"
    assert found[f"{path}:8: target.stage"] == "did you mean 'customer'?"
    assert found[f"{path}:9: timezone"] == "did you mean 'Europe/Berlin'?"


def test_settings_that_contradict_each_other_are_faults_of_the_file(tmp_path):
    dated = LEAST.replace("    order: file\n", "").replace("{lead_id", "{created_at: at, lead_id")
    path = write(tmp_path, dated.replace("stage: outcome", "stage: sql"))
    assert [f.where for f in faults_of(path)] == [f"{path}:7: target.horizon_days"]
    path = write(tmp_path, LEAST.replace("stage: outcome", "stage: outcome, horizon_days: 9"))
    (fault,) = faults_of(path)
    assert fault.what == "days cannot be counted on an order column"


@pytest.mark.parametrize(
    ("old", "new", "mend"),
    [
        ("target: {stage: outcome}", "target: soon", "name: value"),
        ("[yes]", "yes", "write a list"),
        ("target:", "split: {folds: many}\ntarget:", "give a whole number"),
        ("target:", "points: {after_days: soon}\ntarget:", "give a number"),
    ],
)
def test_a_value_of_the_wrong_kind_says_what_to_give(tmp_path, old, new, mend):
    (fault,) = faults_of(write(tmp_path, LEAST.replace(old, new)))
    assert mend in fault.mend


def test_a_folder_is_no_config(tmp_path):
    (fault,) = faults_of(tmp_path)
    assert fault.what == "cannot be read"
    assert fault.mend == "give the path of a file that you may read"


def test_faults_of_a_criteria_file_that_only_its_content_shows_have_their_lines(tmp_path):
    (tmp_path / "agreed.yaml").write_text(
        "version: 1\nvalid_from: soon\nthresholds:\n  warm_share_of_mql: 0.4\n", encoding="utf-8"
    )
    with pytest.raises(ConfigError) as caught:
        load_criteria(tmp_path / "agreed.yaml")
    places = [fault.where.rsplit("/", 1)[-1] for fault in caught.value.faults]
    assert places == ["agreed.yaml:3: thresholds", "agreed.yaml:2: valid_from"]


PEOPLE = """\
  identity: {max_leads_per_alias: 2, plus_tags: together, free_mail: [own.example]}
  robots: {rules: [crawler], own_ips: [10.0.0.0/8]}
  consent: {column: objected, refused: [yes]}
target: {stage"""


def test_identity_robots_and_consent_are_blocks_of_the_sources(tmp_path):
    text = LEAST.replace("target: {stage", PEOPLE)
    sources = load_settings(write(tmp_path, text)).sources
    assert sources.identity.max_leads_per_alias == 2
    assert sources.robots.rules == ("crawler",)
    assert sources.consent[0].refused == ("yes",)


def test_a_network_that_is_none_and_a_rule_that_is_none_are_named(tmp_path):
    text = LEAST.replace("target: {stage", PEOPLE).replace("10.0.0.0/8", "office")
    (fault,) = faults_of(write(tmp_path, text))
    assert (fault.where, fault.found) == (
        f"{tmp_path / 'our.yaml'}:9: sources.robots.own_ips",
        "office",
    )
    text = LEAST.replace("target: {stage", PEOPLE).replace("[crawler]", "[crawlr]")
    (fault,) = faults_of(write(tmp_path, text))
    assert "crawler" in fault.mend
