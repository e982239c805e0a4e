"""The past as versions of the criteria are replayed on it: points, features, probabilities.

Past probabilities come from models that knew nothing of what came after, one per block
of time, so that no version is flattered. Only where that cannot be done the champion's
own stand in, and it is said how much of the past it learnt from.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from mqlml import timeline
from mqlml.criteria.file import criteria_digest
from mqlml.criteria.preview import History, Version
from mqlml.criteria.ranking import first_handed
from mqlml.criteria.settings import Criteria
from mqlml.dataset.acceptance import with_acceptance
from mqlml.dataset.build import Dataset
from mqlml.dataset.points import open_points, training_points
from mqlml.dataset.splits import make_split
from mqlml.errors import DataError, Fault
from mqlml.modeling.forward import Unseen, kind_of, unseen_probabilities
from mqlml.modeling.tournament import columns_on_trial, contestants_of, material_of
from mqlml.scoring.personas import personas_of
from mqlml.scoring.rows import rule_rows
from mqlml.storage.handed import handed_before
from mqlml.storage.score_runs import latest_number, previous_files, score_runs
from mqlml.tables.contracts import Tables
from mqlml.wiring import make_engine
from mqlml.workflows.agreement import project_at
from mqlml.workflows.champion import Loaded, load_champion
from mqlml.workflows.handed import handed_in_crm
from mqlml.workflows.ingest import as_known_at, current_tables
from mqlml.workflows.learning import known_assurance, list_floor_of, threshold_of
from mqlml.workflows.project import Project

Rows = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Told:
    """Where past probabilities come from.

    `blocks` is how many models scored the past, each a part that it had not seen; 0
    means the champion, which learnt from `learnt_share` of the points.
    """

    blocks: int
    learnt_share: float

    @property
    def sentence(self) -> str:
        """Return for people what that means."""
        if self.blocks:
            return (
                f"past probabilities come from {self.blocks} models, each learnt from leads that "
                "were decided before those it scored; today's from the champion"
            )
        return (
            f"the model learnt from {self.learnt_share:.0%} of these points, which flatters "
            "every precision here alike: read the differences"
        )

    def document(self) -> dict[str, object]:
        """Return it for programs."""
        past = "unseen" if self.blocks else "champion"
        return {"past": past, "models": self.blocks, "learnt_share": self.learnt_share}


@dataclass(frozen=True)
class ReplayedPast:
    """All points up to the data's end with features, their probabilities, and today.

    `unseen` are probabilities by models from before each block; None where no such
    models can be learnt.
    """

    project: Project
    tables: Tables
    moment: int
    loaded: Loaded
    dataset: Dataset
    unseen: Unseen | None

    def history(self) -> History:
        """Return the points up to the last one whose outcome is final, as far as they are scored.

        Its probabilities are those of `told`.
        """
        points = self.dataset.points
        known = points.loc[points["label"].notna(), "as_of"]
        is_later = timeline.is_from(points["as_of"].to_numpy(np.int64), int(known.max()) + 1)
        rows = np.flatnonzero(~np.asarray(is_later))
        if self.unseen is None:
            matrix = self.dataset.matrix.iloc[rows]
            return self._as_seen(rows, self.loaded.bundle.model.probability(matrix))
        rows, _, places = np.intersect1d(rows, self.unseen.rows, return_indices=True)
        return self._as_seen(rows, self.unseen.probability[places])

    def told(self, history: History) -> Told:
        """Return where the history's probabilities come from."""
        if self.unseen is not None:
            return Told(self.unseen.blocks, 0.0)
        last = int(self.loaded.bundle.facts["last_labelled_as_of"])
        as_of = history.points["as_of"].to_numpy(np.int64)
        return Told(0, 1.0 - float(np.mean(np.asarray(timeline.is_from(as_of, last + 1)))))

    def today(self) -> History:
        """Return the leads that are open at the moment."""
        settings = self.project.settings
        points = open_points(self.tables, settings.target, settings.points, as_of=self.moment)
        plan = self.loaded.bundle.plan
        matrix = make_engine(settings.engine).compute(self.tables, points, plan)
        space = self.project.workspace
        runs = score_runs(space.ledger, settings.name)
        after = latest_number(runs)
        files = previous_files(space.scores, runs, before=self.moment, after=after)
        seen = self._seen(
            points.assign(label=np.nan), matrix, self.loaded.bundle.model.probability(matrix)
        )
        in_crm = handed_in_crm(as_known_at(self.tables, self.moment))
        return replace(seen, handed=first_handed(handed_before(files), in_crm))

    def _as_seen(self, rows: Rows, probability: Floats) -> History:
        points = self.dataset.points.iloc[rows].reset_index(drop=True)
        matrix = self.dataset.matrix.iloc[rows].reset_index(drop=True)
        return self._seen(points, matrix, probability)

    def _seen(self, points: pd.DataFrame, matrix: pd.DataFrame, probability: Floats) -> History:
        rows = rule_rows(self.tables, points, matrix)
        return History(points, probability, rows, personas_of(rows, self.project.settings.personas))

    def version(self, criteria: Criteria) -> Version:
        """Return criteria with the threshold that `score` would use at the moment."""
        facts, model = self.loaded.bundle.facts, self.loaded.bundle.model
        zone = self.project.settings.timezone or "UTC"
        if criteria_digest(criteria) == facts["criteria_digest"]:
            floor = float(facts.get("list_floor", 0.0))
            return Version(criteria, float(facts["mql_probability"]), floor, zone)
        assurance = known_assurance(facts)
        measured, least = (
            find(criteria, self.tables, self.dataset, model, assurance)
            for find in (threshold_of, list_floor_of)
        )
        return Version(criteria, float(measured or 0.0), least or 0.0, zone)


def replayed_past(project: Project, as_of: int | None, say: Say, *, seed: int = 0) -> ReplayedPast:
    """Return the whole past as of a moment (default: the data's end).

    Raises:
        BundleError: no champion.
        DataError: no outcome is final, or times are no days.
    """
    tables = current_tables(project, say=say, as_of=as_of)
    if tables.is_order_time:
        mend = "compare the score files of both versions instead"
        found = "an order column that stands for time"
        raise DataError(Fault("criteria are replayed week by week", "sources", found, mend))
    moment = tables.data_end if as_of is None else as_of
    project = project_at(project, tables, moment)
    loaded = load_champion(project)
    settings = project.settings
    points = training_points(tables, settings.target, settings.points)
    labelled = points.loc[points["label"].notna(), "as_of"]
    if labelled.empty:
        mend = "wait until the horizon of the first leads has passed"
        raise DataError(Fault("no outcome is final yet", "target.horizon_days", mend=mend))
    say("looking at past points")
    matrix = make_engine(settings.engine).compute(tables, points, loaded.bundle.plan)
    if settings.model.acceptance:
        points = with_acceptance(points, tables, settings.target)
    dataset = Dataset(points, matrix, loaded.bundle.plan)
    say("scoring the past by models that had not seen it")
    unseen = _unseen(project, loaded, dataset, seed)
    return ReplayedPast(project, tables, moment, loaded, dataset, unseen)


def _unseen(project: Project, loaded: Loaded, dataset: Dataset, seed: int) -> Unseen | None:
    """Return probabilities by models from before each block, None if they cannot be learnt."""
    facts, settings = loaded.bundle.facts, project.settings
    try:
        split = make_split(dataset.points, settings.target, settings.split)
    except DataError:
        return None
    material = material_of(dataset, settings.model, seed)
    trial = columns_on_trial(dataset, material)
    found = contestants_of(settings.model, len(split.development), trial=trial)
    entrants = {c.name: c for c in found}
    if "winner_settings" not in facts or facts["winner"] not in entrants:
        return None
    kind = kind_of(entrants[facts["winner"]], facts["winner_settings"])
    cohort = dataset.points["cohort"].to_numpy(np.int64)
    return unseen_probabilities(material, cohort, split, kind)
