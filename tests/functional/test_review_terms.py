"""What reps write, from the file of verdicts to the review's page: only if the config asks."""

import csv
import shutil
from pathlib import Path

import pytest

NOTES = {
    "accepted": "good talk, wants a demo",
    "rejected": "No budget before summer, ask Ann Weber (ann.weber@firm.example, +49 170 123456)",
}


@pytest.fixture
def config(company, tmp_path):
    """Copy the company, with three reps and their notes."""
    for file in company.parent.iterdir():
        if file.suffix in {".csv", ".yaml"}:
            shutil.copy(file, tmp_path)
    path = tmp_path / "verdicts.csv"
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        row |= {"rep": f"rep{number % 3}", "note": NOTES[row["verdict"]]}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    text = (tmp_path / "config.yaml").read_text(encoding="utf-8")
    text = text.replace("who: rep}", "who: rep, note: note}")
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    return tmp_path / "config.yaml"


def test_notes_are_read_only_where_the_config_says_so_and_name_nobody(mqlml, config, workspace):
    words = ["review", "--config", config, "--workspace", workspace]
    silent = mqlml(*words, "--json")
    assert silent.document["unseen_terms"] == []
    config.write_text(config.read_text() + "review: {text_terms: true}\n")
    asked = mqlml(*words, "--json")
    terms = {row["term"]: row for row in asked.document["unseen_terms"]}
    assert {"no budget", "budget summer"} <= set(terms)
    assert not set(terms) & {"ann", "weber", "ann weber", "firm", "demo", "wants demo"}
    row = terms["no budget"]
    assert (row["reps"], row["accepted"]) == (3, 0)
    assert row["high"] < 0
    told = mqlml(*words)
    page = told.out.split("report: ")[1].strip()
    shown = Path(page).read_text(encoding="utf-8")
    assert "no budget" in shown
    # On the page for the meeting, and nowhere else.
    assert "budget summer" not in told.out + told.err + asked.err + silent.out + silent.err
