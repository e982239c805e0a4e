"""The demo on a smaller company, and the notebooks that open its workspace."""

import json
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from mqlml.cli.main import run

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory):
    """Return a folder in which the demo has run, its workspace at `.mqlml`."""
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        words = ["demo", "--leads", "5000", "--workspace", ".mqlml", "--json"]
        with (folder / "answer.json").open("w") as out:
            patch.setattr("sys.stdout", out)
            code = run(words)
    assert code == 0
    return folder


def test_the_demo_walks_the_whole_loop(demo_folder):
    answer = json.loads((demo_folder / "answer.json").read_text())
    assert answer["first_model"] == "1"
    assert len(answer["hottest"]) == 10
    assert all(lead["grade"] and lead["reasons_up"] for lead in answer["hottest"])
    assert len(answer["reports"]) == 5
    assert all((demo_folder / page).is_file() for page in answer["reports"])
    assert (demo_folder / answer["mlflow"]).is_file()
    program, *words = answer["ui"].split()
    assert shutil.which(program), "the command that is shown can be started"
    assert words == ["ui", "--config", ".mqlml/demo/demo_v2.yaml", "--workspace", ".mqlml"]


def test_each_config_the_demo_wrote_runs_the_plain_commands(demo_folder, mqlml, monkeypatch):
    monkeypatch.chdir(demo_folder)
    words = ("--config", ".mqlml/demo/demo_v2.yaml", "--data", ".mqlml/demo/exports")
    answer = mqlml("runs", "--config", ".mqlml/demo/demo.yaml", "--json")
    assert answer.code == 0, answer.err
    runs = answer.document
    assert [run["kind"] for run in runs][:2] == ["train", "monitor"]
    assert mqlml("score", *words, "--json").document["rows"] > 0


def test_the_demo_refuses_a_workspace_of_other_work(mqlml, workspace):
    answer = mqlml("demo", "--workspace", workspace)
    assert answer.code == 5
    assert "in use by other work" in answer.err


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom_and_defines_nothing(path, demo_folder):
    notebook = nbformat.read(path, as_version=4)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert "def " not in code
    assert "class " not in code
    assert all(not cell.get("outputs") for cell in notebook.cells)
    # A hang must end some day; how long a busy machine takes says nothing.
    NotebookClient(
        notebook,
        timeout=1800,
        startup_timeout=600,
        resources={"metadata": {"path": demo_folder}},
    ).execute()
