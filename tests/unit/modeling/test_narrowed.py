import numpy as np
import pandas as pd
from tests.modeling_company import Company, split_company

from mqlml.features.plan import make_plan
from mqlml.features.settings import PlanSettings
from mqlml.modeling.contestants.boosting import Boosting
from mqlml.modeling.contestants.contestant import setting_of
from mqlml.modeling.contestants.logistic import Logistic
from mqlml.modeling.contestants.narrowed import Narrowed, on_trial, verdict_columns
from mqlml.modeling.search import Material
from mqlml.modeling.settings import ModelSettings
from mqlml.modeling.tournament import (
    TournamentResult,
    columns_on_trial,
    material_of,
    run_tournament,
)
from mqlml.modeling.widening import Effort, search_wide
from mqlml.tables.contracts import Attribute, ColumnType
from mqlml.timeline import MICROS_PER_DAY

RATE = "campaign__accepted_20__ever"
SETTING = setting_of(c=0.1, half_life=0)


def _company(weight: float, leads: int = 700) -> Company:
    """Return leads whose conversion leans by `weight` on what sales accepted before."""
    random = np.random.default_rng(5)
    attributes = (
        Attribute("visits", ColumnType.NUMBER),
        Attribute("campaign", ColumnType.TEXT),
    )
    settings = {"rates": {"verdicts": ["campaign"]}}
    settings |= {"ratios": [{"of": RATE, "to": RATE, "name": "of_itself"}]}
    plan = make_plan(PlanSettings.model_validate(settings), attributes, event_columns=())
    matrix = pd.DataFrame(
        {
            "visits": random.poisson(2.0, leads).astype(float),
            "campaign": pd.Series(random.choice(["ad", "fair"], leads), dtype="str"),
            RATE: random.random(leads),
            "of_itself": 1.0,
        }
    )[list(plan.columns)]
    log_odds = 0.5 * (matrix["visits"] - 2) + weight * (matrix[RATE] - 0.5)
    times = np.arange(leads, dtype=np.int64) * MICROS_PER_DAY
    labels = (random.random(leads) < 1 / (1 + np.exp(-log_odds))).astype(float)
    points = pd.DataFrame(
        {
            "lead_id": [f"lead-{i}" for i in range(leads)],
            "as_of": times,
            "cohort": times,
            "label": labels,
        }
    )
    return Company(points, matrix, plan)


def _played(company: Company) -> TournamentResult:
    settings = ModelSettings(contestants=("logistic",))
    return run_tournament(company, split_company(company), settings, seed=3)


def _material(company: Company, *drop: str) -> Material:
    return material_of(company, ModelSettings(drop=drop), seed=3)


def test_rates_of_verdicts_that_foretell_conversions_win_with_their_learner() -> None:
    company = _company(5.0)
    result = _played(company)
    names = [contestant.name for contestant in result.contestants]
    assert names == ["base_rate", "logistic", "logistic_verdicts"]
    assert result.winner == "logistic_verdicts"
    assert result.model.contributions(company.matrix)[RATE].abs().max() > 0.5


def test_rates_of_verdicts_that_say_nothing_stay_outside_the_model() -> None:
    company = _company(0.0)
    result = _played(company)
    assert result.winner == "logistic"
    said = result.model.contributions(company.matrix)
    assert (said[[RATE, "of_itself"]] == 0).all(axis=None)
    assert list(result.ranks["column"]) == list(company.plan.columns)


def test_a_learner_without_the_columns_is_the_one_that_never_had_them() -> None:
    company = _company(5.0)
    columns = verdict_columns(company.plan)
    assert columns == (RATE, "of_itself")
    rows = np.arange(300)
    for learner, setting in (
        (Logistic(), SETTING),
        (Boosting(), setting_of(start=0, leaves=4, l2=20, half_life=0, trees=20)),
    ):
        narrowed = Narrowed(learner, columns).fit(_material(company).training(rows), setting)
        without = learner.fit(_material(company, *columns).training(rows), setting)
        assert narrowed.to_files() == without.to_files()


def test_without_rates_of_verdicts_there_is_nothing_on_trial() -> None:
    entrants = (Logistic(), Boosting())
    assert tuple(on_trial(entrants, ())) == entrants
    company = _company(0.0)
    assert columns_on_trial(company, _material(company)) == (RATE, "of_itself")
    assert columns_on_trial(company, _material(company, RATE, "of_itself")) == ()
    # Where nothing else is left there is nobody to compare with.
    assert columns_on_trial(company, _material(company, "visits", "campaign")) == ()


def test_a_wider_search_widens_both_learners() -> None:
    company = _company(5.0, leads=400)
    material, split = _material(company), split_company(company)
    entrants = tuple(on_trial([Logistic()], verdict_columns(company.plan)))
    choices, tried = search_wide(entrants, material, split, jobs=1, effort=Effort(4))
    assert tried == 4
    assert [choice.contestant.name for choice in choices] == ["logistic", "logistic_verdicts"]
