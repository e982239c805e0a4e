"""Scores computed by Spark: each task scores the leads whose features it has just made."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from mqlml.engines.spark import SparkEngine
from mqlml.engines.spark_blobs import arrow_array
from mqlml.engines.spark_frames import SparkTables
from mqlml.engines.spark_session import spark_faults
from mqlml.engines.spark_task import Answer, Finish, frame_of
from mqlml.errors import ConfigError, Fault
from mqlml.features.attribute_matrix import attribute_columns
from mqlml.modeling.bundle import Bundle, bundle_files, load_bundle
from mqlml.scoring.rows import rule_rows
from mqlml.scoring.score import (
    SCORE_COLUMNS,
    Policy,
    in_order_of_score,
    last_score_of,
    score_points,
)
from mqlml.tables.contracts import Tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_NUMBERS = (
    "probability",
    "score",
    "score_low",
    "score_high",
    "fit_part",
    "engagement_part",
    "base_part",
    "trend",
)
_TYPES = {"as_of": "timestamp", "criteria_version": "bigint"} | dict.fromkeys(_NUMBERS, "double")
_TEXTS = [name for name in SCORE_COLUMNS if name not in _TYPES]
_SCHEMA = ", ".join(f"{name} {_TYPES.get(name, 'string')}" for name in SCORE_COLUMNS)
_PANDAS = dict.fromkeys(_TEXTS, "str") | {"as_of": "datetime64[us, UTC]"}
# The column of the points that holds a lead's last score, for the trend.
PREVIOUS = "previous_score"


@dataclass(frozen=True)
class Scorer:
    """A model and what turns its probabilities into outcomes."""

    bundle: Bundle
    policy: Policy


@dataclass(frozen=True)
class _Files:
    """A bundle as it travels to the tasks: its files, checked against the manifest on arrival."""

    content: tuple[tuple[str, bytes], ...]


def spark_scores(
    engine: SparkEngine, tables: SparkTables, *, points: "DataFrame", scorer: Scorer
) -> "DataFrame":
    """Return SCORE_COLUMNS for every point, in no order; equal to `score_points` lead by lead.

    Nothing is computed before the frame is used, and nothing comes to the driver:
    write it with `frame.write.parquet(…)`.

    Args:
        engine: deals the leads to tasks.
        tables: leads, dated attributes and events.
        points: lead_id and as_of (microseconds), one row per lead; with a column
            `previous_score` the scores have a trend.
        scorer: the model, whose plan says which features are made, and the policy.

    Raises ConfigError for a ranked list, which is cut when all probabilities are known.
    """
    if scorer.policy.criteria.thresholds.ranked is not None:
        mend = "score with `mqlml score` and engine.kind spark, or give mql_probability"
        where = "criteria.thresholds.ranked"
        raise ConfigError(Fault("a ranked list needs all leads together", where, mend=mend))
    plan, finish = scorer.bundle.plan, scored(scorer)
    return engine.answers(tables, points, plan, finish=finish, schema=_SCHEMA)


def scored(scorer: Scorer) -> Finish:
    """Return what a task is told to make scores of features."""
    files = _Files(tuple(bundle_files(scorer.bundle).items()))
    return partial(score_rows, files=files, policy=scorer.policy)


def collect_scores(
    engine: SparkEngine,
    tables: Tables,
    *,
    points: pd.DataFrame,
    scorer: Scorer,
    previous: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return what `score_points` returns, computed by Spark: one row per lead comes back.

    The features never do.
    """
    attribute_columns(tables, points.head(0), scorer.bundle.plan)  # tells of unknown ones
    asked = points[["lead_id", "as_of"]]
    last = last_score_of(asked, previous)
    if last is not None:
        asked = asked.assign(**{PREVIOUS: last})
    with spark_faults("engine"):
        finish = scored(scorer)
        found = engine.snapshot_answers(
            tables, asked, scorer.bundle.plan, finish=finish, schema=_SCHEMA
        ).toArrow()
    scores = pd.DataFrame(found.to_pandas()).astype(_PANDAS)
    return in_order_of_score(scores)


def score_rows(
    answers: Iterator[Answer], files: _Files, policy: Policy
) -> Iterator[pa.RecordBatch]:
    """Yield the scores of a key's points."""
    for answer in answers:
        if answer.asked.num_rows:
            yield _scores(answer, _bundle(files), policy)


def _scores(answer: Answer, bundle: Bundle, policy: Policy) -> pa.RecordBatch:
    points = frame_of(answer.asked)
    matrix = frame_of(answer.features.select(list(bundle.plan.columns)))
    scores = score_points(
        bundle,
        points,
        matrix,
        rows=rule_rows(answer.tables, points, matrix),
        policy=policy,
        previous=_previous(points),
    )
    return pa.RecordBatch.from_arrays(
        [arrow_array(scores[n]) for n in SCORE_COLUMNS], SCORE_COLUMNS
    )


def _previous(points: pd.DataFrame) -> pd.DataFrame | None:
    if PREVIOUS not in points:
        return None
    known = points[points[PREVIOUS].notna()]
    return known[["lead_id", PREVIOUS]].rename(columns={PREVIOUS: "score"})


@lru_cache(maxsize=2)
def _bundle(files: _Files) -> Bundle:
    # One that a worker has read serves all its tasks.
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.content:
            (Path(folder) / name).write_bytes(content)
        return load_bundle(Path(folder))
