"""The simulated company as exports of real systems: the same features as from its plain tables."""

import pandas as pd
import pytest

from mqlml.cli.demo import demo as command
from mqlml.demo.export_as import SYSTEM_WRITERS
from mqlml.errors import UsageError
from mqlml.storage.snapshot import current_snapshot
from mqlml.workflows.demo_exports import export_demo
from mqlml.workflows.features import Means, write_features
from mqlml.workflows.ingest import ingest
from mqlml.workflows.project import open_project

KEY = ["lead_id", "type", "url", "user_agent"]
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


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """Return (folder, events) of a company with planted robots, ingested from its exports."""
    folder = tmp_path_factory.mktemp("crowded")
    systems = ("ga4", "hubspot", "sendgrid")
    done = export_demo(folder, systems, leads=LEADS, seed=SEED, say=silent, robots=True)
    ingest(open_project(done.config, workspace=folder / "w"), say=silent)
    columns = [*KEY, "event_id", "page", "occurred_at", "source", "is_bot"]
    events = pd.read_parquet(current_snapshot(folder / "w") / "events", columns=columns)
    micros = events["occurred_at"].dt.as_unit("us").astype("int64")
    marks = events["is_bot"].fillna(False).astype(bool)
    return folder, events.assign(occurred_at=micros, is_bot=marks)


def test_planted_robots_are_marked_and_people_are_not(crowded):
    folder, events = crowded
    truth = pd.read_csv(folder / "exported" / "robots.csv", keep_default_na=False)
    events = events[events["source"] == "sendgrid"].fillna({"url": "", "user_agent": ""})
    told = truth.assign(is_robot=True).drop_duplicates([*KEY, "occurred_at"])
    both = events.merge(told, how="left", on=[*KEY, "occurred_at"])
    is_robot = both["is_robot"].notna()
    # What the simulation's own gateways did is theirs too, and they say so.
    is_person = ~is_robot & ~both["user_agent"].str.contains("Barracuda")
    assert is_robot.sum() == len(told) > 500
    assert set(both.loc[is_robot, "kind"]) == set(told["kind"])
    assert both.loc[is_robot, "is_bot"].mean() >= 0.98
    assert both.loc[is_person, "is_bot"].mean() <= 0.002


def test_planted_page_views_of_robots_are_marked_and_peoples_are_not(crowded):
    """Seed 7: 99.2 % of 3,573 are found (97.6 % of slow crawlers'), none of 10,845 of people's.

    Seed 1011, not looked at before: all of 4,474, and none of 10,299.
    """
    folder, events = crowded
    truth = pd.read_csv(folder / "exported" / "robot_visits.csv", keep_default_na=False)
    events = events[events["source"] == "ga4"]
    pages = "https://www.acme-workflows.example" + truth["page"]
    told = truth.assign(page=pages)[["kind", "page", "occurred_at"]].drop_duplicates()
    both = events.merge(told, how="left", on=["page", "occurred_at"])
    is_robot = both["kind"].notna()
    assert is_robot.sum() >= len(told) > 1_000
    assert set(told["kind"]) == {
        *("named_crawler", "fast_crawler", "slow_crawler", "staff", "developer", "mail_scanner"),
    }
    assert both.loc[is_robot, "is_bot"].mean() >= 0.98
    assert both.loc[~is_robot, "is_bot"].mean() <= 0.002


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
