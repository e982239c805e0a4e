"""The README's commands run as they stand, and every command has help and a page."""

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
import typer
from tests.company import write_company

from mqlml.cli.main import app, run

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]
NAMES = sorted(typer.main.get_command(app).commands)


@pytest.mark.parametrize("line", [c for c in COMMANDS if c.startswith("make ")])
def test_a_make_command_has_its_target(line):
    assert f"\n{line.split()[1]}: " in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_commands_for_your_own_data_run_in_their_order(tmp_path, monkeypatch, capsys):
    write_company(tmp_path)
    leads = pd.read_csv(tmp_path / "leads.csv", dtype="str")
    leads.drop(columns="deal_value").to_csv(tmp_path / "leads.csv", index=False)
    monkeypatch.chdir(tmp_path)
    lines = [line for line in COMMANDS if line.startswith("mqlml ")]
    assert [line.split()[1] for line in lines] == ["init", "train", "score"]
    for line in lines:
        assert run(shlex.split(line)[1:]) == 0, capsys.readouterr()


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_and_stands_in_the_readme(name, capsys):
    assert f"`mqlml {name}`" in README
    assert run([name, "--help"]) == 0
    assert "Usage" in capsys.readouterr().out


def test_every_page_that_the_readme_links_exists():
    for link in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / link).exists(), link
