"""Who was handed over before, as the score files of earlier runs have it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mqlml.criteria.decide import Outcome
from mqlml.criteria.ranking import nobody_handed
from mqlml.storage.scores import read_score_file

_COLUMNS = ("lead_id", "as_of", "outcome")
_FOR_SALES = (Outcome.MQL.value, Outcome.HAND_RAISER.value)


def handed_before(files: Sequence[Path]) -> pd.DataFrame:
    """Return as_of (microseconds) and is_hand_raiser of each lead's first time as one for sales.

    Args:
        files: of runs over all leads, oldest first.

    Raises:
        DataError: A score file cannot be read.
    """
    found = [nobody_handed()]
    for path in files:
        frame = read_score_file(path, _COLUMNS)
        frame = frame[frame["outcome"].isin(_FOR_SALES)]
        rows = pd.DataFrame(
            {
                "as_of": frame["as_of"].dt.as_unit("us").astype("int64").to_numpy(np.int64),
                "is_hand_raiser": (frame["outcome"] == Outcome.HAND_RAISER).to_numpy(bool),
            },
            pd.Index(frame["lead_id"], dtype="str", name="lead_id"),
        )
        found.append(rows)
    every = pd.concat(found)
    return every[~every.index.duplicated(keep="first")]
