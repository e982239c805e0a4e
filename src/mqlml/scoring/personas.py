"""Which buyer persona each lead is, by named rules."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from mqlml.scoring.settings import PersonaSettings
from mqlml.tables.expressions import evaluate

OTHER = "other"


def personas_of(rows: pd.DataFrame, personas: Sequence[PersonaSettings]) -> "pd.Series[Any]":
    """Return the name of the first persona whose rule holds for each row, or "other".

    A rule that is null for a row does not hold for it. Raises ConfigError if a
    rule names an unknown column or cannot be evaluated.
    """
    names = np.full(len(rows), OTHER, dtype=object)
    if personas and len(rows):
        held = evaluate(rows, {persona.name: persona.when for persona in personas})
        # The first rule wins, so it is written last.
        for persona in reversed(personas):
            names[held[persona.name].to_numpy(dtype=bool)] = persona.name
    return pd.Series(names, index=rows.index, name="persona", dtype="str")
