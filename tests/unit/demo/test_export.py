import csv
import gzip
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from mqlml.demo.company import DemoCompany
from mqlml.demo.export import FILES, Exports, write_exports
from mqlml.demo.settings import day_start

EARLY = day_start(date(2024, 9, 2))
CONTRACT = "contract_value"


def lines(path: Path) -> list[str]:
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    return text.decode().splitlines()


@pytest.fixture(scope="module")
def early(small_company: DemoCompany, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("early")
    write_exports(small_company, folder / "new" / "folder", until=EARLY)
    return folder / "new" / "folder"


def test_all_files_are_written_with_the_rows_that_are_told(
    small_company: DemoCompany, tmp_path: Path
) -> None:
    rows = write_exports(small_company, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES.values())
    assert rows["crm_leads.csv"] == len(lines(tmp_path / "crm_leads.csv")) - 1
    assert rows["web_events.ndjson"] == len(lines(tmp_path / "web_events.ndjson"))
    assert rows["marketing_events.parquet"] == len(
        pd.read_parquet(tmp_path / "marketing_events.parquet")
    )


def test_a_second_export_has_the_same_bytes(
    small_company: DemoCompany, exported: Path, tmp_path: Path
) -> None:
    write_exports(small_company, tmp_path)
    for file in FILES.values():
        assert (tmp_path / file).read_bytes() == (exported / file).read_bytes()


@pytest.mark.parametrize(
    "file",
    [
        *("attribute_history.csv", "web_events.ndjson", "email_events.csv.gz"),
        *("stage_history.csv", "verdicts.csv", "handovers.csv"),
    ],
)
def test_a_later_export_continues_an_earlier_one(early: Path, exported: Path, file: str) -> None:
    first, all_lines = lines(early / file), lines(exported / file)
    assert 1 < len(first) < len(all_lines)
    assert all_lines[: len(first)] == first


def test_a_later_parquet_file_continues_an_earlier_one(early: Path, exported: Path) -> None:
    first = pd.read_parquet(early / "marketing_events.parquet")
    whole = pd.read_parquet(exported / "marketing_events.parquet")
    assert 0 < len(first) < len(whole)
    pd.testing.assert_frame_equal(whole.head(len(first)), first)


def test_a_later_crm_export_only_adds_leads_and_contract_values(
    early: Path, exported: Path
) -> None:
    first = pd.read_csv(early / "crm_leads.csv", dtype="str", on_bad_lines="skip")
    whole = pd.read_csv(exported / "crm_leads.csv", dtype="str", on_bad_lines="skip")
    same = whole.head(len(first))
    pd.testing.assert_frame_equal(
        same.drop(columns=CONTRACT), first.drop(columns=CONTRACT), check_dtype=False
    )
    signed = first[CONTRACT].notna()
    assert signed.sum() > 0
    assert (same.loc[signed, CONTRACT] == first.loc[signed, CONTRACT]).all()
    assert same[CONTRACT].notna().sum() > signed.sum()


def test_a_row_that_arrives_at_the_moment_is_not_exported(
    small_company: DemoCompany, tmp_path: Path
) -> None:
    arrives = small_company.tables["verdicts"]["arrives"]
    moment = int(arrives.iloc[50])
    rows = write_exports(small_company, tmp_path, until=moment)
    assert rows["verdicts.csv"] == int((arrives < moment).sum()) <= 50


def test_late_arrivals_are_missing_until_they_arrive(
    small_company: DemoCompany, tmp_path: Path
) -> None:
    events = small_company.tables["marketing_events"]
    late = events[events["type"] == "webinar_attended"].iloc[0]
    moment = int(late["at"]) + 1
    write_exports(small_company, tmp_path, until=moment)
    known = pd.read_parquet(tmp_path / "marketing_events.parquet")
    assert late["event_id"] not in set(known["event_id"])


def test_files_hold_nothing_that_only_the_simulation_knows(exported: Path) -> None:
    with (exported / "crm_leads.csv").open(encoding="utf-8") as stream:
        header = next(csv.reader(stream))
    assert header == [
        *("lead_id", "created_at", "title", "industry", "company_size", "country"),
        *("source", "campaign", "email_kind", "is_competitor", "contract_value"),
    ]
    page_view = json.loads(lines(exported / "web_events.ndjson")[0])
    assert set(page_view) == {"id", "lead", "ts", "event", "page", "session", "duration"}


def test_leads_are_as_messy_as_people_fill_in_forms(exported: Path) -> None:
    leads = pd.read_csv(
        exported / "crm_leads.csv", dtype="str", keep_default_na=False, on_bad_lines="skip"
    )
    assert {"51-200", "10,000+", ""} <= set(leads["company_size"])
    assert leads["company_size"].str.fullmatch(r"\d+").any()
    assert {"Select", "", "LOGISTICS", "Logistics", "logistics", "logistics "} <= set(
        leads["industry"]
    )
    assert {"UK", "United Kingdom"} <= set(leads["country"])


def test_creation_times_carry_the_offset_of_the_day(exported: Path) -> None:
    leads = pd.read_csv(
        exported / "crm_leads.csv", dtype="str", keep_default_na=False, on_bad_lines="skip"
    )
    winter = leads.loc[leads["created_at"].str.startswith("2024-02"), "created_at"]
    summer = leads.loc[leads["created_at"].str.startswith("2024-07"), "created_at"]
    assert winter.str.endswith("+01:00").all()
    assert summer.str.endswith("+02:00").all()


def test_torn_lines_do_not_parse(exported: Path, small_company: DemoCompany) -> None:
    counts = small_company.truth.blemishes.set_index(["table", "blemish"])["rows"]
    with (exported / "crm_leads.csv").open(encoding="utf-8") as stream:
        widths = [len(row) for row in csv.reader(stream)]
    assert set(widths) <= {11, 13}
    assert widths.count(13) == counts.get(("crm_leads", "torn"), 0)
    torn = 0
    for line in lines(exported / "web_events.ndjson"):
        try:
            json.loads(line)
        except json.JSONDecodeError:
            torn += 1
    assert torn == counts.get(("web_events", "torn"), 0) > 0


def test_repeated_rows_are_equal_and_contradicting_ones_are_not(
    small_company: DemoCompany,
) -> None:
    web = small_company.tables["web_events"]
    exported = web.drop(columns=["arrives", "at", "blemish"])
    by_id = exported.groupby("id")
    repeated = web.loc[web["blemish"] == "repeated", "id"]
    contradicting = web.loc[web["blemish"] == "contradicting", "id"]
    assert len(repeated) > 20
    for chosen in repeated.head(5):
        assert len(by_id.get_group(chosen).drop_duplicates()) == 1
    for chosen in contradicting.head(3):
        assert by_id.get_group(chosen)["page"].nunique() == 2


def test_exports_made_one_after_the_other_equal_exports_made_alone(
    small_company: DemoCompany, early: Path, exported: Path, tmp_path: Path
) -> None:
    exports = Exports(small_company)
    for until, alone in ((EARLY, early), (None, exported), (EARLY, early)):
        exports.write(tmp_path, until=until)
        for file in FILES.values():
            assert (tmp_path / file).read_bytes() == (alone / file).read_bytes()


def test_an_export_before_the_first_row_holds_headers_only(
    small_company: DemoCompany, tmp_path: Path
) -> None:
    rows = write_exports(small_company, tmp_path, until=0)
    assert set(rows.values()) == {0}
    assert (tmp_path / "web_events.ndjson").read_bytes() == b""
    assert lines(tmp_path / "verdicts.csv") == ["lead_id,given_at,verdict,reason,rep"]


def test_json_lines_spell_text_and_numbers_as_json_does_and_leave_out_what_is_missing(
    small_company: DemoCompany, tmp_path: Path
) -> None:
    web = pd.DataFrame(
        {
            "id": ["w1", "w2", "w3"],
            "page": ['/"ä\\\n', "/plain", None],
            "duration": [1.5, float("nan"), 20.0],
            "other": [None, "/x y", ""],
            "arrives": [1, 2, 3],
            "blemish": ["", "", "torn"],
        }
    )
    tables = {**small_company.tables, "web_events": web}
    write_exports(replace(small_company, tables=tables), tmp_path)
    assert (tmp_path / "web_events.ndjson").read_bytes() == (
        b'{"id":"w1","page":"/\\"\\u00e4\\\\\\n","duration":1.5}\n'
        b'{"id":"w2","page":"/plain","other":"/x y"}\n'
        b'{"id":"w3","duratio\n'  # 19 of 38 characters
    )
