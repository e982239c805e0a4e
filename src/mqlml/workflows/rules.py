"""The conditions that people wrote into the config, held against the rows they will look at."""

from collections.abc import Sequence

import pandas as pd

from mqlml.config import Settings
from mqlml.criteria.file import criteria_faults
from mqlml.errors import ConfigError, Fault
from mqlml.scoring.rows import rule_rows
from mqlml.tables.contracts import Tables
from mqlml.tables.expressions import expression_faults


def refuse_faulty_rules(
    settings: Settings, tables: Tables, points: pd.DataFrame, matrix: pd.DataFrame
) -> None:
    """Raise one ConfigError with every fault of criteria, personas and points rules.

    Called before anything is learnt, so that a misspelt column costs no training.
    """
    rows = list(rule_rows(tables, points.head(0), matrix.head(0)).columns)
    faults = [*criteria_faults(settings.criteria, rows), *_persona_faults(settings, rows)]
    for number, rule in enumerate(settings.model.points_rules):
        where = f"model.points_rules.{number}"
        faults += expression_faults(rule.when, list(matrix.columns), where)
    if faults:
        raise ConfigError(*faults)


def _persona_faults(settings: Settings, columns: Sequence[str]) -> list[Fault]:
    return [
        fault
        for persona in settings.personas
        for fault in expression_faults(persona.when, columns, f"personas.{persona.name}")
    ]
