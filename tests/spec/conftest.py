import pytest
from tests.spec.drawing import Compute

from mqlml.engines.local import LocalEngine
from mqlml.features.reference import reference_features


@pytest.fixture(params=["reference", "local"])
def engine(request: pytest.FixtureRequest) -> Compute:
    engines = {"reference": reference_features, "local": LocalEngine(threads=1).compute}
    return engines[request.param]
