"""A trained workspace that functional tests look at, made once per test process."""

import shutil

import pytest
from tests.company import Answer, write_company

from mqlml.cli.main import run


@pytest.fixture
def mqlml(capsys):
    """Run a command in this process; answer its exit code and what it printed."""

    def call(*words):
        capsys.readouterr()
        code = run([str(word) for word in words])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def company(tmp_path_factory):
    """Return the config of a small company whose files nobody changes."""
    return write_company(tmp_path_factory.mktemp("company"))


@pytest.fixture(scope="session")
def trained(company, tmp_path_factory):
    """Return a workspace with a champion; tests only read it."""
    workspace = tmp_path_factory.mktemp("trained") / "w"
    words = ["train", "--config", company, "--workspace", workspace, "--as-of", "2025-12-01"]
    assert run([str(word) for word in words]) == 0
    return workspace


@pytest.fixture
def workspace(trained, tmp_path):
    """Return a copy of the trained workspace that a test may change."""
    target = tmp_path / "w"
    shutil.copytree(trained, target)
    return target
