from datetime import date

import pytest

from mqlml.criteria.file import criteria_digest, criteria_faults, criteria_from_dict
from mqlml.criteria.settings import Criteria
from mqlml.errors import ConfigError

RAW = {
    "version": 3,
    "valid_from": date(2026, 3, 31),
    "owners": ["Marketing operations", "Sales lead"],
    "signed": [{"team": "sales", "who": "A. Lead", "on": date(2026, 3, 30)}],
    "icp_gate": [{"name": "size", "when": "company_size >= 50", "says": "company size"}],
    "thresholds": {"capacity_per_week": 40},
}


def test_a_yaml_mapping_becomes_criteria_with_days_as_texts() -> None:
    criteria = criteria_from_dict(RAW)
    assert (criteria.version, criteria.valid_from) == (3, "2026-03-31")
    assert criteria.signed[0].on == "2026-03-30"
    assert criteria.icp_gate[0].when == "company_size >= 50"
    assert criteria.thresholds.capacity_per_week == 40


def test_all_shape_faults_are_named_together_with_place_and_nearest_name() -> None:
    raw = {
        "version": 0,
        "icp_gates": [],
        "disqualifiers": [{"name": "x", "whem": "1 = 1"}],
        "thresholds": {"capacity_per_wek": 3, "warm_share_of_mql": 2},
    }
    with pytest.raises(ConfigError) as caught:
        criteria_from_dict(raw)
    text = str(caught.value)
    assert "criteria.version: input should be greater than or equal to 1" in text
    assert "'icp_gates'; did you mean 'icp_gate'?" in text
    assert "criteria.disqualifiers.0.when: a value is missing" in text
    assert "'whem'; did you mean 'when'?" in text
    assert "'capacity_per_wek'; did you mean 'capacity_per_week'?" in text
    assert "criteria.thresholds.warm_share_of_mql" in text
    assert len(caught.value.faults) == 6


def test_all_content_faults_are_named_together() -> None:
    rule = {"name": "twice", "when": "a = 1"}
    raw = {
        "version": 1,
        "valid_from": "31.3.2026",
        "signed": [{"team": "marketing", "who": "M", "on": "soon"}],
        "hand_raisers": [rule, rule],
        "thresholds": {"warm_share_of_mql": 0.4},
    }
    with pytest.raises(ConfigError) as caught:
        criteria_from_dict(raw)
    places = [fault.where for fault in caught.value.faults]
    assert places == [
        "criteria.thresholds",
        "criteria.hand_raisers",
        "criteria.valid_from",
        "criteria.signed.0.on",
    ]


@pytest.mark.parametrize("raw", [None, [1, 2], "version: 1"])
def test_criteria_that_are_no_mapping_are_refused(raw: object) -> None:
    with pytest.raises(ConfigError, match="not a mapping"):
        criteria_from_dict(raw)


def test_a_rule_over_an_unknown_column_is_named_with_its_place() -> None:
    criteria = criteria_from_dict(RAW)
    (fault,) = criteria_faults(criteria, ["company_sizes", "industry"])
    assert fault.where == "criteria.icp_gate.size"
    assert "did you mean 'company_sizes'?" in fault.mend
    assert criteria_faults(criteria, ["company_size"]) == []


def test_the_digest_changes_with_content_and_not_with_signatures() -> None:
    criteria = criteria_from_dict(RAW)
    unsigned = criteria.model_copy(update={"signed": ()})
    looser = criteria_from_dict({**RAW, "thresholds": {"capacity_per_week": 41}})
    assert len(criteria_digest(criteria)) == 16
    assert criteria_digest(criteria) == criteria_digest(unsigned)
    assert criteria_digest(criteria) != criteria_digest(looser)


def test_the_digest_of_given_content_is_the_same_on_every_machine() -> None:
    assert criteria_digest(Criteria(version=1)) == "2f5a8ecfa8b597cd"


def test_an_exclusion_is_content_and_no_exclusion_keeps_an_older_digest() -> None:
    criteria = criteria_from_dict({"version": 1, "exclusions": []})
    assert criteria_digest(criteria) == criteria_digest(Criteria(version=1))
    rule = {"name": "customer", "when": "is_customer"}
    with_rule = criteria_from_dict({"version": 1, "exclusions": [rule]})
    assert criteria_digest(with_rule) != criteria_digest(criteria)
    (fault,) = criteria_faults(with_rule, ["is_customers"])
    assert fault.where == "criteria.exclusions.customer"


def test_two_signatures_of_one_team_are_refused() -> None:
    mark = {"team": "sales", "who": "S", "on": "2026-03-30"}
    with pytest.raises(ConfigError, match="a team signed twice"):
        criteria_from_dict({"version": 1, "signed": [mark, {**mark, "who": "T"}]})
