"""The conditions that people wrote into the config, held against the rows they will look at."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from mqlml.config import Settings
from mqlml.criteria.file import criteria_faults
from mqlml.criteria.settings import Criteria
from mqlml.errors import ConfigError, Fault
from mqlml.scoring.rows import rule_rows
from mqlml.tables.contracts import Tables
from mqlml.tables.expressions import evaluate, expression_faults

# On fewer rows it may be chance that a rule holds for nobody.
_LEAST_ROWS = 50


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


def refuse_pointless_rules(settings: Settings, rows: pd.DataFrame) -> None:
    """Raise one ConfigError with every rule that decides nothing, or everything, over `rows`.

    A gate that nobody passes, an exclusion, disqualifier or hand-raiser rule that
    holds for everybody, a persona that matches nobody or everybody. Fewer than 50
    rows say too little.
    """
    if len(rows) < _LEAST_ROWS:
        return
    faults = [*_gate_faults(settings.criteria, rows), *_sweeping_faults(settings.criteria, rows)]
    shares = _shares(rows, {persona.name: persona.when for persona in settings.personas})
    for name, share in shares.items():
        if share in {0.0, 1.0}:
            what = f"the persona matches {'everybody' if share else 'nobody'}"
            mend = "let its condition tell some leads from others, or remove it"
            faults.append(Fault(what, f"personas.{name}", _found(rows, share), mend))
    if faults:
        raise ConfigError(*faults)


def _gate_faults(criteria: Criteria, rows: pd.DataFrame) -> list[Fault]:
    if not criteria.icp_gate:
        return []
    passed = evaluate(rows, {rule.name: rule.when for rule in criteria.icp_gate})
    if passed.to_numpy(bool).all(axis=1).any():
        return []
    shares = ", ".join(f"{name} {share:.1%}" for name, share in passed.mean().items())
    mend = "loosen the conditions; compare their spelling and units with the data"
    found = f"of {len(rows)} past points each condition passes: {shares}; together none"
    return [Fault("nobody passes the ICP gate", "criteria.icp_gate", found, mend)]


def _sweeping_faults(criteria: Criteria, rows: pd.DataFrame) -> list[Fault]:
    groups = {
        "exclusions": criteria.exclusions,
        "disqualifiers": criteria.disqualifiers,
        "hand_raisers": criteria.hand_raisers,
    }
    mend = "narrow the condition; compare its spelling and units with the data"
    return [
        Fault("the rule holds for everybody", f"criteria.{part}.{name}", _found(rows, share), mend)
        for part, rules in groups.items()
        for name, share in _shares(rows, {rule.name: rule.when for rule in rules}).items()
        if share == 1.0
    ]


def _shares(rows: pd.DataFrame, texts: Mapping[str, str]) -> dict[str, float]:
    if not texts:
        return {}
    return {str(name): float(np.mean(held)) for name, held in evaluate(rows, texts).items()}


def _found(rows: pd.DataFrame, share: float) -> str:
    return f"it holds for {round(share * len(rows))} of {len(rows)} past points"
