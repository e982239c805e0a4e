import numpy as np
import pandas as pd
import pytest
from tests.modeling_company import make_company

from mqlml.modeling.contestants.base_rate import BaseRate
from mqlml.modeling.contestants.contestant import Contestant, Setting, setting_of
from mqlml.modeling.contestants.logistic import Logistic
from mqlml.modeling.importance_ranks import rank_ranges
from mqlml.modeling.relearning import relearn
from mqlml.modeling.search import Material
from mqlml.modeling.settings import ModelSettings
from mqlml.modeling.tournament import material_of

SETTING = setting_of(c=0.1, half_life=0)


def material(leads: int = 900, seed: int = 1) -> Material:
    return material_of(make_company(leads, seed=seed), ModelSettings(), seed)


def ranks(contestant: Contestant, setting: Setting, of: Material, *, jobs: int = 1) -> pd.DataFrame:
    return rank_ranges(relearn(contestant, setting, of, jobs=jobs), of)


def ranges(found: pd.DataFrame) -> dict[str, tuple[float, float]]:
    return {row.column: (row.rank_low, row.rank_high) for row in found.itertuples()}


def test_the_strongest_column_is_surely_first_and_the_useless_surely_not() -> None:
    found = ranges(ranks(Logistic(), SETTING, material()))
    assert found["visits"] == (1.0, 1.0)
    # Industry and budget are of nearly one size, channel comes close to them.
    assert found["industry"][0] == 2.0
    assert found["industry"][1] <= 4.0
    # By chance "minutes" may seem something, "constant" never does.
    assert found["constant"] == (6.0, 6.0)
    assert found["minutes"][0] >= 3.0


def test_few_leads_make_every_rank_less_sure() -> None:
    many, few = (ranges(ranks(Logistic(), SETTING, material(n))) for n in (3_000, 120))
    width = {
        n: sum(high - low for low, high in r.values()) for n, r in (("many", many), ("few", few))
    }
    assert width["few"] > width["many"]


def test_how_many_are_learnt_at_once_changes_no_range() -> None:
    one, two = (ranks(Logistic(), SETTING, material(300), jobs=jobs) for jobs in (1, 2))
    pd.testing.assert_frame_equal(one, two)


def test_a_winner_that_uses_no_column_ranks_all_the_same() -> None:
    found = ranks(BaseRate(), setting_of(), material(200))
    assert set(ranges(found).values()) == {(3.5, 3.5)}


def test_rows_of_a_lead_are_drawn_together(monkeypatch: pytest.MonkeyPatch) -> None:
    company = make_company(400)
    twice = Material(
        matrix=pd.concat([company.matrix] * 2, ignore_index=True),
        labels=np.tile(company.points["label"].to_numpy(float), 2),
        as_of=np.tile(company.points["as_of"].to_numpy(np.int64), 2),
        leads=np.tile(np.arange(400), 2),
        plan_shape=material().plan_shape,
        shape=material().shape,
        seed=1,
    )
    seen = []

    class Watched(Logistic):
        def fit(self, rows, setting):
            seen.append(rows.matrix.index.to_numpy() % 400)
            return super().fit(rows, setting)

    relearn(Watched(), SETTING, twice)
    for leads in seen:
        assert (np.bincount(leads) % 2 == 0).all()
