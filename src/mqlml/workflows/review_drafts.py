"""A review's drafts: rules over values as people wrote them, and files for `mqlml criteria`."""

from pathlib import Path

import numpy as np
import yaml

from mqlml.features.known_values import known_values
from mqlml.review.drafts import Draft, next_criteria
from mqlml.review.review import Review
from mqlml.storage.atomic import replace_file
from mqlml.tables.contracts import ColumnType, Known, Tables
from mqlml.workflows.history import Past
from mqlml.workflows.project import Project

_HEAD = """\
# Draft of 'mqlml review'; nobody has signed it. Preview it, say from which day on it counts
# (valid_from: 2026-03-01), let both teams sign, and list it under criteria in the config.
"""


def spellings(tables: Tables, past: Past, found: Review) -> dict[str, tuple[str, ...]]:
    """Return, by confirmed finding about a level, the attribute's values that are this level.

    The model reads "software" where people wrote "Software" or "SOFTWARE "; rules look at
    what people wrote. Levels that are made of an attribute, as seniority is of a title, are
    not among them: rules see those as the model does.
    """
    texts = {
        spec.name
        for spec in tables.attribute_specs
        if spec.type is ColumnType.TEXT and spec.known is not Known.OUTCOME
    }
    findings = found.findings
    sure = findings[(findings["tier"] == "confirmed") & (findings["asked"] == "level")]
    spelt = {}
    for feature in sure["feature"].astype("str"):
        column, _, level = feature.partition(" = ")
        if column in texts:
            known = known_values(tables, past.points, column)
            is_level = (past.matrix[column] == level).to_numpy(dtype=bool) & (known.codes >= 0)
            values = {str(known.distinct[code]) for code in np.unique(known.codes[is_level])}
            spelt[feature] = tuple(sorted(values))
    return spelt


def write_drafts(project: Project, drafts: tuple[Draft, ...], folder: Path) -> tuple[Path, ...]:
    """Write each draft of a rule as the next version of the criteria; return the files."""
    written = []
    folder.mkdir(parents=True, exist_ok=True)
    for draft in drafts:
        if draft.rule is not None:
            criteria = next_criteria(project.settings.criteria, draft.rule)
            text = yaml.safe_dump(
                criteria.model_dump(mode="json", exclude_defaults=True),
                sort_keys=False,
                allow_unicode=True,
            )
            path = folder / f"{draft.rule.name}.yaml"
            replace_file(path, f"{_HEAD}{text}".encode())
            written.append(path)
    return tuple(written)
