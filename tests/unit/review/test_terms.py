import numpy as np
import pandas as pd
import pytest

from mqlml.review.terms import UNCOMPARED, rejected_terms
from mqlml.review.verdicts import Judged
from mqlml.review.words import MOST_CHARACTERS, terms_of, words_of_ids

REPS = ("r1", "r2", "r3", "r4")


def judged(notes: list[str], accepted: list[float], **more: object) -> Judged:
    """Return one verdict a lead with these notes; reps take turns."""
    count = len(notes)
    rows = pd.DataFrame(
        {
            "lead_id": [f"lead {i}" for i in range(count)],
            "accepted": accepted,
            "reason": None,
            "who": [REPS[i // 2 % len(REPS)] for i in range(count)],
            "probability": 0.5,
            "grade": "A1",
            "note": notes,
            **more,
        }
    )
    matrix = pd.DataFrame({"size": np.arange(count) % 7})
    return Judged(rows, matrix, pd.DataFrame(columns=["verdict", "reason"]), 0)


def habits(*, rejected: str, accepted: str, each: int = 60) -> Judged:
    """Return as many rejections with one note as acceptances with the other."""
    return judged([rejected, accepted] * each, [0.0, 1.0] * each)


def test_what_rejections_say_more_often_is_shown_strongest_first() -> None:
    found = rejected_terms(habits(rejected="budget frozen, call", accepted="good call"))
    assert list(found["term"]) == ["budget frozen"]
    row = found.iloc[0]
    assert (row["leads"], row["reps"], row["rejected"], row["accepted"]) == (60, 4, 60, 0)
    assert row["high"] < 0


@pytest.mark.parametrize(("leads", "reps", "shown"), [(5, 3, True), (4, 3, False), (5, 2, False)])
def test_a_term_needs_five_leads_and_three_reps(leads: int, reps: int, shown: bool) -> None:
    who = [f"r{i % reps}" for i in range(leads)] + [f"r{i % 4}" for i in range(40)]
    notes = ["tender lost"] * leads + ["small firm"] * 40
    found = rejected_terms(judged(notes, [0.0] * (leads + 40), who=who))
    assert list(found["term"]) == ["small firm", *(["tender lost"] if shown else [])]


def test_words_that_both_kinds_of_notes_hold_are_not_shown() -> None:
    assert rejected_terms(habits(rejected="spoke today", accepted="spoke today")).empty


def test_what_the_score_explains_already_is_not_shown() -> None:
    rng = np.random.default_rng(4)
    low = rng.random(400) < 0.5
    chance = np.where(low, 0.1, 0.9)
    accepted = (rng.random(400) < chance).astype(float)
    # The word follows the score; given the score it says nothing of the verdict.
    notes = ["small firm" if is_low else "large firm" for is_low in low]
    assert rejected_terms(judged(notes, accepted.tolist(), probability=chance)).empty


def test_without_notes_on_accepted_leads_terms_are_counted_only() -> None:
    found = rejected_terms(judged(["budget frozen"] * 30 + [""] * 30, [0.0] * 30 + [1.0] * 30))
    assert list(found["term"]) == ["budget frozen"]
    assert list(found["class"]) == [UNCOMPARED]
    assert found["effect"].isna().all()


def test_the_columns_of_the_model_are_asked_whether_they_tell() -> None:
    base = habits(rejected="budget frozen", accepted="good fit", each=150)
    told = base.matrix.assign(size=1.0 - base.rows["accepted"])
    knowing = Judged(base.rows, told, base.procedural, 0)
    assert list(rejected_terms(knowing)["class"]) == ["columns tell"]


def test_no_note_is_no_term() -> None:
    assert rejected_terms(judged([], [])).empty
    assert rejected_terms(judged([None, " "], [0.0, 1.0])).empty  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("note", "terms"),
    [
        ("No budget this year", {"budget", "year", "no budget", "budget year"}),
        ("kein Budget", {"budget", "kein budget"}),
        ("Budget. Frozen", {"budget", "frozen"}),
        ("write to ann.weber@firm.example or www.firm.example/x", {"write"}),
        ("call +49 170 1234567 tomorrow", {"call", "tomorrow"}),
        ("asked Ann Weber twice", {"asked", "twice"}),
        ("asked Dr. Weber twice", {"asked", "twice"}),
        ("Herr Weber kauft woanders", {"kauft", "woanders", "kauft woanders"}),
        ("NO MONEY", {"money", "no money"}),
        ("Not interested", {"interested", "not interested"}),
        ("see firm.com", {"see"}),
        ("=HYPERLINK(1) <b>bold</b> </script", {"bold", "script"}),
        ("🚀🚀", set()),
        ("", set()),
    ],
)
def test_a_note_is_its_words_without_what_names_or_reaches_people(
    note: str, terms: set[str]
) -> None:
    assert terms_of(note) == terms


def test_words_of_reps_ids_are_hidden() -> None:
    assert terms_of("ask ann first", words_of_ids(["ann.weber"])) == {"ask", "first"}


def test_of_a_megabyte_only_the_beginning_is_read() -> None:
    assert terms_of("a b " * 10 + "word " * 200_000) == {"word", "word word"}
    assert terms_of("x1 " * MOST_CHARACTERS + "late") == set()
