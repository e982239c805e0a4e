"""Days scored by a ranked list: never over capacity, and each day given again as it was."""

import io
import json
import shutil
from contextlib import redirect_stdout
from pathlib import Path

import pandas as pd
import pytest
from tests.company import CONFIG

from mqlml.cli.main import run

DAYS = ("2025-11-10", "2025-11-11", "2025-11-13T12:00:00", "2025-11-17")
MOST = 6
DECLARED = "hand raisers count, staying from 0 of the cut"
LISTED = CONFIG.replace("capacity_per_week: 15,", f"ranked: {{most: {MOST}}},")


@pytest.fixture(scope="module")
def ranked(tmp_path_factory, company, trained):
    """Return the options of the company's config with a ranked list, in a workspace of its own."""
    folder = tmp_path_factory.mktemp("ranked")
    shutil.copytree(trained, folder / "w")
    config = folder / "ranked.yaml"
    config.write_text(LISTED, encoding="utf-8")
    return ("--config", config, "--data", company.parent, "--workspace", folder / "w")


@pytest.fixture(scope="module")
def week(ranked):
    """Score four days of two weeks; return the answers by day."""
    found = {}
    for day in DAYS:
        out = io.StringIO()
        with redirect_stdout(out):
            words = ("score", *ranked, "--as-of", day, "--json")
            assert run([str(word) for word in words]) == 0
        found[day] = json.loads(out.getvalue())
    return found


def for_sales(document):
    scores = pd.read_parquet(document["path"])
    return scores[scores["outcome"].isin(["mql", "hand_raiser"])]


def test_no_week_gets_more_new_leads_than_agreed_and_each_is_filled(week):
    seen: set[str] = set()
    new = []
    for document in week.values():
        leads = for_sales(document)
        new.append(len(set(leads["lead_id"]) - seen))
        seen |= set(leads["lead_id"])
        cut = document["ranked"]
        assert cut["taken"] + cut["raised"] == new[-1]
    # Three days of the first week, then the Monday of the next.
    assert [week[day]["ranked"]["start"] for day in DAYS] == [
        *["2025-11-10T00:00:00Z"] * 3,
        "2025-11-17T00:00:00Z",
    ]
    assert sum(new[:3]) == new[3] == MOST
    assert [week[day]["ranked"]["used"] for day in DAYS] == [0, new[0], sum(new[:2]), 0]


def test_ranks_are_told_and_leads_of_earlier_days_stay(week):
    page = Path(week[DAYS[0]]["report"]).read_text(encoding="utf-8")
    assert f"{week[DAYS[0]]['ranked']['taken']} of" in page.partition("Ranked list")[2]
    scores = pd.read_parquet(week[DAYS[0]]["path"])
    told = scores.loc[scores["outcome"] == "mql", "because"]
    cut = week[DAYS[0]]["ranked"]
    total = cut["used"] + cut["raised"] + cut["listed"]
    place = f"of {total} this week; capacity {MOST}"
    assert told.str.fullmatch(rf"ranked \d+(st|nd|rd|th) {place}").all()
    later = pd.read_parquet(week[DAYS[1]]["path"]).set_index("lead_id")
    stays = later.loc[later.index.intersection(scores.loc[scores["outcome"] == "mql", "lead_id"])]
    calm = stays[stays["outcome"] == "mql"]
    assert len(calm)
    assert set(calm["because"]) == {"handed over on 2025-11-10, stays an MQL"}


def test_past_days_are_given_again_byte_for_byte_and_alone_a_lead_gets_the_same(
    mqlml, ranked, week, tmp_path
):
    given = {day: Path(document["path"]).read_bytes() for day, document in week.items()}
    for day, document in week.items():
        model = document["model"]["version"]
        answer = mqlml("score", *ranked, "--as-of", day, "--model", model, "--json")
        assert answer.document["given_before"]["same"], answer.document["given_before"]
        assert Path(answer.document["path"]).read_bytes() == given[day]
        assert answer.document["run"] == document["run"]
    asked = for_sales(week[DAYS[1]])["lead_id"].iloc[:2]
    file = tmp_path / "leads.txt"
    file.write_text("\n".join(asked), encoding="utf-8")
    answer = mqlml("score", *ranked, "--as-of", DAYS[1], "--leads", file, "--json")
    alone = pd.read_parquet(answer.document["path"])
    batch = pd.read_parquet(week[DAYS[1]]["path"])
    expected = batch[batch["lead_id"].isin(asked)].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, expected)


def test_reasons_are_given_to_those_on_the_list_only_if_asked_so(mqlml, ranked, week, tmp_path):
    shutil.copytree(ranked[-1], tmp_path / "w")
    words = (*ranked[:-1], tmp_path / "w", "--as-of", DAYS[0], "--reasons-from", "mql", "--json")
    few = pd.read_parquet(mqlml("score", *words).document["path"])
    every = pd.read_parquet(week[DAYS[0]]["path"])
    is_told = few["outcome"].isin(["mql", "hand_raiser"])
    assert (few.loc[is_told, "reasons_up"] != "").any()
    assert (few.loc[~is_told, ["reasons_up", "reasons_down"]] == "").all(axis=None)
    assert list(every["outcome"]) == list(few["outcome"])


def test_why_reads_the_rank_of_then_and_the_ledger_keeps_the_cut(mqlml, ranked, week):
    scores = pd.read_parquet(week[DAYS[0]]["path"])
    lead = scores.loc[scores["because"].str.startswith("ranked"), "lead_id"].iloc[0]
    answer = mqlml("why", lead, *ranked, "--from", DAYS[0], "--to", DAYS[1], "--json")
    assert answer.code == 0, answer.err
    told = answer.document["from"]
    assert told["because"] == scores.set_index("lead_id").loc[lead, "because"]
    assert told["mql_probability"] == week[DAYS[0]]["ranked"]["probability"]
    entries = [json.loads(p.read_text()) for p in (ranked[-1] / "ledger").glob("*-score-*.json")]
    cuts = {entry["payload"]["listed"]["start"] for entry in entries}
    assert cuts == {"2025-11-10T00:00:00Z", "2025-11-17T00:00:00Z"}


def test_a_preview_replays_the_ranked_list_and_never_fills_a_week_over(
    mqlml, company, workspace, tmp_path
):
    text = LISTED[LISTED.index("criteria:\n") + len("criteria:\n") : LISTED.index("personas:\n")]
    file = tmp_path / "ranked_criteria.yaml"
    lines = "".join(f"{line[2:]}\n" for line in text.splitlines())
    file.write_text(lines.replace("version: 1", "version: 2"), encoding="utf-8")
    shared = ("--config", company, "--workspace", workspace, "--as-of", "2025-12-01")
    answer = mqlml("criteria", "preview", file, *shared, "--weeks", 12, "--json")
    assert answer.code == 0, answer.err
    weeks = [row["new"] for row in answer.document["by_week"]]
    assert max(weeks) == MOST
    assert answer.document["new"]["per_week"]["most"] == MOST
    assert answer.document["changes"][1:] == [
        f"ranked list none became (the best {MOST} new leads a week, {DECLARED})",
        "capacity of sales per week 15 became none",
    ]


def test_whoever_the_crm_says_was_handed_over_takes_a_place_once_and_is_not_listed_again(
    mqlml, company, ranked, week, tmp_path
):
    calm = for_sales(week[DAYS[0]]).query("outcome == 'mql'")["lead_id"]
    earlier, lately = calm.iloc[:2]
    folder = tmp_path / "data"
    shutil.copytree(company.parent, folder)
    told = [
        "lead,at,route",
        f"{earlier},2025-11-04T10:00:00,scored",
        f"{lately},2025-11-10T09:00:00,explored",
        "L0001,2025-11-10T10:00:00,Hand-raiser",
        # The day's scores cannot know of it.
        f"{calm.iloc[2]},2025-11-12T10:00:00,scored",
    ]
    (folder / "handovers.csv").write_text("\n".join(told) + "\n", encoding="utf-8")
    source = "  handovers: {file: handovers.csv, columns: {lead_id: lead, at: at, route: route}}\n"
    for number, counts in enumerate(("true", "false")):
        text = LISTED.replace("target:", f"{source}target:", 1)
        text = text.replace(f"most: {MOST}", f"most: {MOST}, hand_raisers_count: {counts}")
        (folder / "config.yaml").write_text(text, encoding="utf-8")
        shutil.copytree(ranked[-1], tmp_path / f"w{number}")
        shutil.rmtree(tmp_path / f"w{number}" / "scores")
        for entry in (tmp_path / f"w{number}" / "ledger").glob("*-score-*.json"):
            entry.unlink()
        words = ("--config", folder / "config.yaml", "--workspace", tmp_path / f"w{number}")
        answer = mqlml("score", *words, "--as-of", DAYS[1], "--json")
        assert answer.code == 0, answer.err
        cut = answer.document["ranked"]
        # Of this week's two handovers one raised a hand; that of last week takes no place.
        assert cut["used"] == (2 if counts == "true" else 1)
        assert cut["used"] + cut["raised"] + cut["taken"] == MOST
        because = pd.read_parquet(answer.document["path"]).set_index("lead_id")["because"]
        assert because[earlier] == "handed over on 2025-11-04, stays an MQL"
        assert because[lately] == "handed over on 2025-11-10, stays an MQL"
        assert because[calm.iloc[2]].startswith("ranked ")
