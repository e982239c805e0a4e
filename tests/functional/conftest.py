"""A trained workspace that functional tests look at, made once per test process."""

import shutil

import pytest
from tests.company import DATED_CONFIG, Answer, write_company
from tests.flat_table import FLAT, rows_of

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
def dated_company(tmp_path_factory):
    """Return the config of a company whose test begins on a known day."""
    config = write_company(tmp_path_factory.mktemp("dated"))
    config.write_text(DATED_CONFIG, encoding="utf-8")
    return config


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


@pytest.fixture
def flat(tmp_path):
    """Write a flat table and its config; return (config, a function that rewrites the table)."""
    config = tmp_path / "flat.yaml"
    config.write_text(FLAT, encoding="utf-8")

    def rewrite(lines, encoding="utf-8"):
        (tmp_path / "flat.csv").write_bytes(("\n".join(lines) + "\n").encode(encoding))

    rewrite(rows_of())
    return config, rewrite


@pytest.fixture
def brief_locks():
    """Let a locked database be given up after half a second, not after MLflow's twenty."""
    from sqlalchemy import Engine, event

    def hurried(_connection, _cursor, statement, parameters, _context, _is_many):
        return statement.replace("busy_timeout = 20000", "busy_timeout = 500"), parameters

    event.listen(Engine, "before_cursor_execute", hurried, retval=True)
    yield
    event.remove(Engine, "before_cursor_execute", hurried)
