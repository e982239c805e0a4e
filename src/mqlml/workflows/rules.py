"""The conditions that people wrote into the config, held against the rows they will look at."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml.config import Settings
from mqlml.criteria.file import criteria_faults
from mqlml.criteria.settings import Criteria
from mqlml.errors import ConfigError, Fault
from mqlml.modeling.bundle import Bundle
from mqlml.modeling.contestants.segments import is_by_persona
from mqlml.scoring.personas import persona_changes
from mqlml.scoring.rows import rule_rows
from mqlml.scoring.settings import PersonaSettings
from mqlml.tables.contracts import Tables
from mqlml.tables.expressions import evaluate, expression_faults
from mqlml.workflows.terms import Terms

# On fewer rows it may be chance that a rule holds for nobody.
_LEAST_ROWS = 50
_MOST_ROWS = 20_000


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


def persona_remarks(bundle: Bundle, terms: Terms) -> tuple[str, ...]:
    """Return what an edit of the personas since the training means for scores by `terms`.

    Personas decide about no lead: what they are is not signed, and an edit is said, not refused.
    """
    trained = tuple(PersonaSettings.model_validate(one) for one in bundle.personas)
    changes = persona_changes(trained, terms.personas)
    if not changes:
        return ()
    if is_by_persona(bundle.model):
        meant = (
            "the model goes by the personas of its training until the next one: a lead may be "
            "named by one persona here and scored as another"
        )
    else:
        meant = "leads are named by the rules of now, the training's figures by those of then"
    return (*changes, meant)


def refuse_contradictions(settings: Settings) -> None:
    """Raise one ConfigError naming every column that is allowed and excluded at once."""
    leads = settings.sources.leads
    places = {
        "model.drop": settings.model.drop,
        "attributes.ignore": [n for source in leads for n in source.attributes.ignore],
        "attributes.outcome_side": [n for source in leads for n in source.attributes.outcome_side],
    }
    personal = [n for source in leads for n in source.attributes.allow_personal]
    allowed = {"audit.allow": settings.audit.allow, "attributes.allow_personal": personal}
    mend = "say one thing of it: take its name out of one of both"
    faults = [
        Fault("a column is allowed and excluded at once", f"{way}.{name}", f"also in {place}", mend)
        for way, names in allowed.items()
        for name in names
        for place, excluded in places.items()
        if name in excluded
    ]
    if faults:
        raise ConfigError(*faults)


def sample_of_rows(points: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return positions of at most 20,000 points, evenly spread: enough to see who passes a rule."""
    return np.unique(np.linspace(0, len(points) - 1, min(len(points), _MOST_ROWS)).astype(np.int64))


def refuse_pointless_rules(settings: Settings, rows: pd.DataFrame) -> None:
    """Raise one ConfigError with every rule that decides nothing, or everything, over `rows`.

    A gate that nobody passes, an exclusion, disqualifier or hand-raiser rule that
    holds for everybody, a persona that matches nobody or everybody. Fewer than 50
    rows say too little.
    """
    faults = list(_pointless_faults(settings.criteria, rows))
    if len(rows) >= _LEAST_ROWS:
        shares = _shares(rows, {persona.name: persona.when for persona in settings.personas})
        for name, share in shares.items():
            if share in {0.0, 1.0}:
                what = f"the persona matches {'everybody' if share else 'nobody'}"
                mend = "let its condition tell some leads from others, or remove it"
                faults.append(Fault(what, f"personas.{name}", _found(rows, share), mend))
    if faults:
        raise ConfigError(*faults)


def refuse_pointless_criteria(criteria: Criteria, rows: pd.DataFrame) -> None:
    """Raise what `refuse_pointless_rules` raises, of the criteria alone."""
    faults = list(_pointless_faults(criteria, rows))
    if faults:
        raise ConfigError(*faults)


def _pointless_faults(criteria: Criteria, rows: pd.DataFrame) -> Iterator[Fault]:
    if len(rows) >= _LEAST_ROWS:
        yield from _gate_faults(criteria, rows)
        yield from _sweeping_faults(criteria, rows)


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
