"""Faulty tables: what can be kept trains, the rest is named; nothing is lost or half-written."""

import json
import sqlite3
from contextlib import closing

import pytest
from tests.flat_table import FLAT, refused, rows_of, train
from tests.page_checks import faults_of


def test_the_untouched_table_trains(mqlml, flat):
    assert train(mqlml, flat[0]).code == 0


def test_a_missing_data_file_is_named(mqlml, flat):
    config, _ = flat
    (config.parent / "flat.csv").unlink()
    assert refused(train(mqlml, config), 5, "no such file", "flat.csv")


def test_an_empty_file_is_named(mqlml, flat):
    config, _ = flat
    (config.parent / "flat.csv").write_bytes(b"")
    assert refused(train(mqlml, config), 5, "file is empty", "flat.csv")


def test_a_renamed_column_is_answered_with_the_nearest_name(mqlml, flat):
    config, rewrite = flat
    rewrite([rows_of()[0].replace("created", "creatd"), *rows_of()[1:]])
    assert refused(train(mqlml, config), 4, "created", "creatd")


def test_a_wrong_delimiter_is_told_from_a_missing_column(mqlml, flat):
    config, _ = flat
    text = config.read_text(encoding="utf-8").replace(
        "file: flat.csv", 'file: flat.csv\n    delimiter: ";"'
    )
    config.write_text(text, encoding="utf-8")
    answer = train(mqlml, config)
    assert refused(answer, 4, "delimiter")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_are_understood(mqlml, flat, encoding):
    config, rewrite = flat
    rewrite(rows_of(), encoding)
    assert train(mqlml, config).code == 0


def test_rows_that_break_the_contract_are_quarantined_and_the_rest_trains(mqlml, flat):
    config, rewrite = flat
    bad = [
        "L0,2025-01-01,0,maybe",
        "X1,never,0,yes",
        "X2,1970-01-02,0,yes",
        "X3,2199-01-01,0,yes",
        "X4,2025-01-01,0",
        ",2025-01-01,0,yes",
    ]
    rewrite([*rows_of(), *bad])
    answer = train(mqlml, config, "--json")
    assert answer.code == 0
    assert answer.document["quarantined"] == len(bad)


def test_duplicates_are_dropped_and_conflicting_ids_quarantined(mqlml, flat):
    config, rewrite = flat
    rewrite([*rows_of(), rows_of()[1], rows_of()[2].replace("2025-01", "2025-02")])
    answer = mqlml("ingest", "--config", config, "--workspace", config.parent / "w", "--json")
    (count,) = answer.document["files"]
    assert (count["kept"], count["duplicates"], count["quarantined"]) == (600, 1, 1)


def test_emoji_long_texts_nan_and_infinity_do_no_harm(mqlml, flat):
    config, rewrite = flat
    lines = rows_of()
    lines[0] += ",note,ratio"
    odd = ["😀", "x" * 10_000, "é\u202e", ""]
    ratio = ["nan", "1.5", "-inf", "1e999"]
    rewrite(
        [lines[0], *(f"{line},{odd[i % 4]},{ratio[i % 4]}" for i, line in enumerate(lines[1:]))]
    )
    assert train(mqlml, config).code == 0


@pytest.mark.parametrize(
    ("won", "what"), [(False, "the outcome never happens"), (True, "every lead converts")]
)
def test_one_class_only_says_what_was_found(mqlml, flat, won, what):
    config, rewrite = flat
    rewrite(rows_of(won=lambda _: won))
    assert refused(train(mqlml, config), 5, what, "600 leads")


def test_leads_without_anything_to_learn_from_are_refused(mqlml, flat):
    config, rewrite = flat
    rewrite([line.rsplit(",", 2)[0] + "," + line.rsplit(",", 1)[1] for line in rows_of()])
    assert refused(train(mqlml, config), 5, "nothing to learn from")


def test_dates_in_two_formats_are_quarantined_or_the_format_is_asked_for(mqlml, flat):
    config, rewrite = flat
    lines = rows_of()

    def turned(line):
        lead, day, *cells = line.split(",")
        return ",".join([lead, "/".join(reversed(day.split("-"))), *cells])

    rewrite([*lines[:500], *map(turned, lines[500:])])
    assert train(mqlml, config, "--json").document["quarantined"] == 101
    rewrite([lines[0], *map(turned, lines[1:])])
    assert refused(train(mqlml, config), 4, "created_at are not a time", "time_format")


def test_numbers_with_commas_are_numbers(mqlml, flat):
    config, rewrite = flat
    lines = rows_of(size=lambda i: f'"{1 + 9 * (i % 2)},000.50"')
    rewrite(lines)
    assert train(mqlml, config, "--json").document["winner"] == "logistic"


def test_a_quote_that_never_closes_costs_its_own_row_only(mqlml, flat):
    config, rewrite = flat
    lines = rows_of()
    rewrite([*lines[:300], 'Q,"2025-01-01,1,yes', *lines[300:]])
    (count,) = ingest(mqlml, config).document["files"]
    assert (count["rows"], count["kept"], count["quarantined"]) == (601, 600, 1)


def ingest(mqlml, config):
    return mqlml("ingest", "--config", config, "--workspace", config.parent / "w", "--json")


def test_twenty_leads_are_too_few(mqlml, flat):
    config, rewrite = flat
    rewrite(rows_of(leads=20))
    assert refused(train(mqlml, config), 5, "too few leads", "20 leads")


def test_all_features_constant_is_not_published(mqlml, flat):
    config, rewrite = flat
    rewrite(rows_of(size=lambda _: 3))
    answer = train(mqlml, config, "--json")
    assert answer.code == 9
    assert answer.document["published"] is False
    assert answer.document["model"]["version"] is None
    assert any(not gate["passed"] for gate in answer.document["gates"])


def test_a_column_that_knows_the_outcome_stops_the_run(mqlml, flat):
    config, rewrite = flat
    lines = rows_of()
    deal = [f"{line},{100 if line.endswith('yes') else ''}" for line in lines[1:]]
    rewrite([lines[0] + ",deal_value", *deal])
    answer = train(mqlml, config)
    assert refused(answer, 6, "deal_value", "outcome_side", "every finding is drawn on a page")
    (page,) = (config.parent / "w" / "reports").glob("audit-*.html")
    text = page.read_text(encoding="utf-8")
    assert faults_of(text) == []
    assert "deal_value: alone too good" in text or "appears only for converted leads" in text
    assert "<figure" in text


def test_an_allowed_leak_needs_its_reason_and_then_trains(mqlml, flat):
    config, rewrite = flat
    lines = rows_of()
    deal = [f"{line},{100 if line.endswith('yes') else ''}" for line in lines[1:]]
    rewrite([lines[0] + ",deal_value", *deal])
    config.write_text(FLAT + "audit: {allow: {deal_value: }}\n")
    assert refused(train(mqlml, config), 3, "audit.allow.deal_value")
    config.write_text(FLAT + "audit: {allow: {deal_value: ' '}}\n")
    assert refused(train(mqlml, config), 3, "audit.allow.deal_value", "without a reason")
    config.write_text(FLAT + "audit: {allow: {deal_value: quoted before the outcome}}\n")
    assert train(mqlml, config).code == 0
    with closing(sqlite3.connect(config.parent / "w" / "mlflow.db")) as database:
        (tag,) = database.execute("SELECT value FROM tags WHERE key = 'audit_overrides'")
        (param,) = database.execute("SELECT value FROM params WHERE key = 'audit_overrides'")
    assert json.loads(tag[0]) == {"deal_value": "quoted before the outcome"}
    assert param == ("1",)
