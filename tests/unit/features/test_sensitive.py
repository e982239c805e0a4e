import pytest

from mqlml.errors import ConfigError
from mqlml.features.sensitive import (
    dropped_faults,
    excluded_names,
    plan_faults,
    sensitive_columns,
)
from mqlml.features.sensitive_names import sensitive_kind
from mqlml.features.settings import PlanSettings, SensitiveSettings
from mqlml.tables.contracts import Attribute, ColumnType, Known

AGE = Attribute("age", ColumnType.NUMBER)
GENDER = Attribute("Gender", ColumnType.TEXT)
CLUB = Attribute("club", ColumnType.TEXT)
INDUSTRY = Attribute("industry", ColumnType.TEXT)


def columns(*attributes, **settings):
    return sensitive_columns(SensitiveSettings(**settings), attributes)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("age", "age;Age Group;dateOfBirth;DOB;customer_age;Geburtsdatum;edad;date de naissance"),
        ("gender", "gender;Sex;Geschlecht;Anrede;salutation;genderCode;sexe"),
        ("nationality", "nationality;Staatsangehörigkeit;nationalité;country_of_birth"),
        ("ethnicity", "ethnicity;race;ethnic_group;ethnie"),
        ("religion", "religion;Konfession;religious_affiliation"),
        ("marital status", "marital;marital-status;Familienstand;état civil;estado civil"),
        ("disability", "disability;has_disability;Behinderung;handicap"),
        ("where somebody lives", "zip;ZIP Code;postcode;BillingPostalCode;PLZ;código postal"),
    ],
)
def test_columns_are_told_by_name_in_several_languages(kind, names):
    assert {name: sensitive_kind(name) for name in names.split(";")} == dict.fromkeys(
        names.split(";"), kind
    )


ALIKE = """
    page_age;account age;lead_age;average;stage;country;zip_download;race_condition;usage
    account_disabled;job;contact;package;Essex;message;language;marketing
"""


@pytest.mark.parametrize("name", [name.strip() for name in ALIKE.replace("\n", ";").split(";")])
def test_words_that_only_look_alike_are_not_sensitive(name):
    assert sensitive_kind(name) == ""


def test_sensitive_columns_are_excluded_unless_allowed_with_a_reason():
    found = columns(AGE, GENDER, INDUSTRY, CLUB, columns=["club"], allow={"age": "a pension fund"})
    assert [(c.name, c.kind, c.is_allowed) for c in found] == [
        ("age", "age", True),
        ("Gender", "gender", False),
        ("club", "declared", False),
    ]
    assert excluded_names(found) == ("Gender", "club")


def test_what_is_known_with_the_outcome_or_names_a_person_is_no_feature_anyway():
    late = Attribute("age", ColumnType.NUMBER, Known.OUTCOME)
    personal = Attribute("religion", ColumnType.TEXT, Known.PERSONAL)
    assert columns(late, personal) == ()


def test_all_faults_of_the_settings_are_told_at_once():
    with pytest.raises(ConfigError) as raised:
        columns(
            AGE, INDUSTRY, columns=["clubb"], allow={"industry": "why", "age": " ", "sexx": "so"}
        )
    told = [(fault.what, fault.where) for fault in raised.value.faults]
    assert told == [
        ("unknown attribute", "sensitive.columns"),
        ("not sensitive, so nothing has to be allowed", "sensitive.allow.industry"),
        ("allowed without a reason", "sensitive.allow.age"),
        ("unknown attribute", "sensitive.allow.sexx"),
    ]


def test_a_plan_that_asks_for_an_excluded_column_is_refused():
    plan = PlanSettings.model_validate(
        {
            "rates": {"of": ["Gender", "industry"], "verdicts": ["Gender"]},
            "icp": {"country": "Gender"},
            "signals": {"women": {"where": "customer_age > 30"}},
            "features": [{"kinds": ["mean"], "of": "customer_age"}],
        }
    )
    faults = plan_faults(plan, columns(GENDER, INDUSTRY), ["customer_age", "price"])
    assert [fault.where for fault in faults] == [
        "plan.rates.of",
        "plan.rates.verdicts",
        "plan.icp.country",
        "plan.signals.women.where",
        "plan.features[0].of",
    ]


def test_a_plan_may_ask_for_a_column_that_is_allowed():
    plan = PlanSettings.model_validate({"rates": {"of": ["Gender"]}})
    assert list(plan_faults(plan, columns(GENDER, allow={"Gender": "shoes"}), [])) == []


def test_a_column_is_not_allowed_and_dropped_at_once():
    (fault,) = dropped_faults(["age"], columns(AGE, allow={"age": "a pension fund"}))
    assert (fault.what, fault.where) == ("allowed and excluded at once", "sensitive.allow.age")
    assert list(dropped_faults(["age"], columns(AGE))) == []
