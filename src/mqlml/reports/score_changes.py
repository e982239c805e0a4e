"""What changed between two scorings, in sentences and as a table."""

import pandas as pd

from mqlml.reports.facts import outcome_words
from mqlml.reports.grades import ordered_outcomes
from mqlml.reports.tables import Head, Table, cells, text_head
from mqlml.reports.words import count, counted

FOR_SALES = ("hand_raiser", "mql")


def score_changes(scores: pd.DataFrame, previous: pd.DataFrame | None) -> tuple[str, ...]:
    """Return sentences on what changed since the previous scores; none the first time."""
    if previous is None:
        return ()
    now, before = _outcome_by_lead(scores), _outcome_by_lead(previous)
    is_new, is_gone = ~now.index.isin(before.index), ~before.index.isin(now.index)
    both = _both_times(scores, previous)
    was, is_now = both["before"].isin(FOR_SALES), both["now"].isin(FOR_SALES)
    sentences = [
        _sentence(int(is_new.sum()), "is new", "are new"),
        _sentence(int(is_gone.sum()), "is no longer scored", "are no longer scored"),
        _sentence(int((~was & is_now).sum()), "became one for sales", "became leads for sales"),
        _sentence(int((was & ~is_now).sum()), "is no longer for sales", "are no longer for sales"),
    ]
    sentences = [sentence for sentence in sentences if sentence]
    changed = [
        name for name in ("model_version", "criteria_version") if _differ(scores, previous, name)
    ]
    sentences += [f"The {name.split('_')[0]} version changed in between." for name in changed]
    return tuple(sentences) or ("The same leads have the same outcomes.",)


def _sentence(number: int, one: str, many: str) -> str:
    return f"{counted(number, 'lead', 'leads')} {one if number == 1 else many}." if number else ""


def _differ(scores: pd.DataFrame, previous: pd.DataFrame, column: str) -> bool:
    if column not in scores or column not in previous:
        return False
    return set(map(str, scores[column].unique())) != set(map(str, previous[column].unique()))


def _outcome_by_lead(scores: pd.DataFrame) -> "pd.Series[str]":
    return scores.drop_duplicates("lead_id", keep="first").set_index("lead_id")["outcome"]


def _both_times(scores: pd.DataFrame, previous: pd.DataFrame) -> pd.DataFrame:
    """Return the outcomes before and now of the leads scored both times."""
    before = _outcome_by_lead(previous).rename("before")
    return pd.concat([before, _outcome_by_lead(scores).rename("now")], axis=1, join="inner")


def move_table(scores: pd.DataFrame, previous: pd.DataFrame | None) -> Table | None:
    """Return how many leads went from which outcome to which; None without common leads."""
    if previous is None:
        return None
    both = _both_times(scores, previous)
    if both.empty:
        return None
    names = ordered_outcomes([str(n) for n in {*both["before"], *both["now"]}])
    counts = both.groupby(["before", "now"]).size()
    rows = tuple(
        cells(outcome_words(was), *(count(int(counts.get((was, to), 0))) for to in names))
        for was in names
    )
    heads = (text_head("Before"), *(Head(outcome_words(n), "now") for n in names))
    return Table("Leads scored both times, by outcome before and now", heads, rows)
