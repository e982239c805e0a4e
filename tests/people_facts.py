"""Made-up facts of sensitive columns and of partial dependence, for the training page."""

import numpy as np
import pandas as pd

from mqlml.features.sensitive import SensitiveColumn
from mqlml.modeling.group_outcomes import Judged, group_outcomes
from mqlml.modeling.proxies import Proxy, ProxyFigures, SensitiveFinding
from mqlml.reports.sensitive import SensitiveFacts
from mqlml.tables.contracts import Attribute, ColumnType


def sensitive_facts(labels: np.ndarray, probability: np.ndarray, seed: int = 5) -> SensitiveFacts:
    """Return an age that is allowed and a postcode that is left out, told by the country."""
    draw = np.random.default_rng(seed)
    judged = Judged(labels, probability, probability > 0.2, np.arange(len(labels)).astype(object))
    age = SensitiveColumn(
        Attribute("age", ColumnType.NUMBER), "age", "a pension plan is sold by age"
    )
    place = SensitiveColumn(Attribute("zip", ColumnType.TEXT), "where somebody lives")
    told = ProxyFigures(2400, "ROC-AUC", 0.83, 0.8, 0.86, (Proxy("country", 0.21),))
    hardly = ProxyFigures(2400, "R²", 0.02, -0.01, 0.05)
    ages = group_outcomes(pd.Series(draw.normal(45, 9, len(labels)).round()), judged)
    places = group_outcomes(pd.Series(draw.choice(["1010", "8001"], len(labels))), judged)
    fares = pd.concat([ages.assign(column="age"), places.assign(column="zip")], ignore_index=True)
    findings = (SensitiveFinding(age, hardly), SensitiveFinding(place, told))
    return SensitiveFacts(findings, fares, {"country": "country of the firm"})


def dependence_frame() -> pd.DataFrame:
    """Return how the probability moves with a count and with a category."""
    visits = pd.DataFrame(
        {
            "column": "visits",
            "value": ["0", "1", "3", "12", "missing"],
            "rows": [1800, 400, 190, 4, 60],
            "is_supported": [True, True, True, False, True],
            "mean": [0.06, 0.09, 0.17, 0.3, 0.05],
            "low": [0.01, 0.02, 0.05, 0.1, 0.01],
            "high": [0.12, 0.2, 0.35, 0.6, 0.1],
            "sentence": "pricing page views in the last 30 days",
            "axis": "engagement",
            "family": "behavioural",
            "dtype": "number",
        }
    )
    industry = visits.head(3).assign(
        column="industry",
        value=["software & services", "steel", "public sector"],
        sentence="industry",
        axis="fit",
        family="demographic",
        dtype="category",
    )
    return pd.concat([visits, industry], ignore_index=True)
