import pytest

from mqlml.criteria.agreement import Agreement, agreement_faults, agreement_of
from mqlml.criteria.file import criteria_digest
from mqlml.criteria.settings import Criteria, Rule, SignOff, Thresholds

CONTENT = Criteria(version=2, thresholds=Thresholds(mql_probability=0.3))


def signed(criteria: Criteria, *teams: str, over: Criteria | None = None) -> Criteria:
    digest = criteria_digest(over or criteria)
    marks = tuple(
        SignOff(team=team, who=f"head of {team}", role="head", on="2026-03-30", digest=digest)
        for team in teams
    )
    return criteria.model_copy(update={"signed": criteria.signed + marks})


def test_criteria_that_nobody_signed_are_a_draft_and_lack_nothing() -> None:
    assert agreement_of(CONTENT) is Agreement.DRAFT
    assert list(agreement_faults(CONTENT)) == []


def test_two_signatures_over_this_content_are_an_agreement() -> None:
    both = signed(CONTENT, "marketing", "sales")
    assert agreement_of(both) is Agreement.SIGNED
    assert list(agreement_faults(both)) == []


def test_one_signature_waits_for_the_other_team() -> None:
    half = signed(CONTENT, "sales")
    assert agreement_of(half) is Agreement.WAITING
    (fault,) = agreement_faults(half)
    assert fault.what == "version 2 of the criteria is not signed by marketing"
    assert fault.found == "no signature"
    assert "mqlml criteria sign FILE --team marketing" in fault.mend


@pytest.mark.parametrize(
    "edit",
    [
        {"thresholds": Thresholds(mql_probability=0.31)},
        {"exclusions": (Rule(name="staff", when="is_staff"),)},
        {"valid_from": "2026-04-01"},
        {"note": "other words"},
        {"owners": ("sales",)},
    ],
)
def test_any_edit_after_signing_unsigns_for_both_teams(edit: dict[str, object]) -> None:
    edited = signed(CONTENT, "marketing", "sales").model_copy(update=edit)
    assert agreement_of(edited) is Agreement.CHANGED
    faults = list(agreement_faults(edited))
    assert [fault.what.split()[-1] for fault in faults] == ["marketing", "sales"]
    assert f"signed content {criteria_digest(CONTENT)} on 2026-03-30" in faults[0].found
    assert f"edited since, and is now {criteria_digest(edited)}" in faults[0].found


def test_one_of_two_signing_an_edit_again_is_not_enough() -> None:
    old = CONTENT.model_copy(update={"version": 1})
    mixed = signed(signed(CONTENT, "sales", over=old), "marketing")
    assert agreement_of(mixed) is Agreement.CHANGED
    assert [fault.what.split()[-1] for fault in agreement_faults(mixed)] == ["sales"]


def test_a_signature_that_names_no_content_is_not_over_this_one() -> None:
    bare = SignOff(team="sales", who="S", on="2026-03-30")
    criteria = CONTENT.model_copy(update={"signed": (bare,)})
    assert agreement_of(criteria) is Agreement.CHANGED
    assert "a content that is not named" in [f.found for f in agreement_faults(criteria)][1]
