"""The simulated company as exports of real systems: the same features as from its plain tables."""

import pandas as pd
import pytest

from mqlml.cli.demo import demo as command
from mqlml.demo.export_as import SYSTEM_WRITERS
from mqlml.errors import UsageError
from mqlml.workflows.demo_exports import export_demo
from mqlml.workflows.features import Means, write_features
from mqlml.workflows.ingest import ingest
from mqlml.workflows.project import open_project

LEADS, SEED = 600, 7
DAYS = ("2024-07-01", "2025-03-01")


def silent(_text):
    """Take a step's progress."""


def features_of(config, workspace):
    """Return the features of every lead on three days, sorted by lead and day."""
    project = open_project(config, workspace=workspace)
    ingest(project, say=silent)
    frames = []
    for day in DAYS:
        out = workspace / f"{day}.parquet"
        write_features(
            project,
            out,
            as_of=project.instant(day),
            points_file=None,
            say=silent,
            means=Means("1GB", 1, lambda *_args: None),
        )
        frames.append(pd.read_parquet(out))
    found = pd.concat(frames).sort_values(["lead_id", "as_of"], ignore_index=True)
    return found[sorted(found.columns)]


@pytest.mark.slow
@pytest.mark.parametrize("systems", [("ga4", "hubspot", "sendgrid")], ids="-".join)
def test_features_from_exports_equal_those_from_plain_tables(tmp_path, systems):
    done = export_demo(tmp_path, systems, leads=LEADS, seed=SEED, say=silent)
    direct = features_of(done.plain_config, tmp_path / "plain")
    exported = features_of(done.config, tmp_path / "exports")
    assert len(direct) > 80  # leads that are open on one of the days
    pd.testing.assert_frame_equal(exported, direct, check_exact=True)


def test_the_same_company_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        export_demo(tmp_path / name, ("hubspot",), leads=LEADS, seed=SEED, say=silent)
    for path in sorted((tmp_path / "a" / "exported").rglob("*")):
        if path.is_file():
            other = tmp_path / "b" / path.relative_to(tmp_path / "a")
            assert other.read_bytes() == path.read_bytes(), path.name


def test_a_system_that_the_demo_cannot_write_is_named(tmp_path):
    with pytest.raises(UsageError, match="did you mean 'hubspot'"):
        command(workspace=tmp_path, export_as="ga4,hubspott")
    assert sorted(SYSTEM_WRITERS) == ["ga4", "hubspot", "sendgrid"]
