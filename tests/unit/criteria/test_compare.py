import pytest

from mqlml.criteria.compare import criteria_changes
from mqlml.criteria.settings import Criteria, Rule, SignOff, Thresholds

SIZE = Rule(name="size", when="company_size >= 50", says="company size")
MARKET = Rule(name="market", when="country = 'DE'")
OLD = Criteria(version=1, icp_gate=(SIZE, MARKET), thresholds=Thresholds(capacity_per_week=40))


def changes(**update: object) -> tuple[str, ...]:
    return criteria_changes(OLD, OLD.model_copy(update=update))


def test_equal_criteria_have_no_changes() -> None:
    assert changes() == ()


def test_a_signature_is_not_a_change() -> None:
    assert changes(signed=(SignOff(team="sales", who="S", on="2026-01-01"),)) == ()


def test_a_new_version_of_gate_and_thresholds_is_told_in_sentences() -> None:
    larger = SIZE.model_copy(update={"when": "company_size >= 500"})
    told = changes(
        version=2,
        valid_from="2026-03-01",
        owners=("Sales",),
        note="enterprise first",
        icp_gate=(larger,),
        disqualifiers=(Rule(name="staff", when="email_domain = 'us.example'"),),
        thresholds=Thresholds(capacity_per_week=25.5, mql_probability=0.1),
    )
    assert told == (
        "version 1 became 2",
        "valid from none became 2026-03-01",
        "owners became Sales",
        "ICP gate 'market' was removed",
        "ICP gate 'size' changed from company_size >= 50 to company_size >= 500",
        "disqualifier 'staff' was added: email_domain = 'us.example'",
        "capacity of sales per week 40 became 25.5",
        "MQL probability none became 0.1",
        "the note was rewritten",
    )


def test_other_words_and_another_order_of_rules_are_changes() -> None:
    renamed = SIZE.model_copy(update={"says": "too small"})
    assert changes(icp_gate=(renamed, MARKET)) == ("ICP gate 'size' is now worded 'too small'",)
    assert changes(icp_gate=(MARKET, SIZE)) == ("ICP gates are in another order: market, size",)


def test_an_exclusion_is_told_as_such() -> None:
    staff = Rule(name="staff", when="is_staff")
    assert changes(exclusions=(staff,)) == ("exclusion 'staff' was added: is_staff",)


LISTED = "coalesce(industry, 'none') IN ('steel', 'software', 'none')"


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (LISTED.replace("'software', ", ""), "no longer names 'software'"),
        (LISTED.replace("'steel'", "'steel' , 'paper'"), "now names 'paper'"),
        (LISTED.replace("'steel'", "'paper'"), "now names 'paper' and no longer 'steel'"),
        # Only where that is all there is to say.
        (LISTED.replace(" IN", " NOT IN"), None),
        (LISTED.replace("'steel', 'software'", "'software', 'steel'"), None),
        (f"{LISTED} OR size IN ('large')", None),
    ],
)
def test_of_a_changed_list_only_the_values_that_came_and_went_are_told(after, said):
    rule = Rule(name="market", when=LISTED)
    before = Criteria(version=1, icp_gate=(rule,))
    changed = before.model_copy(update={"icp_gate": (rule.model_copy(update={"when": after}),)})
    said = said or f"changed from {LISTED} to {after}"
    assert criteria_changes(before, changed) == (f"ICP gate 'market' {said}",)
