"""Shadow scores: what the challenger would say of the leads that the champion scores.

They lie apart in `shadow/`, decide nothing, and no trend reads them. What they are for is the
comparison, before a promotion, of who would be handed over.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mqlml.criteria.decide import Outcome
from mqlml.storage.atomic import replace_file
from mqlml.storage.scores import parquet_bytes
from mqlml.storage.stamps import stamp
from mqlml.wiring import open_store
from mqlml.workflows.champion import Loaded, fetch
from mqlml.workflows.features import Means
from mqlml.workflows.project import Project
from mqlml.workflows.score_day import Day, scores_of_day
from mqlml.workflows.terms import Terms

FOLDER = "shadow"


@dataclass(frozen=True)
class Shadowed:
    """How the challenger's scores of one moment compare with the champion's."""

    version: str
    leads: int
    mqls: int
    mqls_of_champion: int
    mqls_of_both: int
    rank_correlation: float
    path: str

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """Yield the answer for people."""
        yield (
            f"shadow: challenger version {self.version} would call {self.mqls:,} leads MQL, the "
            f"champion calls {self.mqls_of_champion:,}, both {self.mqls_of_both:,}; "
            f"rank correlation {self.rank_correlation:.2f}"
        )
        yield f"shadow scores: {self.path}"


def shadow(
    project: Project, day: Day, terms: Terms, scores: pd.DataFrame, *, means: Means, moment: int
) -> Shadowed | None:
    """Return the comparison of the challenger that waits with `scores`; None if nobody waits.

    Where the criteria have a ranked list, the challenger's own is cut: of the same places, for
    the leads that nobody handed over before. Its scores are written as
    `shadow/NAME-STAMP-vVERSION.parquet`, whole or not at all.
    """
    store = open_store(project.settings, project.workspace, project.secrets)
    waiting = store.challenger(project.settings.name)
    if waiting is None:
        return None
    loaded = fetch(store, project, waiting.version)
    if loaded.bundle.facts["target"] != terms.target.model_dump(mode="json"):
        return None
    if day.points.empty:
        return None
    first_time = replace(day, previous=None)
    own = _own_terms(terms, loaded)
    said = scores_of_day(project, first_time, loaded, own, means, moment).scores
    path = _path(project, loaded, moment)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, parquet_bytes(said))
    found = _compared(loaded.version, said, scores, path)
    replace_file(path.with_suffix(".json"), json.dumps(found.document(), indent=1).encode())
    return found


def _path(project: Project, loaded: Loaded, moment: int) -> Path:
    name = f"{project.settings.name}-{stamp(moment)}-v{loaded.version}.parquet"
    return project.workspace.root / FOLDER / name


def _own_terms(terms: Terms, loaded: Loaded) -> Terms:
    """Return the terms with what is the challenger's own: where MQL begins, a list's floor."""
    facts, listed = loaded.bundle.facts, terms.listed
    if listed is not None:
        listed = replace(listed, floor=float(facts.get("list_floor", listed.floor)))
    return replace(terms, mql_probability=float(facts["mql_probability"]), listed=listed)


def _compared(version: str, said: pd.DataFrame, scores: pd.DataFrame, path: Path) -> Shadowed:
    both = said.merge(scores, on="lead_id", suffixes=("_shadow", ""))
    ranks = both[["probability_shadow", "probability"]].rank()
    is_flat = bool((ranks.nunique() < 2).any())
    correlation = 1.0 if is_flat else float(np.corrcoef(ranks.to_numpy().T)[0, 1])
    mql = (both["outcome_shadow"] == Outcome.MQL, both["outcome"] == Outcome.MQL)
    return Shadowed(
        version=version,
        leads=len(both),
        mqls=int(mql[0].sum()),
        mqls_of_champion=int(mql[1].sum()),
        mqls_of_both=int((mql[0] & mql[1]).sum()),
        rank_correlation=correlation,
        path=str(path),
    )
