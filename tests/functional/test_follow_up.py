"""A correction learns again from what came since: the whole way through store and ledger."""

import numpy as np
import pandas as pd

from mqlml.modeling.residual import FittedResidual
from mqlml.monitoring.evidence import Change
from mqlml.wiring import open_store
from mqlml.workflows.appointing import Word, promote
from mqlml.workflows.champion import fetch
from mqlml.workflows.project import open_project
from mqlml.workflows.retrain import retrain


def micros(day):
    return pd.Timestamp(day, tz="UTC").value // 1_000


def concept(since):
    return Change("concept", since, (), None, "other leads convert", "retrain", 4.0)


def test_a_corrected_champion_is_corrected_again_from_the_model_inside_it(company, workspace):
    project = open_project(company, workspace=workspace)
    since, first, again = map(micros, ("2025-11-10", "2025-12-15", "2026-01-26"))
    done = retrain(project, as_of=first, seed=0, reason="auto", say=str, changes=[concept(since)])
    assert done.approach == "correction"
    if not done.decision.promote:
        promote(project, Word("ann", "sales saw it too", first), version=done.challenger)
    store = open_store(project.settings, project.workspace, {})
    corrected = fetch(store, project)
    facts = corrected.bundle.facts["adjusted"]
    assert facts["since"] == since

    # Two weeks have not passed: it waits. Then the same change is asked for, without an alarm.
    early = retrain(project, as_of=micros("2025-12-22"), seed=0, reason="auto", say=str, changes=[])
    assert (early.is_retrained, early.request.why[:31]) == (
        False,
        "nothing to do: tried on 2025-12",
    )
    later = retrain(project, as_of=again, seed=0, reason="auto", say=str, changes=[])
    assert (later.request.reason, later.approach) == ("drift", "correction")
    assert later.request.why == (
        "follow-up of the correction of 2025-12-15: more outcomes are known since"
    )
    assert "0 needed" in later.decision.why
    made = fetch(store, project, later.challenger).bundle
    assert made.facts["adjusted"]["since"] == since
    # It starts from the model that was champion at first, not from the correction.
    assert made.facts["adjusted"]["learnt_until"] == facts["learnt_until"]
    if isinstance(made.model.fitted, FittedResidual):
        base = fetch(store, project, "1").bundle.model
        inner = made.model.fitted.base
        assert np.array_equal(list(inner.to_files().values()), list(base.to_files().values()))
