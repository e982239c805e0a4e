from mqlml.monitoring.evidence import Change
from mqlml.monitoring.told import news_among
from mqlml.timeline import MICROS_PER_WEEK


def change(kind: str, week: int | None, *columns: str, is_alarm: bool = True) -> Change:
    since = None if week is None else week * MICROS_PER_WEEK
    return Change(kind, since, columns, None, "seen", "act", 3.0, is_alarm)  # type: ignore[arg-type]


def told(kind: str, week: int | None, *columns: str) -> dict[str, object]:
    since = None if week is None else week * MICROS_PER_WEEK
    return {"kind": kind, "since": since, "columns": list(columns)}


def test_a_change_that_was_told_is_no_news_though_its_date_moved_a_little() -> None:
    assert news_among([change("prior", 40)], [told("prior", 43)]) == ()


def test_a_change_that_gets_its_true_name_later_is_still_the_same_change() -> None:
    assert news_among([change("sales_cycle", 40)], [told("prior", 41)]) == ()


def test_a_second_change_months_later_is_news() -> None:
    later = change("prior", 60)
    assert news_among([later], [told("prior", 40)]) == (later,)


def test_a_broken_column_is_news_beside_another_one_of_another_month() -> None:
    other = change("instrumentation", 60, "source")
    assert news_among([other], [told("instrumentation", 40, "page")]) == (other,)
    assert news_among([other], [told("instrumentation", 40, "source")]) == ()


def test_an_edit_without_a_date_is_told_once() -> None:
    edit = change("definition", None, "criteria")
    assert news_among([edit], []) == (edit,)
    assert news_among([edit], [told("definition", None, "criteria")]) == ()


def test_what_raises_no_alarm_is_never_told() -> None:
    assert news_among([change("definition", 40, is_alarm=False)], []) == ()
