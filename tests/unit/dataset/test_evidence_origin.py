from tests.builders import at, make_tables

from mqlml.dataset.evidence.origin import Origin, origin_of
from mqlml.tables.contracts import Known


def value(lead, name, when):
    return {"lead_id": lead, "name": name, "value": "x", "known_at": when}


def tables_of(folder, *values):
    leads = [{"lead_id": f"L{n}", "created_at": f"2026-01-0{n}", "city": "Bonn"} for n in (1, 2)]
    return make_tables(folder, leads=leads, attributes=values)


def test_the_origin_holds_each_dated_value_beside_its_leads_creation(tmp_path):
    origin = origin_of(tables_of(tmp_path, value("L2", "rank", "2026-01-05")))
    assert origin.known == {"city": Known.CREATION, "rank": Known.DATED}
    assert origin.history.to_dict("records") == [
        {"lead_id": "L2", "name": "rank", "known_at": at("2026-01-05"),
         "created_at": at("2026-01-02")},
    ]  # fmt: skip
    assert not origin.is_order_time


def test_an_attribute_dated_to_the_creation_of_its_leads_has_no_dates_of_its_own(tmp_path):
    origin = origin_of(tables_of(
        tmp_path, value("L1", "size", "2026-01-01"), value("L2", "size", "2026-01-02"),
        value("L1", "rank", "2026-01-01"), value("L1", "rank", "2026-01-04"),
    ))  # fmt: skip
    assert origin.stamped() == {"size": 1.0}
    assert origin.dated() == {"rank"}


def test_a_value_of_a_lead_that_is_not_there_is_not_dated_to_a_creation(tmp_path):
    origin = origin_of(tables_of(tmp_path, value("L9", "rank", "2026-01-04")))
    assert origin.stamped() == {}


def test_without_tables_nothing_is_dated():
    assert Origin().dated() == frozenset()
    assert Origin().stamped() == {}
