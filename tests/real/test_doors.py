"""Real files through the generic door: every row accounted for, known figures found again."""

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from mqlml.errors import SchemaError
from mqlml.sources.generic import read_sources
from mqlml.sources.settings import SourceSettings
from mqlml.storage.snapshot import read_quarantine, snapshot_facts, write_tables
from mqlml.tables.contracts import Known

DATA = Path(__file__).parents[2].parent / "shared" / "data"

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"REAL DATA NOT FOUND in {DATA}: not tested"),
]

X_EDUCATION = {
    "file": "x_education/Leads.csv",
    "columns": {"lead_id": "Prospect ID"},
    "order": "Lead Number",
    "missing": ["Select"],
    "outcome": {"column": "Converted", "positive": ["1"], "negative": ["0"]},
    "attributes": {"outcome_side": ["Tags", "Lead Quality"]},
}


@pytest.fixture
def ingest(tmp_path):
    def through_the_door(timezone=None, **sources):
        chosen = SourceSettings.model_validate(sources)
        done = read_sources(chosen, DATA, timezone=timezone, workdir=tmp_path / "work")
        tables = write_tables(tmp_path / "workspace", done)
        assert all(count.is_balanced for count in snapshot_facts(tmp_path / "workspace").counts)
        return tables, done, read_quarantine(tmp_path / "workspace")

    return through_the_door


def counted(done, table="leads"):
    (count,) = [c for c in done.counts if c.table == table]
    return count.rows, count.kept, count.duplicates, count.quarantined, count.filtered


def test_x_education_is_ordered_by_its_lead_number_and_loses_its_empty_column(ingest):
    tables, done, _ = ingest(leads=[X_EDUCATION])
    assert counted(done) == (9240, 9240, 0, 0, 0)
    assert tables.leads["outcome"].sum() == 3561
    assert [n.what for n in done.notes] == ["dropped: no name and no value"]
    assert len(tables.attribute_specs) == 34  # 37 columns but the id, the order and the outcome
    assert tables.is_order_time
    assert tables.leads["created_at"].is_unique
    # 1,438 cells are empty, and 1,942 say Select: the drop-down was not touched.
    assert tables.leads["Specialization"].isna().sum() == 1438 + 1942
    assert tables.attributes_known(Known.OUTCOME) == ("Tags", "Lead Quality")


def test_x_education_with_a_wrong_delimiter_says_which_one_it_has(ingest):
    with pytest.raises(SchemaError, match="set 'delimiter: ','"):
        ingest(leads=[{**X_EDUCATION, "delimiter": ";"}])


def test_olist_leads_and_deals_are_dated(ingest):
    tables, done, quarantine = ingest(
        timezone="America/Sao_Paulo",
        leads=[
            {
                "file": "olist_funnel/olist_marketing_qualified_leads_dataset.csv",
                "columns": {"lead_id": "mql_id", "created_at": "first_contact_date"},
            }
        ],
        stages=[
            {
                "file": "olist_funnel/olist_closed_deals_dataset.csv",
                "columns": {"lead_id": "mql_id", "entered_at": "won_date"},
                "constants": {"stage": "customer"},
            }
        ],
    )
    assert counted(done) == (8000, 8000, 0, 0, 0)
    assert counted(done, "stages") == (842, 842, 0, 0, 0)
    assert done.orphans == {}
    assert quarantine.empty
    assert tables.leads["origin"].isna().sum() == 60
    lags = tables.stages.merge(tables.leads, on="lead_id")
    assert (lags["entered_at"] < lags["created_at"]).sum() == 1  # the known negative lag
    assert tables.data_end == tables.stages["entered_at"].max().value // 1000


def test_bank_marketing_is_in_the_order_of_its_file(ingest):
    tables, done, _ = ingest(
        leads=[
            {
                "file": "bank_marketing/bank-additional-full.csv",
                "order": "file",
                "outcome": {"column": "y", "positive": ["yes"], "negative": ["no"]},
            }
        ]
    )
    assert counted(done) == (41188, 41188, 0, 0, 0)
    assert tables.leads["outcome"].sum() == 4640
    assert list(tables.leads["lead_id"][:3]) == ["1", "2", "3"]
    types = {a.name: a.type for a in tables.attribute_specs}
    assert (types["euribor3m"], types["job"], len(types)) == ("number", "text", 20)


def test_online_shoppers_are_ordered_by_month_with_ties(ingest):
    months = ["Feb", "Mar", "May", "June", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    tables, done, _ = ingest(
        leads=[
            {
                "file": "online_shoppers/online_shoppers_intention.csv",
                "order": "Month",
                "order_values": months,
                "outcome": {"column": "Revenue", "positive": ["TRUE"], "negative": ["FALSE"]},
            }
        ]
    )
    assert counted(done) == (12330, 12330, 0, 0, 0)
    assert tables.leads["outcome"].sum() == 1908
    assert tables.leads["created_at"].nunique() == 10
    assert "Month" not in tables.leads


def test_crm_maven_keeps_open_deals_and_quarantines_those_without_a_date(ingest):
    tables, done, quarantine = ingest(
        timezone="UTC",
        leads=[
            {
                "file": "crm_maven_opportunities/sales_pipeline.csv",
                "columns": {"lead_id": "opportunity_id", "created_at": "engage_date"},
                "outcome": {
                    "column": "deal_stage",
                    "positive": ["Won"],
                    "negative": ["Lost"],
                    "open": ["Engaging", "Prospecting"],
                },
            }
        ],
    )
    assert counted(done) == (8800, 8300, 0, 500, 0)
    assert set(quarantine["reason"]) == {"created_at is missing"}
    assert tables.leads["outcome"].value_counts(dropna=False).to_dict() == {
        True: 4238,
        False: 2473,
        pd.NA: 1589,
    }


def test_bpic2012_keeps_the_order_of_events_over_the_clock_change(ingest):
    log = {"file": "bpic2012_loan_funnel/events.csv.gz"}
    ends = {"A_ACTIVATED": "customer", "A_DECLINED": "disqualified", "A_CANCELLED": "disqualified"}
    tables, done, _ = ingest(
        leads=[
            {
                "file": "bpic2012_loan_funnel/cases.csv",
                "columns": {"lead_id": "case_id", "created_at": "reg_date"},
                "attributes": {"columns": ["amount_req"]},
            }
        ],
        events=[
            {
                **log,
                "columns": {"lead_id": "case_id", "occurred_at": "timestamp", "type": "activity"},
                "properties": {"lifecycle": "text", "resource": "text"},
            }
        ],
        stages=[
            {
                **log,
                "columns": {"lead_id": "case_id", "entered_at": "timestamp", "stage": "activity"},
                "where": "activity IN ('A_ACTIVATED', 'A_DECLINED', 'A_CANCELLED')",
                "values": {"stage": ends},
            }
        ],
    )
    assert counted(done) == (13087, 13087, 0, 0, 0)
    assert counted(done, "events") == (262200, 262200, 0, 0, 0)
    assert (tables.stages["stage"] == "customer").sum() == 2246
    assert (tables.stages["stage"] == "disqualified").sum() == 7635 + 2807
    assert done.orphans == {}
    files = sorted(tables.events.folder.glob("bucket=*/part.parquet"))
    stored = pd.concat(pq.read_table(f, partitioning=None).to_pandas() for f in files)
    raw = pd.read_csv(DATA / "bpic2012_loan_funnel" / "events.csv.gz", dtype=str)
    raw["at"] = pd.to_datetime(raw["timestamp"], utc=True, format="ISO8601").dt.as_unit("us")
    changed = raw[raw["timestamp"].str.startswith("2011-10-30")]
    assert len(changed) > 100
    of_day = stored[stored["occurred_at"].between(changed["at"].min(), changed["at"].max())]
    assert sorted(of_day["occurred_at"]) == sorted(
        raw.loc[raw["at"].between(changed["at"].min(), changed["at"].max()), "at"]
    )
    # The log is in order within each case; on that night wall clocks are not.
    assert changed.groupby("case_id")["at"].apply(lambda t: t.is_monotonic_increasing).all()
