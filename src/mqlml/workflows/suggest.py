"""`mqlml plan suggest`: a plan proposed from the data, pruned on forward folds, never on the test.

Everything that is looked at lies before the test begins: the events that name
signals, the leads, and the development rows on whose folds columns are judged.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mqlml.config import Settings
from mqlml.dataset.build import Dataset
from mqlml.dataset.points import training_points
from mqlml.dataset.splits import Fold, Split, make_split
from mqlml.features.plan import Plan
from mqlml.features.plan_settings import settings_of
from mqlml.features.proposal import propose_plan
from mqlml.modeling.selection import Judged, Selection, select
from mqlml.modeling.tournament import material_of
from mqlml.storage.atomic import replace_file
from mqlml.tables.expressions import columns_of
from mqlml.wiring import make_engine
from mqlml.workflows.config_text import config_with_plan, refuse_existing
from mqlml.workflows.features import plan_of
from mqlml.workflows.ingest import current_tables
from mqlml.workflows.observed import seen_before
from mqlml.workflows.project import Project, shown_instant

Say = Callable[[str], None]

MOST_FEATURES = 2_000
_DISTINCT_TEXTS = ("page", "asset", "channel", "campaign", "type")
_MOST_GROUPS = 200
_SHOWN = 15


@dataclass(frozen=True)
class Suggestion:
    """What was proposed, what is kept and why, and where the config lies.

    `test_from` is when the test begins; None where an order stands for time.
    """

    path: Path
    config: Path
    data_dir: Path
    selection: Selection
    sentences: Mapping[str, str]
    candidates: int
    test_from: str | None
    fixed: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        return {
            "config": str(self.path),
            "candidates": self.candidates,
            "kept": [
                {"column": g.column, "gain": g.gain, "sentence": self.sentences[g.column]}
                for g in self.selection.kept
            ],
            "kept_for_rules": list(self.fixed),
            "dropped": dict(self.selection.dropped),
            "sets": [asdict(judged) for judged in self.selection.sets],
            "looked_at_until": self.test_from,
        }

    def lines(self) -> Iterator[str]:
        """Yield the answer for people: what is kept and why, what went, what it is worth."""
        kept = self.selection.kept
        until = self.test_from or "the test"
        yield f"{self.candidates} features tried on what was known before {until}"
        yield "forward log loss lost without it:"
        for gain in kept[:_SHOWN]:
            mark = " (a rule reads it)" if gain.column in self.fixed else ""
            yield f"  {gain.gain:8.5f}  {gain.column}: {self.sentences[gain.column]}{mark}"
        if len(kept) > _SHOWN:
            yield f"  … and {len(kept) - _SHOWN} more"
        for reason, number in _reasons(self.selection):
            yield f"{number} left out: {reason}"
        for judged in self.selection.sets:
            yield _set_line(judged, kept=len(kept) - len(self.fixed))
        yield "the folds that chose also judge: 'train' tests the plan on later leads"
        yield f"wrote {self.path}"
        yield f"next: mqlml train --config {self.path} --data {self.data_dir}"


def _reasons(selection: Selection) -> list[tuple[str, int]]:
    plain = (
        "it says what another says" if r.startswith("says what") else r
        for r in selection.dropped.values()
    )
    return Counter(plain).most_common()


def _set_line(judged: Judged, *, kept: int) -> str:
    mark = "  ← kept" if judged.columns == kept else ""
    return f"the best {judged.columns:>3}: forward log loss {judged.log_loss:.5f}{mark}"


def suggest_plan(
    project: Project,
    config: Path,
    out: Path,
    *,
    as_of: int | None,
    seed: int,
    say: Say,
    replaces: bool = False,
) -> Suggestion:
    """Write a config with a proposed and pruned plan, which `train` accepts, and return why.

    Columns that rules of the config read are kept whatever they are worth.

    Raises:
        UsageError: the file exists.
        DataError: too few leads, outcomes or periods for forward folds.
    """
    refuse_existing(out, replaces=replaces)
    tables = current_tables(project, say=say, as_of=as_of)
    settings = project.settings
    say("making points")
    points = training_points(tables, settings.target, settings.points)
    split = make_split(points, settings.target, settings.split)
    seen = seen_before(tables, settings.target, split.test_from)
    proposed = settings.model_copy(update={"plan": propose_plan(settings.plan, seen)})
    plan = _within_limit(plan_of(proposed, tables), say)
    say(f"measuring {len(plan.columns)} features")
    development = points.iloc[split.development].reset_index(drop=True)
    matrix = make_engine(settings.engine).compute(tables, development, plan)
    dataset = Dataset(development, matrix, plan)
    say("judging them on forward folds")
    selection, fixed = _selected(dataset, split, settings, seed)
    kept = _only(plan, {gain.column for gain in selection.kept})
    text = config_with_plan(config, out, settings_of(kept, proposed.plan))
    out.parent.mkdir(parents=True, exist_ok=True)
    replace_file(out, text.encode())
    return Suggestion(
        path=out,
        config=config,
        data_dir=project.data_dir,
        selection=selection,
        sentences={info.column: info.sentence for info in plan.infos},
        candidates=len(_candidates(plan)),
        test_from=None if tables.is_order_time else shown_instant(split.test_from),
        fixed=fixed,
    )


def _selected(
    dataset: Dataset, split: Split, settings: Settings, seed: int
) -> tuple[Selection, tuple[str, ...]]:
    """Return the selection, and which of its columns rules of the config read."""
    material = material_of(dataset, settings.model, seed)
    candidates = [name for name in _candidates(dataset.plan) if name in material.shape.columns]
    fixed = tuple(name for name in _read_by_rules(settings, dataset.plan) if name in candidates)
    folds = [
        Fold(*(np.searchsorted(split.development, rows) for rows in (fold.train, fold.valid)))
        for fold in split.folds
    ]
    selection = select(material, folds, candidates, always=fixed)
    return _with_parts(selection, dataset.plan), fixed


def _candidates(plan: Plan) -> list[str]:
    """Return the columns that the section `plan` makes; attributes are no matter of choice."""
    attributes = {a.column for a in plan.attributes}
    return [name for name in plan.columns if name not in attributes]


def _with_parts(selection: Selection, plan: Plan) -> Selection:
    """Return the selection with the columns that its ratios divide."""
    kept = {gain.column for gain in selection.kept}
    needed = {part for r in plan.ratios if r.column in kept for part in (r.of, r.to)} - kept
    if not needed:
        return selection
    gain_of = type(selection.kept[0])
    added = tuple(gain_of(name, 0.0) for name in plan.columns if name in needed)
    dropped = {n: why for n, why in selection.dropped.items() if n not in needed}
    return replace(selection, kept=(*selection.kept, *added), dropped=dropped)


def _read_by_rules(settings: Settings, plan: Plan) -> tuple[str, ...]:
    criteria = settings.criteria
    rules = (*criteria.icp_gate, *criteria.disqualifiers, *criteria.hand_raisers)
    conditions = [rule.when for rule in rules]
    conditions += [persona.when for persona in settings.personas]
    conditions += [rule.when for rule in settings.model.points_rules]
    named = {name for condition in conditions for name in columns_of(condition)}
    named |= set(settings.model.monotone) | set(settings.audit.allow)
    named |= {part for r in plan.ratios if r.column in named for part in (r.of, r.to)}
    return tuple(name for name in plan.columns if name in named)


def _only(plan: Plan, kept: set[str]) -> Plan:
    return plan.without([name for name in _candidates(plan) if name not in kept])


def _within_limit(plan: Plan, say: Say) -> Plan:
    names = _candidates(plan)
    if len(names) <= MOST_FEATURES:
        return plan
    say(f"{len(names)} features are possible: the first {MOST_FEATURES} are tried")
    return plan.without(names[MOST_FEATURES:])
