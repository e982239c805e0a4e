"""What robots did is marked at ingest, told with what it changes, and undone by the config."""

import shutil

import pytest

ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1)"


@pytest.fixture
def crawled(company, tmp_path):
    """Return a config of the same company, whose latest leads were crawled by a robot."""
    folder = tmp_path / "company"
    shutil.copytree(company.parent, folder)
    head, *rows = (folder / "events.csv").read_text().splitlines()
    last = max(row.split(",")[1] for row in rows)
    lines = [f"{head},agent", *(f"{row}," for row in rows)]
    for n in range(1140, 1200):
        page = "/pricing" if n % 2 else ""
        kind = "page_view" if n % 2 else "demo_request"
        lines += [f"L{n},{last},{kind},{page},{ROBOT}"] * 1
        lines += [f"L{n},{last[:-1]}{second},{kind},{page},{ROBOT}" for second in range(9)]
    (folder / "events.csv").write_text("\n".join(lines) + "\n")
    config = folder / "config.yaml"
    text = config.read_text().replace("page: page}", "page: page, user_agent: agent}")
    text = text.replace("  stages:", "    properties: {user_agent: text}\n  stages:", 1)
    config.write_text(text)
    return config


def test_marks_are_told_with_the_leads_whose_band_they_change(mqlml, crawled, workspace):
    told = mqlml("ingest", "--config", crawled, "--workspace", workspace, "--json")
    assert told.code == 0, told.err
    robots = told.document["robots"]
    marked = robots["events"]["crawler"]
    assert marked >= 60 * 9
    changed = robots["other_band"]
    assert changed["count"] >= 1
    assert set(changed["lead_ids"]) <= {f"L{n}" for n in range(1140, 1200)}
    spoken = mqlml("ingest", "--config", crawled, "--workspace", workspace)
    assert f"robots: {marked:,} events marked (crawler {marked:,})" in spoken.out
    assert f"{changed['count']:,} open leads have another band" in spoken.out


def test_a_line_of_the_config_undoes_the_marks(mqlml, crawled, workspace):
    crawled.write_text(
        crawled.read_text().replace("target: {stage", "  robots: {rules: []}\ntarget: {stage")
    )
    told = mqlml("ingest", "--config", crawled, "--workspace", workspace, "--json")
    assert told.document["robots"] == {"events": {}, "other_band": None}


def test_without_a_champion_marks_are_counted_all_the_same(mqlml, crawled, tmp_path):
    told = mqlml("ingest", "--config", crawled, "--workspace", tmp_path / "new", "--json")
    assert told.document["robots"]["events"]["crawler"] >= 60 * 9
    assert told.document["robots"]["other_band"] is None


def test_conflicts_of_identity_are_counted_and_listed_in_a_file(mqlml, crawled, tmp_path):
    (crawled.parent / "aliases.csv").write_text(
        "alias,lead_id,known_at\nga4:1,L0001,2025-06-01\nga4:1,L0002,2025-06-02\n"
    )
    crawled.write_text(
        crawled.read_text().replace(
            "target: {stage", "  aliases: {file: aliases.csv}\ntarget: {stage"
        )
    )
    told = mqlml("ingest", "--config", crawled, "--workspace", tmp_path / "new", "--json")
    identity = told.document["identity"]
    assert identity["conflicts"] == {"means several leads at once": 1}
    assert identity["file"].endswith("conflicts.parquet")
