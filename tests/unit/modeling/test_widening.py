import numpy as np
from tests.modeling_company import make_company, split_company

from mqlml.modeling.contestants.contestant import setting_of, window_of
from mqlml.modeling.contestants.logistic import Logistic
from mqlml.modeling.contestants.space import drawn_lines, drawn_trees
from mqlml.modeling.search import search
from mqlml.modeling.settings import ModelSettings
from mqlml.modeling.tournament import contestants_of, material_of, run_tournament
from mqlml.modeling.widening import Effort, search_wide

COMPANY = make_company(500)
SPLIT = split_company(COMPANY)
SETTINGS = ModelSettings(contestants=("logistic",))
MATERIAL = material_of(COMPANY, SETTINGS, 0)


def wide(effort: Effort):
    entrants = contestants_of(SETTINGS, len(SPLIT.development))
    return search_wide(entrants, MATERIAL, SPLIT, jobs=1, effort=effort)


def test_a_longer_list_of_drawn_settings_begins_with_the_shorter_one() -> None:
    assert drawn_trees(9, 1_000, 3)[:4] == drawn_trees(4, 1_000, 3)
    assert drawn_lines(9, 1_000, 3)[:4] == drawn_lines(4, 1_000, 3)
    assert drawn_trees(4, 1_000, 3) != drawn_trees(4, 1_000, 4)


def test_trees_with_a_declared_direction_start_from_no_line() -> None:
    drawn = drawn_trees(30, 1_000, 3, is_directed=True)
    assert {dict(setting)["start"] for setting in drawn} == {0.0}


def test_small_trees_strong_shrinkage_forgetting_and_windows_are_in_the_space() -> None:
    drawn = [dict(setting) for setting in drawn_trees(200, 1_000, 0)]
    assert min(s["leaves"] for s in drawn) == 2
    assert max(s["l2"] for s in drawn) == 60
    assert {s["window"] for s in drawn} == {0, 250, 500}
    assert 150 in {s["half_life"] for s in drawn}


def test_a_window_keeps_the_newest_rows_only() -> None:
    rows = MATERIAL.training(np.arange(100))
    assert rows.latest(0) is rows
    kept = rows.latest(30)
    assert len(kept.labels) == 30
    assert kept.age.max() == 29
    assert window_of(setting_of(c=1)) == 0


def test_a_windowed_setting_is_learnt_from_the_window_alone() -> None:
    rows = MATERIAL.training(np.arange(300))
    windowed = setting_of(c=0.1, half_life=0, window=200)
    plain = setting_of(c=0.1, half_life=0)
    whole = Logistic().fit(rows, windowed)
    alone = Logistic().fit(MATERIAL.training(np.arange(100, 300)), plain)
    assert whole.to_files() == alone.to_files()
    found = Logistic(half_lives=(), drawn=(windowed,)).search(rows, COMPANY.matrix)
    np.testing.assert_allclose(found[windowed], alone.log_odds(COMPANY.matrix), atol=1e-9)


def test_a_search_ended_by_a_clock_is_repeated_by_its_number_of_candidates() -> None:
    asked = []

    def is_over() -> bool:
        asked.append(1)
        return len(asked) > 2

    by_clock, tried = wide(Effort(100, is_over))
    assert tried == 8
    by_number, again = wide(Effort(8))
    assert again == 8
    assert [(c.setting, c.kind, c.log_loss) for c in by_clock] == [
        (c.setting, c.kind, c.log_loss) for c in by_number
    ]


def test_no_candidates_are_the_usual_search() -> None:
    choices, tried = wide(Effort())
    assert tried == 0
    usual = search(Logistic((0.0, 200.0)), MATERIAL, SPLIT, jobs=1).best(MATERIAL)
    assert choices[-1].log_loss == usual.log_loss


def test_a_wider_search_never_finds_a_worse_forward_loss_and_tells_how_far_it_is() -> None:
    told: list[int] = []
    narrow, _ = wide(Effort())
    choices, tried = wide(Effort(6, tell=told.append))
    assert tried == 6
    assert told == [4, 6]
    # One that forgets must be better by more than chance, so the chosen one may be a little worse.
    lowest = search(Logistic((0.0, 200.0)), MATERIAL, SPLIT, jobs=1).lowest
    assert choices[-1].log_loss <= max(narrow[-1].log_loss, lowest)


def test_a_search_that_gains_nothing_ends_early(monkeypatch) -> None:
    monkeypatch.setattr("mqlml.modeling.widening._LEAST_GAIN", 1.0)
    monkeypatch.setattr("mqlml.modeling.widening._PATIENCE", 2)
    assert wide(Effort(100))[1] == 8


def test_a_tournament_tells_how_many_candidates_it_tried() -> None:
    settings = ModelSettings(contestants=("logistic",), candidates=4)
    result = run_tournament(COMPANY, SPLIT, settings, seed=0)
    assert result.candidates == 4
