"""Segments by persona: the personas' rules, told by the columns that models get."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from mqlml.config import Settings
from mqlml.dataset.build import Dataset
from mqlml.errors import ConfigError, Fault, nearest
from mqlml.modeling.rungs import PersonaSegments
from mqlml.modeling.segmenting import Segmenting, names_by_rules
from mqlml.scoring.rows import rule_rows
from mqlml.tables.contracts import Tables
from mqlml.tables.expressions import columns_of
from mqlml.workflows.rules import sample_of_rows

_WHERE = "model.segments.personas"
# Of people who spell one value in several ways a few may be told otherwise.
_MOST_OTHERWISE = 0.01


def with_personas(settings: Settings, tables: Tables, dataset: Dataset) -> Settings:
    """Return the settings with what tells the personas, if they are the segments.

    A persona's rule looks at attributes as people wrote them, a model only at the columns of
    its plan. Where a column holds the same value in another spelling ("Steel", "steel"), the
    most frequent one of people is put back. Raises ConfigError for a rule about something
    that models do not get.
    """
    asked = settings.model.segments
    if asked is None or not asked.personas:
        return settings
    rules = {persona.name: persona.when for persona in settings.personas}
    faults = list(_unknown(rules, list(dataset.matrix.columns)))
    if faults:
        raise ConfigError(*faults)
    some = sample_of_rows(dataset.points)
    points, matrix = (
        frame.iloc[some].reset_index(drop=True) for frame in (dataset.points, dataset.matrix)
    )
    rows = rule_rows(tables, points, matrix)
    by = Segmenting("", rules, _spelled(rules, rows, matrix))
    _refuse_otherwise(by, rows, matrix)
    segments = PersonaSegments(**asked.model_dump(), by=by)
    model = settings.model.model_copy(update={"segments": segments})
    return settings.model_copy(update={"model": model})


def _unknown(rules: Mapping[str, str], columns: list[str]) -> Iterator[Fault]:
    for name, when in rules.items():
        for read in columns_of(when):
            if read not in columns:
                made = [column for column in columns if column.startswith(f"{read}__")]
                hint = f"they get {', '.join(made)}" if made else nearest(read, columns)
                found = f"{read!r} in the persona {name!r}; {hint}"
                mend = "let the rule name features, or take a column for the segments"
                yield Fault("models do not get what tells a persona", _WHERE, found, mend)


def _spelled(
    rules: Mapping[str, str], rows: pd.DataFrame, matrix: pd.DataFrame
) -> dict[str, dict[str, str]]:
    """Return, by column and value of the matrix, how people mostly wrote it, where otherwise."""
    read = sorted({name for when in rules.values() for name in columns_of(when)})
    found = {name: _written(matrix[name], rows[name]) for name in read if _is_text(matrix[name])}
    return {name: words for name, words in found.items() if words}


def _is_text(column: "pd.Series[Any]") -> bool:
    return not pd.api.types.is_numeric_dtype(column.dtype)


def _written(values: "pd.Series[Any]", people: "pd.Series[Any]") -> dict[str, str]:
    pairs = pd.DataFrame({"value": values.astype("str"), "people": people.astype("str")}).dropna()
    most = pairs.value_counts(sort=False).sort_index().reset_index(name="rows")
    most = most.sort_values("rows", ascending=False, kind="stable").drop_duplicates("value")
    other = most[most["value"] != most["people"]].sort_values("value")
    return dict(zip(other["value"].astype(str), other["people"].astype(str), strict=True))


def _refuse_otherwise(by: Segmenting, rows: pd.DataFrame, matrix: pd.DataFrame) -> None:
    """Raise ConfigError if the personas of scores and those of segments are not the same."""
    wanted, told = names_by_rules(rows, by.rules), by.names(matrix)
    share = float(np.mean(wanted != told)) if len(told) else 0.0
    if share > _MOST_OTHERWISE:
        found = f"{share:.1%} of the leads would be of another persona by the models' columns"
        mend = "let the rules name features as models get them, see mqlml plan"
        raise ConfigError(Fault("personas mean something else to models", _WHERE, found, mend))
