"""What the page of a training shows, as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from mqlml.dataset.findings import Finding
from mqlml.modeling.gates import Gate
from mqlml.modeling.metrics import TestMetrics
from mqlml.reports.facts import Named
from mqlml.reports.sensitive import SensitiveFacts
from mqlml.tables.ingested import FileCount


@dataclass(frozen=True)
class Target:
    """What is predicted, and the leads and time it was learnt from.

    `points` says in words when leads are looked at, `is_repeated` whether the same
    lead is looked at more than once, so that a row is a look and not a lead. Times
    are microseconds UTC, and None where the table has only an order.
    """

    stage: str
    points: str
    is_repeated: bool = False
    horizon_days: float | None = None
    first_as_of: int | None = None
    last_as_of: int | None = None
    test_from: int | None = None


@dataclass(frozen=True)
class TrainingFacts:
    """Everything the training page shows, in plain values.

    `contestants` maps each name to its figures on the test rows, the winner's among
    them; `fold_log_loss` maps it to the mean log loss on the forward folds, by which
    the winner was chosen. `occasion` says why a challenger was trained and what was
    decided; `is_promoted` is None where there was no champion to beat. `fallback` is the
    rung that stands in for a model which the gates refused, empty for a learnt one. `moved` is
    None where no champion was there to compare with.

    Frames:
        calibration: rows, predicted, observed, low, high (`metrics.calibration_curve`).
        gains: by contestant name, share, found, lift (`metrics.gains`); the winner's first.
        bands, grades: `summaries.rate_frame` of outcomes and of grades.
        features: column, sentence, family, axis, importance, direction, rank_low,
            rank_high; sorted, the strongest first. `direction` > 0 means that more makes
            it more likely.
        personas: persona, leads, conversions, rate, low, high, roc_auc.
        reliability: kind (band, persona, …), group, rows, expected, observed, ratio, low, high.
        examples: rows as `score_points` gives them.
        moved: lead_id, way, before, after, why, of leads that enter or leave the MQL list.
        dependence: `partial_dependence` with sentence, axis, family and dtype of each column.
    """

    name: str
    as_of: int | None
    target: Target
    winner: str
    contestants: Mapping[str, TestMetrics]
    calibration: pd.DataFrame
    gains: Mapping[str, pd.DataFrame]
    bands: pd.DataFrame
    grades: pd.DataFrame
    features: pd.DataFrame
    published: bool = True
    occasion: Sequence[Named] = ()
    is_promoted: bool | None = None
    moved: pd.DataFrame | None = None
    fallback: str = ""
    model_version: str = ""
    gates: Sequence[Gate] = ()
    findings: Sequence[Finding] = ()
    warnings: Sequence[str] = ()
    personas: pd.DataFrame = field(default_factory=pd.DataFrame)
    reliability: pd.DataFrame = field(default_factory=pd.DataFrame)
    examples: pd.DataFrame = field(default_factory=pd.DataFrame)
    sources: Sequence[FileCount] = ()
    details: Sequence[Named] = ()
    fold_log_loss: Mapping[str, float] = field(default_factory=dict)
    sensitive: SensitiveFacts | None = None
    dependence: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def test(self) -> TestMetrics:
        """Return the winner's figures on the test rows."""
        return self.contestants[self.winner]
