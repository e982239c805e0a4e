"""Sensitive columns from the config to the report: left out, allowed with a reason, measured."""

import contextlib
import io
import json

import numpy as np
import pytest
from tests.flat_table import FLAT, refused, train

from mqlml.cli.main import run

ALLOWED = "a pension plan is sold by age"


def write(folder, extra=""):
    """Write leads whose age decides, whose gender a hobby tells; return the config."""
    draw = np.random.default_rng(3)
    rows = ["id,created,age,gender,hobby,won"]
    for i in range(700):
        age, gender = int(draw.integers(20, 70)), draw.choice(["f", "m"])
        hobby = {"f": "chess", "m": "golf"}[gender] if draw.random() < 0.9 else "none"
        won = "yes" if draw.random() < 0.1 + 0.6 * (age > 45) else "no"
        day = f"2025-{1 + i * 12 // 700:02d}-{1 + i % 28:02d}"
        rows.append(f"L{i},{day},{age},{gender},{hobby},{won}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "flat.csv").write_text("\n".join(rows), encoding="utf-8")
    config = folder / "flat.yaml"
    config.write_text(FLAT + extra, encoding="utf-8")
    return config


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the folder of a training that allows age and leaves gender out, exported."""
    folder = tmp_path_factory.mktemp("s")
    config = write(folder, f'sensitive: {{allow: {{age: "{ALLOWED}"}}}}\n')
    place = ["--config", str(config), "--workspace", str(folder / "w")]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert run(["train", *place]) == 0
    (folder / "said.txt").write_text(said.getvalue(), encoding="utf-8")
    assert run(["export", *place, "--out", str(folder / "bundle")]) == 0
    return folder


def test_the_bundle_says_what_was_left_out_what_was_allowed_and_what_tells_it(trained):
    age, gender = json.loads((trained / "bundle" / "facts.json").read_bytes())["sensitive"]
    assert (age["column"], age["allowed"]) == ("age", ALLOWED)
    assert (gender["column"], gender["allowed"]) == ("gender", None)
    assert gender["from_features"]["words"] == "well"
    assert gender["from_features"]["proxies"][0]["column"] == "hobby"
    # Its own column tells nothing of proxies: hobby and gender are drawn apart from age.
    assert age["from_features"]["words"] == "hardly"


def test_what_is_left_out_is_in_no_feature_vector_and_what_is_allowed_is(trained):
    plan = (trained / "bundle" / "plan.json").read_text(encoding="utf-8")
    assert '"age"' in plan
    assert "gender" not in plan


def test_the_report_shows_reason_proxies_and_how_groups_fare(trained):
    (report,) = (trained / "w" / "reports").glob("training-*.html")
    page = report.read_text(encoding="utf-8")
    for text in (ALLOWED, "Groups of people", "Test leads by gender", "Test leads by age", "hobby"):
        assert text in page


def test_people_are_told_in_the_terminal_what_became_of_the_columns(trained):
    said = (trained / "said.txt").read_text(encoding="utf-8")
    assert "left out, because sensitive: gender (gender); to use one, say why" in said
    assert f"sensitive and allowed: age (age): {ALLOWED}" in said


def test_a_column_allowed_without_a_reason_stops_the_training(tmp_path, mqlml):
    config = write(tmp_path, 'sensitive: {allow: {age: ""}}\n')
    assert refused(train(mqlml, config), 3, "allowed without a reason", "sensitive.allow.age")
