"""What is told to MLflow, and what comes back: plain values without MLflow's types."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

Number = float | int


@dataclass(frozen=True)
class DatasetFacts:
    """The data of a training: `digest` names their bytes, at most 36 characters are kept."""

    name: str
    digest: str
    rows: int
    source: str = ""


@dataclass(frozen=True)
class Campaign:
    """A change that was found, and under which everything that follows from it is recorded.

    `key` names it for good; `since` and `as_of` (the look that found it) in microseconds UTC,
    `version` was champion then.
    """

    key: str
    kind: str
    since: int | None
    columns: Sequence[str]
    evidence: str
    as_of: int
    version: str


@dataclass(frozen=True)
class RunRecord:
    """One run: what was done (`kind`), as of when (microseconds UTC), why, and what followed.

    `artifacts` maps a path inside the run to the bytes or the file that go there. `note`
    is Markdown shown above the run, `summary` one sentence for the version that comes of it.
    `series` maps a metric to its values by moment (microseconds UTC), a step a week; `timeline`
    are figures for the model's time line. `campaign` is the change that the run belongs to.
    """

    name: str
    kind: str
    as_of: int
    reason: str = ""
    decision: str = ""
    model_version: str = ""
    params: Mapping[str, object] = field(default_factory=dict)
    metrics: Mapping[str, Number] = field(default_factory=dict)
    tags: Mapping[str, object] = field(default_factory=dict)
    artifacts: Mapping[str, bytes | Path] = field(default_factory=dict)
    note: str = ""
    summary: str = ""
    series: Mapping[str, Sequence[tuple[int, Number]]] = field(default_factory=dict)
    timeline: Mapping[str, Number] = field(default_factory=dict)
    campaign: Campaign | None = None


@dataclass(frozen=True)
class TrainingRecord:
    """One training: its run, the bundle that came out, and where it came from.

    `run.metrics` are the test metrics; `contestants` are metrics by contestant,
    logged as `contestant.NAME.METRIC`. `numbers` and `categories` are the columns
    that the model takes, `example` a few rows of them.
    """

    run: RunRecord
    bundle: Path
    dataset: DatasetFacts
    contestants: Mapping[str, Mapping[str, Number]]
    columns: Sequence[str]
    categories: Sequence[str] = ()
    example: pd.DataFrame | None = None
    plan_fingerprint: str = ""
    criteria_version: str = ""
    criteria_digest: str = ""
    seed: int = 0


@dataclass(frozen=True)
class LoggedModel:
    """A training as it stands in MLflow; `version` is empty if it was not registered."""

    run_id: str
    name: str
    version: str


@dataclass(frozen=True)
class ModelRef:
    """One registered version of a model; `uri` is what MLflow's `load_model` takes."""

    name: str
    version: str
    run_id: str
    uri: str


@dataclass(frozen=True)
class RunRow:
    """One run as `mqlml runs` lists it; `at` is its as_of in microseconds UTC."""

    run_id: str
    kind: str
    at: int
    name: str
    version: str
    reason: str
    decision: str


@dataclass(frozen=True)
class ChampionChange:
    """One change of who is champion: the `number`-th of its model, and why.

    `kind` is what was done (train, retrain, promote, rollback, by hand), `previous` the version
    to go back to ("" if there is none), `by` who decided ("" for mqlml itself), `as_of` in
    microseconds UTC.
    """

    number: int
    kind: str
    as_of: int
    version: str
    previous: str = ""
    reason: str = ""
    why: str = ""
    by: str = ""
