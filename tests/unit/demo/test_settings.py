from datetime import date

import pytest

from mqlml.demo.settings import DemoSettings, Drift, day_start, months_after

DAY = 86_400_000_000


def test_the_default_company_is_watched_for_eighteen_months() -> None:
    settings = DemoSettings()
    assert settings.n_leads == 12_000
    assert settings.end_at == day_start(date(2025, 7, 1))
    assert settings.days == 547
    # 547 days are 78 weeks and a day: the 79th week begins inside.
    assert settings.weeks == 79


def test_the_icp_changes_mid_way_by_default() -> None:
    settings = DemoSettings()
    assert settings.icp_change_on == date(2024, 12, 1)
    assert settings.all_drifts == (Drift("concept_abrupt", date(2024, 12, 1)),)


def test_without_a_change_month_only_the_given_drifts_happen() -> None:
    drift = Drift("prior", date(2024, 6, 3), strength=0.5)
    settings = DemoSettings(icp_change_month=None, drifts=(drift,))
    assert settings.icp_change_on is None
    assert settings.all_drifts == (drift,)


def test_months_pass_over_the_year() -> None:
    assert months_after(date(2024, 1, 1), 0) == date(2024, 1, 1)
    assert months_after(date(2024, 12, 31), 1) == date(2025, 1, 1)


def test_a_drift_begins_at_midnight_utc() -> None:
    assert Drift("prior", date(1970, 1, 3)).at == 2 * DAY


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"n_leads": 0}, "at least one lead"),
        ({"months": 0}, "at least one lead"),
        ({"start": date(2024, 1, 2)}, "Monday"),
    ],
)
def test_an_impossible_company_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        DemoSettings(**changes)  # type: ignore[arg-type]
