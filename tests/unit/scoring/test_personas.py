import pandas as pd
import pytest

from mqlml.errors import ConfigError
from mqlml.scoring.personas import personas_of
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
