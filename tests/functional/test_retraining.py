"""When a challenger takes over, and when it does not."""

import re
from pathlib import Path

import pytest


def write(company, name, *changes):
    text = company.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = company.parent / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def retrain(mqlml, workspace):
    """Retrain with a config as of a day; answer the document."""

    def call(config, *, as_of="2026-01-20", reason="manual"):
        words = ("--config", config, "--workspace", workspace, "--json")
        answer = mqlml("retrain", *words, "--as-of", as_of, "--reason", reason)
        assert answer.code == 0, answer.err
        return answer.document

    return call


def test_a_changed_target_makes_the_challenger_champion(company, retrain, mqlml, workspace):
    other = write(company, "target.yaml", ("horizon_days: 21", "horizon_days: 28"))
    document = retrain(other)
    assert document["promoted"] is True
    assert "the target changed" in document["decision"]
    assert mqlml("score", "--config", other, "--workspace", workspace).code == 0


def test_the_page_of_a_tournament_names_who_enters_and_who_leaves_though_its_plan_is_another(
    company, retrain
):
    other = write(company, "plan.yaml", ("windows_days: [7, 28]", "windows_days: [7, 14, 28]"))
    page = Path(retrain(other)["report"]).read_text(encoding="utf-8")
    table = page[page.index("Who enters and who leaves the MQL list") :]
    table = table[: table.index("</table>")]
    found = re.search(r"weeks (\d+) enter and (\d+) leave", page)
    shown = re.findall(r">(L\d{4})<", table)
    assert found is not None
    assert len(set(shown)) == len(shown) == min(20, sum(map(int, found.groups()))) > 0
    assert "counts more" in table
    assert "counts less" in table


def test_a_challenger_that_fails_its_gates_is_not_registered(company, retrain):
    other = write(company, "strict.yaml", ("min_leads: 100", "min_leads: 100000"))
    document = retrain(other)
    assert document["promoted"] is False
    assert document["challenger"]["version"] is None
    assert "did not pass leads" in document["decision"]


def test_new_criteria_are_a_reason_to_retrain(company, retrain):
    other = write(
        company,
        "criteria.yaml",
        ("version: 1", "version: 2"),
        ("('Steel', 'Software')", "('Steel')"),
    )
    document = retrain(other, as_of="2025-12-20", reason="criteria")
    assert (document["retrained"], document["reason"]) == (True, "criteria")


def test_an_old_champion_is_a_reason_by_the_calendar(company, retrain):
    other = write(
        company, "calendar.yaml", ("personas:", "monitoring: {retrain_after_days: 7}\npersonas:")
    )
    document = retrain(other, as_of="2025-12-20", reason="schedule")
    assert (document["retrained"], document["reason"]) == (True, "schedule")


def test_criteria_edited_without_a_new_version_raise_the_alarm(company, mqlml, workspace):
    other = write(company, "edited.yaml", ("('Steel', 'Software')", "('Steel')"))
    words = ("--config", other, "--workspace", workspace, "--as-of", "2025-12-02", "--json")
    answer = mqlml("monitor", *words)
    assert answer.code == 10
    assert [change["kind"] for change in answer.document["changes"]] == ["definition"]
    people = mqlml("monitor", *words[:-1])
    assert people.code == 10
    assert "act: " in people.out
