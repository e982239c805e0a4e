import pytest

from mqlml.config import load_settings
from mqlml.errors import DataError, SchemaError, UsageError
from mqlml.workflows.init import propose_config, write_config


def write(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def flat(tmp_path):
    rows = "\n".join(
        f"L{i};2026-01-{i:02d};{'Select' if i % 2 else 'Steel'};{i % 2}" for i in range(1, 20)
    )
    return write(tmp_path, "flat.csv", f"Lead ID;Create Date;Industry;Converted\n{rows}\n")


@pytest.fixture
def exports(tmp_path):
    return [
        write(tmp_path, "people.csv", "id,created_at,title\na,2026-01-01,CEO\nb,2026-01-02,CTO\n"),
        write(
            tmp_path,
            "log.csv",
            "lead_id,timestamp,event_name\n"
            "a,2026-01-03 10:00:00,Page View\na,2026-01-03 10:01:00,Page View\n"
            "b,2026-01-04 09:00:00,it's\n",
        ),
        write(
            tmp_path,
            "stages.csv",
            "lead_id,stage,entered_at\na,Closed Won,2026-02-01\nb,Unqualified,2026-02-02\n",
        ),
        write(
            tmp_path,
            "answers.csv",
            "lead_id,decision,decided_at,rep\na,accepted,2026-01-20,r1\nb,reject,2026-01-21,r2\n",
        ),
    ]


def proposed(files, folder, **options):
    out = folder / "my.yaml"
    proposal = write_config(files, out, **options)
    return load_settings(out), proposal


def test_a_flat_file_gives_its_key_date_and_outcome(flat, tmp_path):
    settings, proposal = proposed([flat], tmp_path)
    (leads,) = settings.sources.leads
    assert leads.columns == {"lead_id": "Lead ID", "created_at": "Create Date"}
    assert (leads.outcome.positive, leads.outcome.negative) == (("1",), ("0",))
    assert (leads.delimiter, leads.file) == (";", "flat.csv")
    assert leads.missing == ("Select",)
    assert settings.target.stage == "outcome"
    assert "'Converted' is the outcome, yes is '1'" in proposal.guesses


def test_an_order_column_stands_for_time_when_named(flat, tmp_path):
    settings, _ = proposed([flat], tmp_path, order="Lead ID")
    assert settings.sources.leads[0].order == "Lead ID"
    assert "created_at" not in settings.sources.leads[0].columns


def test_without_a_date_the_order_of_the_rows_stands_for_time(tmp_path):
    path = write(tmp_path, "bare.csv", "size,won\n1,yes\n2,no\n2,no\n")
    settings, proposal = proposed([path], tmp_path)
    assert settings.sources.leads[0].order == "file"
    assert any("row number becomes the lead's id" in guess for guess in proposal.guesses)


def test_several_exports_are_told_apart_by_their_columns(exports, tmp_path):
    settings, _ = proposed(exports, tmp_path)
    sources = settings.sources
    assert sources.leads[0].file == "people.csv"
    assert sources.events[0].columns == {
        "lead_id": "lead_id",
        "occurred_at": "timestamp",
        "type": "event_name",
    }
    assert sources.stages[0].values == {
        "stage": {"Closed Won": "customer", "Unqualified": "disqualified"}
    }
    assert sources.verdicts[0].columns["who"] == "rep"
    assert sources.verdicts[0].values == {"verdict": {"reject": "rejected"}}
    assert (settings.target.stage, settings.points.rule) == ("customer", "weekly")


def test_every_frequent_event_type_becomes_a_signal(exports, tmp_path):
    settings, _ = proposed(exports, tmp_path)
    signals = {name: signal.where for name, signal in settings.plan.signals.items()}
    assert signals == {"page_view": "type = 'Page View'", "it_s": "type = 'it''s'"}


def test_a_named_stage_of_their_own_becomes_customer(exports, tmp_path):
    settings, _ = proposed(exports, tmp_path, target="Unqualified")
    assert settings.sources.stages[0].values["stage"]["Unqualified"] == "customer"


def test_a_list_of_won_deals_is_a_stage_history(tmp_path):
    leads = write(
        tmp_path, "mqls.csv", "mql_id,first_contact_date,origin\na,2026-01-01,x\nb,2026-01-02,y\n"
    )
    deals = write(tmp_path, "deals.csv", "mql_id,won_date,segment\na,2026-02-01 10:00:00,pet\n")
    settings, _ = proposed([leads, deals], tmp_path)
    assert settings.sources.stages[0].constants == {"stage": "customer"}
    assert settings.sources.stages[0].columns == {"lead_id": "mql_id", "entered_at": "won_date"}


def test_undecided_outcomes_are_open_not_no(tmp_path):
    path = write(tmp_path, "d.csv", "deal_id,deal_stage\n1,Won\n2,Lost\n3,Engaging\n4,Won\n")
    settings, _ = proposed([path], tmp_path)
    outcome = settings.sources.leads[0].outcome
    assert (outcome.positive, outcome.negative, outcome.open) == (
        ("Won",),
        ("Lost",),
        ("Engaging",),
    )


def test_without_an_outcome_the_columns_are_listed(tmp_path):
    path = write(tmp_path, "d.csv", "id,colour\n1,red\n2,blue\n")
    with pytest.raises(SchemaError, match="'id', 'colour'"):
        propose_config([path])


def test_outcome_values_that_are_not_yes_and_no_are_shown(tmp_path):
    path = write(tmp_path, "d.csv", "id,colour\n1,red\n2,blue\n3,green\n")
    with pytest.raises(SchemaError, match="'blue'"):
        propose_config([path], target="colour")


@pytest.mark.parametrize("option", ["target", "order"])
def test_a_misspelt_column_is_answered_with_the_nearest(flat, option):
    with pytest.raises(SchemaError, match="did you mean 'Converted'"):
        propose_config([flat], **{option: "Convertd"})


def test_only_histories_without_leads_are_refused(exports):
    with pytest.raises(SchemaError, match="one row per lead"):
        propose_config(exports[1:2])


def test_no_files_missing_files_and_empty_files_are_named(tmp_path):
    with pytest.raises(UsageError, match="no files"):
        propose_config([])
    with pytest.raises(DataError, match="no such file"):
        propose_config([tmp_path / "none.csv"])
    with pytest.raises(DataError, match="empty"):
        propose_config([write(tmp_path, "empty.csv", "")])


def test_a_file_that_is_no_table_is_refused(tmp_path):
    path = tmp_path / "x.parquet"
    path.write_bytes(b"not parquet")
    with pytest.raises(DataError, match="not a sound Parquet file"):
        propose_config([path])


def test_an_existing_config_is_kept_unless_told(flat, tmp_path):
    out = write(tmp_path, "my.yaml", "mine")
    with pytest.raises(UsageError, match="the file exists"):
        write_config([flat], out)
    assert out.read_text() == "mine"
    write_config([flat], out, replace=True)
    assert load_settings(out).name == "my"


def test_newline_delimited_json_and_parquet_are_read_too(tmp_path):
    import pandas as pd

    frame = pd.DataFrame({"lead_id": ["a", "b"], "won": ["yes", "no"]})
    frame.to_parquet(tmp_path / "p.parquet")
    write(tmp_path, "n.ndjson", '{"lead_id":"a","won":"yes"}\n{"lead_id":"b","won":"no"}\n')
    for name in ("p.parquet", "n.ndjson"):
        settings, _ = proposed([tmp_path / name], tmp_path, replace=True)
        assert settings.sources.leads[0].outcome.positive == ("yes",)


def test_a_lead_that_stands_twice_does_not_cost_the_leads_their_ids(tmp_path):
    rows = [f"L{i},2026-01-{1 + i % 28:02d},{i % 2}\n" for i in range(40)]
    text = "lead_id,created_at,converted\n" + "".join([*rows, rows[3], ",2026-01-02,0\n"])
    settings, proposal = proposed([write(tmp_path, "leads.csv", text)], tmp_path)
    assert settings.sources.leads[0].columns["lead_id"] == "lead_id"
    assert any("2 rows repeat a 'lead_id' or have none" in guess for guess in proposal.guesses)


def test_a_broken_line_is_left_out_of_the_look(exports, tmp_path):
    lines = [
        '{"id": "e1", "lead": "a", "ts": "2026-01-03T10:00:00Z", "event": "visit"}',
        '{"id": "e2", "lead": "a", "ts": "2026-01-0',
        '{"id": "e3", "lead": "b", "ts": "2026-01-04T10:00:00Z", "event": "visit"}',
    ]
    log = write(tmp_path, "web.ndjson", "\n".join(lines) + "\n")
    settings, _ = proposed([*exports, log], tmp_path)
    assert settings.sources.events[1].columns == {
        "lead_id": "lead",
        "occurred_at": "ts",
        "type": "event",
        "event_id": "id",
    }
    assert set(settings.plan.signals) == {"page_view", "it_s", "visit"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_look_understands_the_byte_order_marks_that_ingest_does(tmp_path, encoding):
    path = tmp_path / "marked.csv"
    path.write_bytes("lead_id;won\na;yes\nb;no\n".encode(encoding))
    settings, _ = proposed([path], tmp_path)
    assert settings.sources.leads[0].columns["lead_id"] == "lead_id"


def test_a_file_that_is_neither_leads_nor_a_history_is_named(exports, tmp_path):
    odd = write(tmp_path, "odd.csv", "colour,weight\nred,1\nred,1\nblue,2\n")
    with pytest.raises(SchemaError, match=r"nothing tells what the file holds[^$]*'colour'"):
        propose_config([*exports, odd])


def test_a_target_that_is_no_stage_is_answered_with_the_nearest(exports):
    with pytest.raises(SchemaError, match="did you mean 'customer'"):
        propose_config(exports, target="custmer")


def test_event_types_that_look_alike_become_signals_of_their_own(exports, tmp_path):
    text = "lead_id,timestamp,event_name\na,2026-01-03,page-view\nb,2026-01-04,page_view\n"
    log = write(tmp_path, "more.csv", text)
    settings, _ = proposed([*exports, log], tmp_path)
    wheres = {signal.where for signal in settings.plan.signals.values()}
    assert wheres == {
        "type = 'Page View'",
        "type = 'it''s'",
        "type = 'page-view'",
        "type = 'page_view'",
    }
