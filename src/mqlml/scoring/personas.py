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


def persona_changes(
    trained: Sequence[PersonaSettings], now: Sequence[PersonaSettings]
) -> tuple[str, ...]:
    """Return in sentences how the rules of personas differ from those of a model's training.

    Their words for sales may change freely. The order counts only as far as it is of
    personas that both have.
    """
    before, after = ({one.name: one.when for one in some} for some in (trained, now))
    said = [f"the persona {name!r} is new since" for name in after if name not in before]
    said += [f"the persona {name!r} is gone since" for name in before if name not in after]
    both = [name for name in after if name in before]
    said += [
        f"the rule of the persona {name!r} changed since"
        for name in both
        if before[name] != after[name]
    ]
    if both != [name for name in before if name in after]:
        said.append("the order of the personas, the first of which names a lead, changed since")
    return tuple(f"{one} the model was trained" for one in said)
