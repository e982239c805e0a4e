import numpy as np
import pandas as pd
import pytest

from mqlml.criteria.decide import Outcome, decide
from mqlml.criteria.settings import Criteria, Rule, Thresholds
from mqlml.errors import ConfigError, DataError

CRITERIA = Criteria(
    version=1,
    icp_gate=(
        Rule(name="size", when="company_size >= 50", says="company size"),
        Rule(name="home_market", when="country IN ('DE', 'FR')"),
    ),
    disqualifiers=(Rule(name="competitor", when="industry = 'crm'", says="a competitor"),),
    hand_raisers=(Rule(name="demo", when="demo__count__ever > 0", says="asked for a demo"),),
    thresholds=Thresholds(mql_probability=0.2, warm_share_of_mql=0.5),
)


def row(**values: object) -> pd.DataFrame:
    usual: dict[str, object] = {
        "company_size": 200.0,
        "country": "DE",
        "industry": "software",
        "demo__count__ever": 0.0,
        "case_study__count__30d": 0.0,
        "session__active_days__30d": 0.0,
    }
    return pd.DataFrame([{**usual, **values}])


def decided(probability: float, **values: object) -> tuple[str, str]:
    result = decide([probability], row(**values), CRITERIA, 0.2)
    return result["outcome"].iloc[0], result["because"].iloc[0]


def test_a_case_study_download_far_from_the_icp_is_not_an_mql() -> None:
    outcome, because = decided(0.9, case_study__count__30d=1.0, company_size=3.0, country="AQ")
    assert outcome == Outcome.WARM
    assert because == "outside the ICP: company size, home market"


def test_a_lead_that_fits_and_comes_back_several_times_is_an_mql() -> None:
    outcome, because = decided(0.31, session__active_days__30d=6.0)
    assert outcome == Outcome.MQL
    assert because == "probability 31.0 % reaches the MQL threshold of 20.0 %"


@pytest.mark.parametrize(
    ("probability", "outcome"),
    [(0.2, "mql"), (0.1999, "warm"), (0.1, "warm"), (0.0999, "cold"), (0.0, "cold"), (1.0, "mql")],
)
def test_a_threshold_is_reached_at_exactly_its_probability(
    probability: float, outcome: str
) -> None:
    assert decided(probability)[0] == outcome


def test_a_hand_raiser_goes_to_sales_whatever_the_score_and_the_icp() -> None:
    assert decided(0.001, demo__count__ever=1.0) == ("hand_raiser", "asked for a demo")
    assert decided(0.001, demo__count__ever=1.0, company_size=2.0)[0] == "hand_raiser"


def test_a_disqualified_lead_stays_so_even_when_it_raises_its_hand() -> None:
    result = decided(0.99, demo__count__ever=1.0, industry="crm")
    assert result == ("disqualified", "a competitor")


def test_a_lead_outside_the_icp_with_a_low_score_is_cold() -> None:
    assert decided(0.01, company_size=3.0) == ("cold", "outside the ICP: company size")


def test_a_missing_attribute_does_not_pass_the_gate() -> None:
    assert decided(0.9, company_size=np.nan)[0] == "warm"


def test_without_rules_only_the_thresholds_speak() -> None:
    plain = Criteria(version=1)
    result = decide([0.5, 0.15, 0.01], pd.concat([row()] * 3), plain, 0.2)
    assert list(result["outcome"]) == ["mql", "warm", "cold"]
    assert result["because"].iloc[1] == "probability 15.0 % is below the MQL threshold of 20.0 %"
    assert result["because"].iloc[2] == "probability 1.0 % is below the warm threshold of 10.0 %"


def test_no_leads_give_no_outcomes() -> None:
    assert decide([], row().iloc[:0], CRITERIA, 0.2).shape == (0, 2)


def test_the_index_of_the_rows_is_kept() -> None:
    rows = pd.concat([row(), row()]).set_axis([7, 3])
    assert list(decide([0.1, 0.9], rows, CRITERIA, 0.2).index) == [7, 3]


def test_a_lead_without_a_probability_is_refused() -> None:
    with pytest.raises(DataError, match="1 rows"):
        decide([np.nan], row(), CRITERIA, 0.2)


def test_a_rule_over_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown column"):
        decide([0.5], row().drop(columns="country"), CRITERIA, 0.2)


def test_an_excluded_lead_goes_to_nobody_and_says_so_before_any_other_reason() -> None:
    consent = Rule(name="no_consent", when="country = 'DE'", says="may not be contacted")
    excluding = CRITERIA.model_copy(update={"exclusions": (consent,)})
    rows = pd.concat([row(demo__count__ever=1.0, industry="crm"), row(country="FR")])
    result = decide([0.99, 0.99], rows, excluding, 0.2)
    assert list(result["outcome"]) == ["disqualified", "mql"]
    assert result["because"].iloc[0] == "excluded: may not be contacted"
