"""Leads who refused to be profiled get no score, whatever else is known of them."""

import shutil

import pandas as pd
import pytest

from mqlml.errors import ConfigError

CONSENT = """\
  consent: [{column: objected, refused: ["Yes"]}]
target: {stage"""


@pytest.fixture
def objecting(company, tmp_path):
    """Return a config of the same company in which every fourth lead objects."""
    folder = tmp_path / "company"
    shutil.copytree(company.parent, folder)
    head, *rows = (folder / "leads.csv").read_text().splitlines()
    marked = [f"{row},{'yes' if n % 4 == 0 else 'no'}" for n, row in enumerate(rows)]
    (folder / "leads.csv").write_text("\n".join([f"{head},objected", *marked]) + "\n")
    config = folder / "config.yaml"
    text = config.read_text()
    assert "target: {stage" in text
    config.write_text(text.replace("target: {stage", CONSENT))
    return config


def test_who_refused_has_no_score_and_is_counted(mqlml, company, objecting, workspace):
    words = ("--workspace", workspace, "--as-of", "2025-12-01", "--json")
    before = mqlml("score", "--config", company, *words).document
    told = mqlml("score", "--config", objecting, *words)
    assert told.code == 0, told.err
    after = told.document
    assert before["not_profiled"] == 0
    assert after["not_profiled"] > 10
    assert after["rows"] + after["not_profiled"] == before["rows"]
    scored = set(pd.read_parquet(after["path"])["lead_id"])
    refused = {f"L{n:04d}" for n in range(0, 1200, 4)}
    assert not scored & refused


def test_a_column_of_consent_that_is_not_there_is_named(mqlml, objecting, workspace):
    objecting.write_text(objecting.read_text().replace("column: objected", "column: objcted"))
    told = mqlml("score", "--config", objecting, "--workspace", workspace)
    assert told.code == ConfigError.exit_code
    assert "no such column of consent" in told.err
    assert "objected" in told.err
