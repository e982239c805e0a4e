from datetime import date

import numpy as np
import pytest

from mqlml.demo.drift import EFFECTS, concept_share, known_changes, progress
from mqlml.demo.settings import Drift, day_start

ON = date(2024, 6, 3)
AT = day_start(ON)
WEEK = 7 * 86_400_000_000


def times(*weeks: float) -> np.ndarray:
    return np.array([AT + int(week * WEEK) for week in weeks])


def test_an_abrupt_change_is_whole_from_its_first_instant_and_nothing_before() -> None:
    at = np.array([AT - 1, AT, AT + 1])
    assert progress([Drift("prior", ON)], "prior", at).tolist() == [0.0, 1.0, 1.0]


def test_a_gradual_change_grows_in_a_straight_line_over_twelve_weeks() -> None:
    drift = Drift("concept_gradual", ON)
    assert progress([drift], "concept_gradual", times(-1, 0, 3, 6, 12, 20)).tolist() == [
        *(0.0, 0.0, 0.25, 0.5),
        *(1.0, 1.0),
    ]


def test_strength_scales_a_change() -> None:
    drifts = [Drift("covariate", ON, strength=2.0)]
    assert progress(drifts, "covariate", times(1)).tolist() == [2.0]


def test_other_kinds_do_not_count() -> None:
    assert progress([Drift("prior", ON)], "selection", times(1)).tolist() == [0.0]


def test_a_change_of_one_segment_leaves_the_others_alone() -> None:
    share = concept_share(
        [Drift("concept_segment", ON)], times(1, 1, -1), np.array([True, False, True])
    )
    assert share.tolist() == [1.0, 0.0, 0.0]


def test_two_concept_changes_are_no_more_than_a_whole_one() -> None:
    drifts = [Drift("concept_abrupt", ON), Drift("concept_gradual", ON)]
    assert concept_share(drifts, times(6), np.array([False])).tolist() == [1.0]


def test_the_truth_lists_changes_by_date_with_the_name_a_monitor_should_give() -> None:
    late = Drift("tag_lost", date(2025, 1, 6))
    first, second = known_changes([late, Drift("bot_opens", ON)])
    assert (first.named, first.at, first.columns) == ("bots", AT, ("email_opened",))
    assert (second.named, second.kind, second.segment) == ("instrumentation", "tag_lost", None)


@pytest.mark.parametrize("kind", EFFECTS)
def test_every_kind_says_in_words_what_it_does(kind: str) -> None:
    effect = EFFECTS[kind]  # type: ignore[index]
    assert effect.says
    assert effect.named in {
        *("prior", "concept", "covariate", "definition", "sales_cycle"),
        *("selection", "instrumentation", "bots"),
    }
