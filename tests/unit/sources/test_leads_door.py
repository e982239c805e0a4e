import pytest

from mqlml.errors import ConfigError, SchemaError
from mqlml.tables.contracts import Attribute, ColumnType, Known

HEAD = "lead_id,created_at,"


def leads(read, text, **source):
    columns = {} if "order" in source else {"created_at": "created_at"}
    return read({"leads.csv": text}, leads=[{"file": "leads.csv", "columns": columns, **source}])


def filled(column, cells):
    rows = "".join(f'l{n},2024-01-01T00:00Z,"{cell}"\n' for n, cell in enumerate(cells))
    return f"{HEAD}{column}\n{rows}"


# --- an order in place of time ----------------------------------------------------------------


def test_an_order_column_becomes_times_one_minute_apart_and_ties_share_theirs(read):
    done = leads(read, "lead_id,no\na,30\nb,4\nc,30\nd,100\n", order="no")
    minutes = [t[11:16] for t in done.column("leads", "created_at")]
    assert minutes == ["00:02", "00:01", "00:02", "00:03"]
    assert done.column("leads", "created_at")[1] == "2000-01-01T00:01:00+00:00"
    assert done.ingested.is_order_time
    assert done.ingested.data_end == 946_684_800_000_000 + 4 * 60_000_000
    assert done.ingested.attribute_specs == ()


def test_an_order_of_text_sorts_as_text(read):
    done = leads(read, "lead_id,on\na,2024-02\nb,2023-12\n", order="on")
    assert [t[14:16] for t in done.column("leads", "created_at")] == ["02", "01"]


def test_the_order_of_the_file_is_the_order_of_its_rows_and_makes_ids(read):
    done = leads(read, "x\nb\na\nb\n", order="file")
    assert done.column("leads", "lead_id") == ["1", "2", "3"]
    assert [t[14:16] for t in done.column("leads", "created_at")] == ["01", "02", "03"]


def test_the_rows_of_a_second_file_come_after_the_first(read):
    source = {"order": "file"}
    done = read(
        {"one.csv": "x\n1\n2\n", "two.csv": "x\n3\n"},
        leads=[{"file": "one.csv", **source}, {"file": "two.csv", **source}],
    )
    assert done.column("leads", "lead_id") == ["1", "2", "2-1"]
    assert [t[14:16] for t in done.column("leads", "created_at")] == ["01", "02", "03"]


def test_listed_order_values_give_their_order_and_others_go_to_quarantine(read):
    done = leads(
        read, "lead_id,m\na,Mar\nb,Feb\nc,Mai\nd,Mar\ne,\n", order="m", order_values=["Feb", "Mar"]
    )
    assert done.column("leads", "lead_id") == ["a", "b", "d"]
    assert [t[14:16] for t in done.column("leads", "created_at")] == ["02", "01", "02"]
    assert done.reasons == ["order is not a number", "order is missing"]
    assert "now: Feb, Mar" in done.rows("quarantine")[0]["remedy"]


def test_the_odd_text_in_an_order_of_numbers_goes_to_quarantine(read):
    done = leads(read, "lead_id,no\na,1\nb,2\nc,x\n", order="no")
    assert done.reasons == ["order is not a number"]


def test_an_order_with_dated_tables_is_a_config_error(read):
    with pytest.raises(ConfigError, match="an order cannot be compared with times"):
        read({}, leads=[{"file": "leads.csv", "order": "file"}], events=[{"file": "e.csv"}])


def test_times_in_one_file_and_an_order_in_another_is_a_config_error(read):
    dated = {"file": "leads.csv", "columns": {"created_at": "created_at"}}
    with pytest.raises(ConfigError, match="some leads have times and some only an order"):
        read({}, leads=[dated, {"file": "leads.csv", "order": "file"}])


def test_orders_of_text_and_of_numbers_do_not_mix(read):
    files = {"one.csv": "lead_id,o\na,1\n", "two.csv": "lead_id,o\nb,x\n"}
    with pytest.raises(SchemaError, match="order is a number in one file and text in another"):
        read(files, leads=[{"file": f, "order": "o"} for f in files])


# --- the outcome ------------------------------------------------------------------------------


def test_the_outcome_is_yes_no_or_open(read):
    done = leads(
        read,
        filled("y", ["won", "lost", "new", "", "odd", "won", "won"]),
        outcome={"column": "y", "positive": ["won"], "negative": ["lost"], "open": ["new"]},
    )
    assert done.column("leads", "outcome") == [True, False, None, None, True, True]
    assert done.reasons == ["outcome is not a yes or no"]
    assert "outcome.positive, negative or open" in done.rows("quarantine")[0]["remedy"]


def test_without_negative_values_everything_else_is_no(read):
    done = leads(read, filled("y", ["1", "0", "x", ""]), outcome={"column": "y", "positive": ["1"]})
    assert done.column("leads", "outcome") == [True, False, False, None]


def test_outcome_words_that_hardly_ever_occur_are_a_schema_error(read):
    outcome = {"column": "y", "positive": ["Yes"], "negative": ["No"]}
    with pytest.raises(SchemaError, match="the first is 'unlisted: true'"):
        leads(read, filled("y", ["true", "false"]), outcome=outcome)


# --- attributes -------------------------------------------------------------------------------


def test_every_column_that_is_not_mapped_is_an_attribute(read):
    done = leads(
        read,
        "id,created_at,Job Title,Employees,y,skip\na,2024-01-01T00:00Z,CEO,10,1,s\n",
        columns={"lead_id": "id", "created_at": "created_at"},
        outcome={"column": "y", "positive": ["1"]},
        attributes={"ignore": ["skip"], "outcome_side": ["Employees"]},
    )
    assert done.ingested.attribute_specs == (
        Attribute("Job Title", ColumnType.TEXT),
        Attribute("Employees", ColumnType.NUMBER, Known.OUTCOME),
    )
    row = done.rows("leads")[0]
    assert (row["Job Title"], row["Employees"], row["outcome"]) == ("CEO", 10.0, True)
    assert list(row) == ["lead_id", "created_at", "outcome", "account_id", "Job Title", "Employees"]


def test_only_named_columns_are_attributes_when_some_are_named(read):
    done = leads(
        read, "lead_id,created_at,x,y\na,2024-01-01T00:00Z,1,2\n", attributes={"columns": ["y"]}
    )
    assert [a.name for a in done.ingested.attribute_specs] == ["y"]


def test_an_attribute_setting_for_a_column_that_is_not_there_is_a_schema_error(read):
    with pytest.raises(SchemaError) as caught:
        leads(
            read,
            filled("country", ["x"]),
            attributes={"ignore": ["contry"], "types": {"size": "number"}},
        )
    assert [f.what for f in caught.value.faults] == ["no column 'contry'", "no column 'size'"]


def test_a_column_of_numbers_with_one_in_a_hundred_that_is_none_is_a_number(read):
    done = leads(read, filled("n", ["1,000", *["2"] * 98, "two"]))
    assert done.ingested.attribute_specs == (Attribute("n", ColumnType.NUMBER),)
    assert done.column("leads", "n")[0] == 1000.0
    assert done.column("leads", "n")[-1] is None
    assert "leads, n: values that are no number, taken as missing (1 rows)" in done.notes


def test_a_column_of_numbers_with_more_than_that_is_text(read):
    done = leads(read, filled("n", [*["2"] * 98, "two", "three"]))
    assert done.ingested.attribute_specs == (Attribute("n", ColumnType.TEXT),)


@pytest.mark.parametrize("cells", [["01234", "20095"], ["", ""], ["TRUE", "FALSE"], ["nan", "inf"]])
def test_codes_empty_columns_flags_and_no_numbers_are_text(read, cells):
    done = leads(read, filled("n", cells))
    assert done.ingested.attribute_specs == (Attribute("n", ColumnType.TEXT),)


def test_infinity_and_nan_in_an_attribute_are_missing(read):
    done = leads(read, filled("n", [*["1"] * 200, "inf", "nan"]))
    assert done.column("leads", "n")[-2:] == [None, None]


def test_declared_types_hold(read):
    text = "lead_id,created_at,zip,vip,n\na,2024-01-01T00:00Z,1234,yes,x\n"
    text += "b,2024-01-01T00:00Z,5,perhaps,1\nc,2024-01-01T00:00Z,,no,2\n"
    types = {"zip": "text", "vip": "flag", "n": "number"}
    done = leads(read, text, attributes={"types": types})
    assert done.column("leads", "zip") == ["1234", "5", None]
    assert done.column("leads", "vip") == [True, None, False]
    assert done.column("leads", "n") == [None, 1.0, 2.0]
    assert [a.type for a in done.ingested.attribute_specs] == ["text", "flag", "number"]


def test_a_declared_number_that_mostly_is_none_is_a_schema_error(read):
    with pytest.raises(SchemaError, match="most values are not a number"):
        leads(read, filled("n", ["a", "b", "1"]), attributes={"types": {"n": "number"}})


def test_numbers_with_a_decimal_comma_are_numbers_when_declared(read):
    done = leads(read, filled("n", ["1.234,5", "2,5"]), decimal=",")
    assert done.column("leads", "n") == [1234.5, 2.5]


def test_an_attribute_called_like_a_contract_column_is_renamed(read):
    done = leads(read, filled("Outcome", ["won"]))
    assert [a.name for a in done.ingested.attribute_specs] == ["source_Outcome"]
    assert any("renamed to 'source_Outcome'" in note for note in done.notes)


def test_values_of_an_attribute_can_be_renamed(read):
    done = leads(read, filled("c", ["DE", "FR"]), values={"c": {"DE": "Germany"}})
    assert done.column("leads", "c") == ["Germany", "FR"]


def test_an_empty_nameless_column_is_dropped_with_a_note_and_a_filled_one_stays(read):
    done = leads(read, "lead_id,created_at,,\na,2024-01-01T00:00Z,x,\nb,2024-01-01T00:00Z,y,\n")
    assert [a.name for a in done.ingested.attribute_specs] == ["column_3"]
    assert done.notes == ["leads, leads.csv, column_4: dropped: no name and no value"]


def test_a_second_file_adds_leads_and_its_missing_columns_are_null(read):
    dated = {"columns": {"created_at": "created_at"}}
    done = read(
        {
            "one.csv": "lead_id,created_at,x,n\na,2024-01-01T00:00Z,p,1\n",
            "two.csv": "lead_id,created_at,y,n\nb,2024-01-01T00:00Z,q,2\na,2024-01-01T00:00Z,q,3\n",
        },
        leads=[
            {"file": "one.csv", **dated},
            {"file": "two.csv", "attributes": {"outcome_side": ["y"]}, **dated},
        ],
    )
    assert done.column("leads", "x") == ["p", None]
    assert done.column("leads", "y") == [None, "q"]
    assert done.column("leads", "n") == [1.0, 2.0]
    assert [(a.name, a.known) for a in done.ingested.attribute_specs] == [
        ("x", Known.CREATION),
        ("n", Known.CREATION),
        ("y", Known.OUTCOME),
    ]
    assert done.count("leads") == (3, 2, 0, 1, 0)


def test_long_text_and_emoji_survive(read):
    long = "🙂" * 10_000
    assert leads(read, filled("t", [long])).column("leads", "t") == [long]


# --- dated attributes -------------------------------------------------------------------------


def test_dated_attributes_have_types_of_their_own(read):
    text = "lead_id,name,value,known_at\na,title,CEO,2024-01-03T00:00Z\n"
    text += 'a,size,"1,200",2024-01-03T00:00Z\nb,size,90,2024-01-03T00:00Z\n'
    done = read({"h.csv": text}, attributes=[{"file": "h.csv"}])
    assert done.column("attributes", "value") == ["CEO", "1200.0", "90.0"]
    assert done.ingested.attribute_specs == (
        Attribute("size", ColumnType.NUMBER, Known.DATED),
        Attribute("title", ColumnType.TEXT, Known.DATED),
    )


def test_an_attribute_both_in_leads_and_dated_is_a_schema_error(read):
    text = "lead_id,name,value,known_at\na,title,CEO,2024-01-03T00:00Z\n"
    with pytest.raises(SchemaError, match="title: attribute is in leads and in attributes"):
        read({"leads.csv": filled("title", ["x"]), "h.csv": text}, attributes=[{"file": "h.csv"}])


# --- wide tables ------------------------------------------------------------------------------


def test_a_table_of_six_hundred_columns_is_read(read):
    columns = 600
    head = HEAD + ",".join(f"c{n}" for n in range(columns))
    rows = [
        f"l{row},2024-01-01T00:00Z," + ",".join(str(row * n) for n in range(columns))
        for row in range(3)
    ]
    done = leads(read, "\n".join([head, *rows]) + "\n")
    assert done.column("leads", "c7") == [0.0, 7.0, 14.0]
    assert done.column("leads", "c599") == [0.0, 599.0, 1198.0]
    assert {spec.type for spec in done.ingested.attribute_specs} == {ColumnType.NUMBER}
