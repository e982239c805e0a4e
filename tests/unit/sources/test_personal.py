import pytest

from mqlml.sources.personal import is_personal_name
from mqlml.tables.contracts import Known


def leads_of(*columns):
    """Return a leads file with fourteen rows: every column a name and a function of the row."""
    head = ",".join(["lead_id", "created_at", *(name for name, _ in columns)])
    rows = [
        ",".join([f"l{n}", "2026-01-01T00:00:00Z", *(f'"{value(n)}"' for _, value in columns)])
        for n in range(14)
    ]
    return "\n".join([head, *rows]) + "\n"


def known(read, *columns, **attributes):
    leads = {"file": "l.csv", "columns": {"created_at": "created_at"}, "attributes": attributes}
    got = read({"l.csv": leads_of(*columns)}, leads=[leads])
    return {spec.name: spec.known for spec in got.ingested.attribute_specs}, got


TEXT = "wants to see the product at the fair and asked that we call him back in the new year, {}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("contact", lambda n: f"p{n}@acme.example"),
        ("line", lambda n: f"+49 30 1234{n:03}"),
        ("mobile", lambda n: 491_701_234_500 + n),
        ("First Name", lambda n: f"Ann{n}"),
        ("lastname", lambda n: f"Lee{n}"),
        ("name", lambda n: f"Ann{n}"),
        ("comments", lambda n: f"call{n}"),
        ("remark_of_form", lambda n: TEXT.format(n)),
    ],
)
def test_what_tells_who_a_person_is_is_no_feature_unless_switched_on(read, name, value):
    specs, got = known(read, (name, value), ("industry", lambda n: "steel"))
    assert specs == {name: Known.PERSONAL, "industry": Known.CREATION}
    assert any(f"{name}: never a feature" in note for note in got.notes)
    assert not any("acme" in note for note in got.notes)
    specs, _ = known(read, (name, value), allow_personal=[name])
    assert specs == {name: Known.CREATION}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("company_name", lambda n: f"Acme{n}"),
        ("Do Not Email", lambda n: "Yes" if n % 2 else "No"),
        ("job_title", lambda n: f"Head of {n}"),
        ("postcode", lambda n: f"1{n:04}"),
        ("emails_opened", lambda n: n),
        ("score", lambda n: n * 1.5),
    ],
)
def test_what_does_not_stays_a_feature(read, name, value):
    specs, _ = known(read, (name, value))
    assert specs == {name: Known.CREATION}


def test_a_column_of_consent_is_no_feature(read):
    files = {"l.csv": leads_of(("objected", lambda n: "yes" if n % 2 else "no"))}
    leads = {"file": "l.csv", "columns": {"created_at": "created_at"}}
    consent = [{"column": "objected", "refused": ["yes"]}]
    got = read(files, leads=[leads], consent=consent)
    assert [spec.known for spec in got.ingested.attribute_specs] == [Known.PERSONAL]


def test_dated_names_and_addresses_are_no_features(read):
    text = "lead_id,name,value,known_at\na,email,a@x.org,2024-02-01T00:00:00Z\n"
    text += "a,industry,steel,2024-02-01T00:00:00Z\n"
    got = read({"a.csv": text}, attributes=[{"file": "a.csv"}])
    assert [spec.name for spec in got.ingested.attribute_specs] == ["industry"]
    assert got.count("attributes")[1] == 2


def test_names_are_read_however_they_are_written():
    assert is_personal_name("emailAddress") == "e-mail addresses"
    assert is_personal_name("Sur Name") == "names of people"
    assert is_personal_name("campaign name") == ""
