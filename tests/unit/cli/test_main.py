"""The command line itself: where options may stand, usage faults, what --help says."""

import json

import pytest
import typer

from mqlml.cli.main import app, run


def leaves(commands, before=""):
    """Return every command by its words: those of a group stand for the group."""
    for name, command in commands.items():
        inner = getattr(command, "commands", None)
        if inner is None:
            yield f"{before}{name}", command
        else:
            yield from leaves(inner, f"{before}{name} ")


COMMANDS = dict(leaves(typer.main.get_group(app).commands))


def called(capsys, *words):
    code = run([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_takes_config_workspace_and_json(name):
    options = {o for p in COMMANDS[name].params for o in p.opts}
    assert {"--config", "--workspace", "--json"} <= options


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_help_text_has_no_brackets_which_would_be_taken_as_markup(name):
    assert not [p.help for p in COMMANDS[name].params if "[" in (getattr(p, "help", "") or "")]


def test_shared_options_may_stand_before_the_command(capsys, tmp_path):
    missing = tmp_path / "no.yaml"
    assert called(capsys, "train", "--config", missing, "--json") == called(
        capsys, "--config", missing, "--json", "train"
    )
    _, out, _ = called(capsys, "--workspace", tmp_path / "w", "doctor")
    assert f"{tmp_path / 'w'} is not there yet" in out


def test_an_option_after_the_command_wins_over_one_before_it(capsys, tmp_path):
    words = ("--workspace", tmp_path / "a", "doctor", "--workspace", tmp_path / "b")
    _, out, _ = called(capsys, *words)
    assert f"{tmp_path / 'b'} is not there yet" in out


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["train"], "--config"),
        (["trian"], "Did you mean 'train'"),
        (["train", "--confg", "x"], "--confg"),
        (["train", "--config", "x", "--seed", "-1"], "--seed"),
        (["train", "--config", "x", "--seed", str(2**31)], "--seed"),
        (["retrain", "--config", "x", "--reason", "boredom"], "boredom"),
        (["ui", "--config", "x", "--port", "0"], "--port"),
        (["score", "--config", "x", "--model", "best"], "--model"),
    ],
)
def test_a_usage_fault_is_code_2_with_the_four_parts_and_one_document(words, found, capsys):
    code, out, err = called(capsys, *words, "--json")
    document = json.loads(out)
    assert (code, document["exit_code"], document["error"]) == (2, 2, "UsageError")
    assert found in document["faults"][0]["what"]
    assert found in err
    assert "--help" in document["faults"][0]["mend"]


def test_no_command_is_a_usage_fault_that_names_the_help(capsys):
    code, out, err = called(capsys, "--json")
    assert (code, json.loads(out)["faults"][0]["what"]) == (2, "no command given")
    assert "mqlml --help" in err


def test_the_version_is_said(capsys):
    code, out, _ = called(capsys, "--version")
    assert code == 0
    assert out.startswith("mqlml ")


def test_doctor_needs_no_config(capsys, tmp_path):
    code, out, _ = called(capsys, "doctor", "--workspace", tmp_path / "w", "--json")
    document = json.loads(out)
    assert (code, document["sound"]) == (0, True)
    assert {"Python", "duckdb", "workspace"} <= {check["name"] for check in document["checks"]}


def test_a_demo_with_a_faulty_config_begins_nothing(capsys, tmp_path):
    (tmp_path / "my.yaml").write_text("nmae: x\n", encoding="utf-8")
    words = ("demo", "--config", tmp_path / "my.yaml", "--workspace", tmp_path / "w")
    code, _, err = called(capsys, *words)
    assert code == 3
    assert "did you mean 'name'" in err
    assert not (tmp_path / "w").exists()


def test_init_writes_paths_that_start_at_the_data_folder(capsys, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "leads.csv").write_text("lead_id,won\na,yes\nb,no\n", encoding="utf-8")
    config = tmp_path / "configs" / "my.yaml"
    words = ("init", data / "leads.csv", "--out", config, "--data", data, "--workspace", "w")
    code, out, _ = called(capsys, *words)
    assert code == 0
    assert "file: leads.csv\n" in config.read_text(encoding="utf-8")
    assert f"next: mqlml train --config {config} --data {data} --workspace w" in out
