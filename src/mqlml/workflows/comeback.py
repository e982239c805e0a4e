"""Whether to go back to the champion before: both held against what came since the promotion."""

from typing import TYPE_CHECKING

import numpy as np

from mqlml.errors import BundleError
from mqlml.modeling.bundle import Bundle
from mqlml.monitoring.rollback import Comeback, propose_rollback
from mqlml.tables.contracts import Tables
from mqlml.wiring import make_engine
from mqlml.workflows.adjusting import rows_since, young_outcomes
from mqlml.workflows.appointing import previous_version
from mqlml.workflows.champion import Loaded, fetch
from mqlml.workflows.history import Past
from mqlml.workflows.project import Project

if TYPE_CHECKING:
    from mqlml.tracking.store import MlflowStore


def comeback(
    project: Project, store: "MlflowStore", tables: Tables, loaded: Loaded, past: Past
) -> Comeback | None:
    """Return whether the previous champion does better on leads since the promotion.

    Only points that neither learnt from count. None where there is nothing to compare: no
    champion before, one that cannot be loaded or predicts something else, or outcomes without
    dates.
    """
    settings = project.settings
    version = previous_version(store, loaded.ref)
    change = store.change_of(loaded.ref)
    horizon = settings.target.horizon_days
    if not version or change is None or not horizon or not loaded.bundle.facts["delays_days"]:
        return None
    try:
        previous = fetch(store, project, version)
    except BundleError:
        return None
    if previous.bundle.facts["target"] != loaded.bundle.facts["target"]:
        return None
    outcomes = young_outcomes(past, loaded, tables, horizon)
    since = max(change.as_of, *(_learnt_until(b) for b in (loaded.bundle, previous.bundle)))
    rows = rows_since(past, outcomes, since)
    points = past.points.iloc[rows].reset_index(drop=True)
    if points.empty:
        return Comeback(False, "no lead has come since the promotion")
    matrix = make_engine(settings.engine).compute(tables, points, previous.bundle.plan)
    return propose_rollback(
        points["lead_id"].to_numpy(),
        outcomes.rows(rows),
        champion=past.scores["probability"].to_numpy(np.float64)[rows],
        previous=previous.bundle.model.probability(matrix),
    )


def _learnt_until(bundle: Bundle) -> int:
    """Return the moment from which the model learnt from no point."""
    return int(bundle.facts["last_labelled_as_of"]) + 1


def comeback_words(found: Comeback | None) -> str:
    """Return what is said of going back, with the command; "" where it is not proposed."""
    if found is None or not found.is_proposed:
        return ""
    return f"the champion does worse than the one before: {found.why}: 'mqlml rollback'"
