"""The model card as text: complete, one line per value, and short enough where it must be."""

from dataclasses import replace

import pytest
from tests.report_facts import HOSTILE, training_facts

from mqlml.dataset.findings import Finding
from mqlml.reports.model_card import model_card, short_card

SECTIONS = (
    "What is predicted",
    "What changed since the last model",
    "Why this model",
    "How good on whom",
    "Limits",
    "Not for",
    "Search for leaks",
    "Data",
    "Versions",
)


def test_a_card_answers_every_question_in_order() -> None:
    card = model_card(training_facts(), ("Logistic regression won again.",))
    titles = [line[3:] for line in card.splitlines() if line.startswith("## ")]
    assert tuple(titles) == SECTIONS
    assert "- Logistic regression won again." in card
    assert "| kind | group | rows | promised | observed | observed ÷ promised |" in card
    assert "nan" not in card.lower().split()


def test_a_first_model_says_that_it_is_the_first() -> None:
    assert "- This is the first model of this name." in model_card(training_facts(), ())


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ({"lightgbm": 0.2, "logistic": 0.3}, "Gradient boosting had the lowest log loss"),
        (
            {"lightgbm": 0.3, "logistic": 0.2},
            "Gradient boosting is the simplest within one standard error of the lowest log loss",
        ),
    ],
)
def test_why_a_model_won_is_told_by_the_folds(losses, said) -> None:
    facts = replace(training_facts(), winner="lightgbm", fold_log_loss=losses)
    assert said in model_card(facts, ())


def test_hostile_names_stay_words_on_one_line() -> None:
    finding = Finding(f"a|b\n{HOSTILE}", "alone too good", "as `code`", "warn", allowed="[x](y)")
    card = model_card(training_facts(name=HOSTILE, findings=(finding,)), (HOSTILE,))
    assert "<script>" not in card.replace("\\<", "")
    assert "a\\|b" in card
    assert "\\[x\\](y)" in card


def test_a_card_that_is_too_long_loses_whole_sections_and_says_where_they_are() -> None:
    card = model_card(training_facts(), ())
    cut = short_card(card, 1500)
    assert len(cut) <= 1500
    assert card.startswith(cut.partition("\n\nThe rest")[0])
    assert cut.endswith("The rest: artefact model_card.md.")
    assert short_card(card, 10**6) == card
