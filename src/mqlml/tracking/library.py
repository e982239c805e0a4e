"""MLflow, brought in quietly.

Importing MLflow takes seconds, writes logs, asks for git and may call home. This
module is the only way to it: what it sets, it sets before the import, and a
value that the user has set wins.
"""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING": "false",
    "MLFLOW_UV_AUTO_DETECT": "false",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
    "GIT_PYTHON_REFRESH": "quiet",
}
# A server that is down is told within seconds, not after MLflow's minutes.
_IMPATIENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
# What MLflow reports as an error is raised as well, and told by us in our words.
_LOGGERS = ("mlflow", "alembic", "urllib3.connectionpool")


@cache
def mlflow() -> Any:
    """Return the module `mlflow`, imported on the first call and silent from then on."""
    for name, value in (_QUIET | _IMPATIENT).items():
        os.environ.setdefault(name, value)
    with hushed():
        import mlflow as library
        import mlflow.pyfunc
        import mlflow.tracking
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return library


@contextmanager
def hushed() -> Iterator[None]:
    """Keep warnings of MLflow's libraries about one another from people, inside the block."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
