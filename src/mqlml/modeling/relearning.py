"""The winner learnt again and again from leads drawn with replacement: how it might have come out.

What differs among the models learnt so (the bootstrap, Efron 1979) is what another
sample of the same leads would have changed: the ranks of columns, and each lead's score.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from mqlml.modeling.contestants.contestant import Contestant, Fitted, Setting
from mqlml.modeling.search import Material, Rows

REPEATS = 20
MOST_ROWS = 4_000


@dataclass(frozen=True)
class Relearnt:
    """Models learnt from resampled leads, the rows of each, and how many rows there were.

    `share` is which part of all labelled rows the leads were drawn from.
    """

    models: tuple[Fitted, ...]
    samples: tuple[Rows, ...]
    rows: Rows
    share: float


def relearn(
    contestant: Contestant, setting: Setting, material: Material, *, jobs: int = 1
) -> Relearnt:
    """Return twenty re-learnings of a contestant under one setting.

    Of many rows 4,000 are drawn first, whole leads together. Equal arguments give equal
    models, however many are learnt at once.
    """
    generator = np.random.default_rng(material.seed)
    labelled = np.flatnonzero(~np.isnan(material.labels))
    rows = _some_leads(labelled, material, generator)
    # Drawn one after the other, so that how many are learnt at once changes nothing.
    samples = tuple(_draws(rows, material, generator))

    def learn(sample: Rows) -> Fitted:
        return contestant.fit(material.training(sample), setting)

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        models = tuple(pool.map(learn, samples))
    return Relearnt(models, samples, rows, len(rows) / max(len(labelled), 1))


def _draws(rows: Rows, material: Material, generator: np.random.Generator) -> Iterator[Rows]:
    for _ in range(REPEATS):
        yield _drawn(rows, material, generator)


def _some_leads(rows: Rows, material: Material, generator: np.random.Generator) -> Rows:
    if len(rows) <= MOST_ROWS:
        return rows
    leads = np.unique(material.leads[rows])
    count = max(1, len(leads) * MOST_ROWS // len(rows))
    kept = generator.choice(leads, count, replace=False)
    return rows[np.isin(material.leads[rows], kept)]


def _drawn(rows: Rows, material: Material, generator: np.random.Generator) -> Rows:
    """Return the rows of as many leads as there are, drawn with replacement."""
    order = rows[np.argsort(material.leads[rows], kind="stable")]
    leads, starts = np.unique(material.leads[order], return_index=True)
    pieces = np.split(order, starts[1:])
    drawn = np.sort(generator.integers(len(leads), size=len(leads)))
    return np.sort(np.concatenate([pieces[one] for one in drawn]))
