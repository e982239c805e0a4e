import pytest
from tests.modeling_company import RULES, TARGET, make_company

from mqlml.dataset.settings import SplitSettings
from mqlml.dataset.splits import make_split
from mqlml.modeling.fallback import stand_in_of
from mqlml.modeling.settings import ModelSettings, PointsRule
from mqlml.modeling.tournament import run_tournament

UPSIDE_DOWN = tuple(PointsRule(when=rule.when, points=-rule.points) for rule in RULES)
NOISE = (PointsRule(when="constant > 1e9 OR minutes > 1e9", points=5),)


@pytest.fixture(scope="module")
def company():
    return make_company()


@pytest.fixture(scope="module")
def split(company):
    return make_split(company.points, TARGET, SplitSettings())


@pytest.fixture(scope="module")
def refused(company, split):
    learners = ModelSettings(contestants=("base_rate", "logistic"))
    return run_tournament(company, split, learners, seed=0)


def found_by(company, split, refused, **settings):
    return stand_in_of(company, split, ModelSettings(**settings), refused, seed=0)


def test_nothing_stands_in_unless_the_config_says_so(company, split, refused):
    assert found_by(company, split, refused, points_rules=RULES) is None


@pytest.mark.parametrize("lowest", ["points_rules", "base_rate"])
def test_points_rules_that_rank_stand_in_beside_the_figures_of_what_was_refused(
    company, split, refused, lowest
):
    found = found_by(company, split, refused, points_rules=RULES, fallback=lowest)
    assert found.rung == found.result.winner == found.result.model.name == "points_rules"
    names = [one.name for one in found.result.contestants]
    assert names == ["base_rate", "logistic", "points_rules"]
    assert set(found.result.test_by_contestant) == set(names)
    assert found.result.test == found.result.test_by_contestant["points_rules"]
    assert found.result.test_by_contestant["logistic"] == refused.test
    assert found.result.test.roc_auc > 0.6


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        (UPSIDE_DOWN, "leads with more points converted less often: the rules rank upside down"),
        (NOISE, "points rules were no better than the base rate on later leads"),
    ],
)
def test_rules_that_do_not_rank_leave_the_base_rate_or_nothing(company, split, refused, rules, why):
    found = found_by(company, split, refused, points_rules=rules, fallback="base_rate")
    assert (found.rung, found.why) == ("base_rate", (why,))
    chances = found.result.model.probability(company.matrix)
    assert chances.min() == chances.max()
    assert found_by(company, split, refused, points_rules=rules, fallback="points_rules") is None
