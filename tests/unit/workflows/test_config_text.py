from pathlib import Path

import pytest

from mqlml.config import read_yaml
from mqlml.errors import UsageError
from mqlml.workflows.config_text import config_with_plan, refuse_existing

CONFIG = """\
name: x
# about the plan
plan:
  features:
    - {kinds: [count]}  # all of them
  # an afterthought

# --- the model
model: {drop: [a]}
criteria: rules.yaml  # the agreement
"""
PLAN = {
    "signals": {"visit": {"where": "type = 'a: b' AND x <> '#'", "says": "visits"}},
    "features": [{"kinds": ["count"], "signals": ["visit"], "windows_days": [7, "ever"]}],
    "stages": ["mql"],
}


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_only_the_plan_is_replaced_and_remarks_stay(tmp_path: Path) -> None:
    config = write(tmp_path, CONFIG)
    text = config_with_plan(config, tmp_path / "new.yaml", PLAN)
    head, rest = text.split("# Proposed and pruned")
    assert head == "name: x\n# about the plan\n"
    assert rest.endswith(
        "  # an afterthought\n\n# --- the model\nmodel: {drop: [a]}\n"
        "criteria: rules.yaml  # the agreement\n"
    )
    again = read_yaml(write(tmp_path / "b", text)).values
    assert again["plan"]["signals"] == PLAN["signals"]
    assert again["plan"]["features"][0]["windows_days"] == ["7", "ever"]


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_config_without_a_plan_gets_one_at_its_end(tmp_path: Path, end: str) -> None:
    config = write(tmp_path, f"name: x{end}")
    text = config_with_plan(config, tmp_path / "new.yaml", PLAN)
    assert text.startswith("name: x\n\n# Proposed")
    assert read_yaml(write(tmp_path / "b", text)).values["plan"]["stages"] == ["mql"]


def test_a_plan_of_nothing_is_an_empty_section(tmp_path: Path) -> None:
    text = config_with_plan(write(tmp_path, "name: x\n"), tmp_path / "new.yaml", {})
    assert read_yaml(write(tmp_path / "b", text)).values["plan"] == {}


def test_the_criteria_are_found_from_another_folder(tmp_path: Path) -> None:
    config = write(tmp_path / "here", CONFIG)
    text = config_with_plan(config, tmp_path / "there" / "new.yaml", PLAN)
    assert "criteria: ../here/rules.yaml  # the agreement\n" in text


def test_a_file_is_replaced_only_when_told(tmp_path: Path) -> None:
    config = write(tmp_path, CONFIG)
    with pytest.raises(UsageError, match="the file exists"):
        refuse_existing(config, replaces=False)
    refuse_existing(config, replaces=True)
    refuse_existing(tmp_path / "new.yaml", replaces=False)
