import pandas as pd
import pytest

from mqlml.errors import ConfigError
from mqlml.scoring.personas import persona_changes, personas_of
from mqlml.scoring.settings import PersonaSettings

ROWS = pd.DataFrame(
    {"title": pd.Series(["CTO", "Intern", None], dtype="str"), "size": [500.0, 500.0, 5.0]}
).set_axis([4, 2, 9])
BUYER = PersonaSettings(name="technical buyer", when="title = 'CTO'")
LARGE = PersonaSettings(name="large company", when="size > 100")


def test_the_first_rule_that_holds_names_the_persona() -> None:
    assert list(personas_of(ROWS, (BUYER, LARGE))) == ["technical buyer", "large company", "other"]
    assert list(personas_of(ROWS, (LARGE, BUYER))) == ["large company", "large company", "other"]


def test_without_personas_everyone_is_other_and_the_index_is_kept() -> None:
    personas = personas_of(ROWS, ())
    assert list(personas) == ["other"] * 3
    assert list(personas.index) == [4, 2, 9]
    assert personas_of(ROWS.iloc[:0], (BUYER,)).empty


def test_a_persona_over_an_unknown_column_is_refused() -> None:
    with pytest.raises(ConfigError, match="did you mean 'title'"):
        personas_of(ROWS, (PersonaSettings(name="x", when="titel = 'CTO'"),))


def test_what_changed_of_personas_is_said_by_name_and_words_for_sales_are_no_change() -> None:
    since = "since the model was trained"
    wordy = PersonaSettings(name=BUYER.name, when=BUYER.when, prefers=("demos",))
    assert persona_changes((BUYER, LARGE), (wordy, LARGE)) == ()
    assert persona_changes((BUYER, LARGE), (LARGE, BUYER)) == (
        f"the order of the personas, the first of which names a lead, changed {since}",
    )
    other = PersonaSettings(name=LARGE.name, when="size > 200")
    assert persona_changes((BUYER, LARGE), (other,)) == (
        f"the persona 'technical buyer' is gone {since}",
        f"the rule of the persona 'large company' changed {since}",
    )
