"""Which buyer persona each lead is, by named rules."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from mqlml.modeling.segmenting import names_by_rules
from mqlml.scoring.settings import PersonaSettings


def personas_of(rows: pd.DataFrame, personas: Sequence[PersonaSettings]) -> "pd.Series[Any]":
    """Return the name of the first persona whose rule holds for each row, or "other".

    A rule that is null for a row does not hold for it. Raises ConfigError if a
    rule names an unknown column or cannot be evaluated.
    """
    names = names_by_rules(rows, {persona.name: persona.when for persona in personas})
    return pd.Series(names, index=rows.index, name="persona", dtype="str")
