"""One person in three systems: exports side by side, and whose every row is."""

from tests.unit.sources.conftest import csv_text

ANN, AS_CONTACT = "00Q1G00000nDnM5UAK", "0031G00001QtDPlQAN"
EXPORTS = [
    {"system": "salesforce", "folder": "sf"},
    {"system": "hubspot", "folder": "hs", "master": False},
    {"system": "segment", "folder": "seg", "master": False},
]
FILES = {
    "sf/lead.csv": csv_text(
        {"id": ANN, "created_date": "2024-01-05", "email": "Ann@X.com", "is_converted": "TRUE"}
        | {"converted_date": "2024-03-01", "converted_contact_id": AS_CONTACT[:15]}
    ),
    "sf/contact.csv": csv_text(
        {"id": AS_CONTACT, "created_date": "2024-03-01", "email": "ann@x.com"}
    ),
    "sf/task.csv": csv_text(
        {"id": "00T1", "who_id": AS_CONTACT, "created_date": "2024-03-05", "type": "Call"}
    ),
    "hs/contact.csv": csv_text(
        {"id": "42", "property_createdate": "2024-01-03", "property_email": "ann@x.com"}
    ),
    "hs/contact_property_history.csv": csv_text(
        {"contact_id": "42", "name": "jobtitle", "value": "CTO", "timestamp": "2024-02-01"},
        {"contact_id": "42", "name": "lifecyclestage", "value": "marketingqualifiedlead"}
        | {"timestamp": "2024-02-02"},
    ),
    "hs/contact_form_submission.csv": csv_text(
        {"contact_id": "42", "form_id": "f", "timestamp": "2024-01-10"}
    ),
    "hs/email_event.csv": csv_text(
        {"id": "e", "type": "OPEN", "created": "2024-02-03", "recipient": "ANN@x.com"}
    ),
    "seg/pages.csv": csv_text(
        {"id": "1", "anonymous_id": "v", "timestamp": "2024-01-02", "received_at": "2024-01-02"},
        {"id": "2", "anonymous_id": "w", "timestamp": "2024-01-02", "received_at": "2024-01-02"},
    ),
    "seg/identifies.csv": csv_text(
        {"id": "3", "anonymous_id": "v", "user_id": "u", "email": "ann@X.com"}
        | {"timestamp": "2024-01-20", "received_at": "2024-01-20"}
    ),
}


def test_every_row_of_one_person_is_the_masters_lead_from_when_that_was_known(read):
    done = read(FILES, exports=EXPORTS)
    assert sorted(done.column("leads", "lead_id")) == [ANN, "a", "b"]
    found = done.texts("events", "type", "lead_id", "occurred_at", "arrived_at")
    day = "2024-{}T00:00:00".format
    assert sorted(found) == [
        ("call", ANN, day("03-05"), day("03-05")),
        ("email_opened", ANN, day("02-03"), day("02-03")),
        # HubSpot's contact is the lead's since both have the address.
        ("form_submit", ANN, day("01-10"), day("01-10")),
        # The visitor said who he is on the 20th: only then was this known.
        ("page_view", ANN, day("01-02"), day("01-20")),
        ("page_view", "segment:w", day("01-02"), day("01-02")),
    ]
    assert done.texts("attributes", "lead_id", "name", "value") == [(ANN, "jobtitle", "CTO")]
    assert sorted(done.texts("stages", "entered_at", "stage", "lead_id")) == [
        (day("01-05"), "lead", ANN),
        (day("02-02"), "mql", ANN),
        (day("03-01"), "sql", ANN),
    ]
    assert all(count.is_balanced for count in done.ingested.counts)
