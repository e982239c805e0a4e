"""How rows are told into segments: by the values of a column, or by named rules, the personas."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.tables.expressions import columns_of, evaluate

# Of rows for which no rule holds.
OTHER = "other"
Names = npt.NDArray[np.object_]


def names_by_rules(rows: pd.DataFrame, rules: Mapping[str, str]) -> Names:
    """Return the name of the first rule that holds for each row, or "other".

    A rule that is null for a row does not hold for it. Raises ConfigError if a
    rule names an unknown column or cannot be evaluated.
    """
    names = np.full(len(rows), OTHER, dtype=object)
    if rules and len(rows):
        held = evaluate(rows, rules)
        # The first rule wins, so it is written last.
        for name in reversed(list(rules)):
            names[held[name].to_numpy(dtype=bool)] = name
    return names


@dataclass(frozen=True)
class Segmenting:
    """The column of the segments; or, if there are any, the rules by name.

    Rules are written about attributes as people spell them; `spelled` has, by column, what
    people write for the values of the matrix, where that is not the same.
    """

    column: str = ""
    rules: Mapping[str, str] = field(default_factory=dict)
    spelled: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def names(self, matrix: pd.DataFrame) -> Names:
        """Return each row's segment; None where its column has no value."""
        if not self.rules:
            return np.asarray(matrix[self.column].to_numpy(object))
        read = sorted({name for when in self.rules.values() for name in columns_of(when)})
        return names_by_rules(self._as_written(matrix[read]), self.rules)

    def to_json(self) -> dict[str, Any]:
        """Return the segmenting as JSON values; one by a column as it always was."""
        if not self.rules:
            return {"column": self.column}
        # In a list, as the first rule that holds decides and JSON objects have no order.
        rules = [{"name": name, "when": when} for name, when in self.rules.items()]
        spelled = {name: dict(words) for name, words in self.spelled.items()}
        return {"column": self.column, "rules": rules, "spelled": spelled}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Segmenting":
        """Return the segmenting that `to_json` gave."""
        rules = {rule["name"]: rule["when"] for rule in values.get("rules", ())}
        return cls(values["column"], rules, values.get("spelled", {}))

    def _as_written(self, read: pd.DataFrame) -> pd.DataFrame:
        written = {
            name: read[name].map(lambda value, words=words: words.get(value, value)).astype("str")
            for name, words in self.spelled.items()
            if name in read
        }
        return read.assign(**written)
