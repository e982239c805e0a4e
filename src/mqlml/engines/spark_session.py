"""A Spark session to work in: the one that is there, or a new one with settings that fit."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mqlml.engines.settings import EngineSettings
from mqlml.errors import ConfigError, DataError, Fault, MissingExtraError, MqlmlError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_OPTIONS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "FATAL",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.driver.memory": "2g",
}
_PARTITIONS, _PARTITIONS_PER_CORE = "spark.sql.shuffle.partitions", 2
_LOCAL_OPTIONS = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    # The collector that works beside the tasks takes their cores.
    "spark.driver.extraJavaOptions": "-XX:+UseParallelGC",
}


def open_session(settings: EngineSettings) -> "SparkSession":
    """Return the session of this process, started with the settings if there is none yet.

    Raises:
        MissingExtraError: pyspark or Java is missing.
        ConfigError: Spark does not start with this master and these options.
    """
    session_type = _session_type()
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    active = session_type.getActiveSession()
    if active is not None:
        return active
    is_local = (settings.master or "").startswith("local")
    builder = session_type.builder.appName("mqlml")
    if settings.master is not None:
        builder = builder.master(settings.master)
    options = _OPTIONS | (_LOCAL_OPTIONS if is_local else {}) | settings.options
    for name, value in options.items():
        builder = builder.config(name, value)
    try:
        with quiet():
            session = builder.getOrCreate()
    except (PySparkException, Py4JError) as error:
        raise _start_fault(error, settings) from error
    if is_local:
        _suit_this_machine(session, settings)
    return session


def _suit_this_machine(session: "SparkSession", settings: EngineSettings) -> None:
    # Tasks on this machine run in this environment, whichever Python comes first in the path.
    session.sparkContext.pythonExec = sys.executable
    if _PARTITIONS not in settings.options:
        # Spark's own 200 is meant for clusters.
        partitions = _PARTITIONS_PER_CORE * session.sparkContext.defaultParallelism
        session.conf.set(_PARTITIONS, str(partitions))


def _session_type() -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        mend = "pip install 'mqlml[spark]'"
        raise MissingExtraError(Fault("the Spark engine needs pyspark", mend=mend)) from None
    return SparkSession


def _start_fault(error: Exception, settings: EngineSettings) -> MqlmlError:
    text = str(error)
    if "JAVA_GATEWAY_EXITED" in text or "JAVA_HOME" in text:
        mend = "install Java 17 or newer, or say where it is in JAVA_HOME"
        return MissingExtraError(Fault("Spark needs Java", "engine.master", mend=mend))
    mend = "write a master such as local[4], spark://host:7077, yarn or k8s://https://host:6443"
    found = f"{settings.master!r}: {_reason(text)}"
    return ConfigError(Fault("Spark does not start", "engine.master", found, mend))


def _reason(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if "Exception: " in line] or lines or ["no reason given"]
    return told[0].removeprefix(": ")[:300]


@contextmanager
def quiet() -> Iterator[None]:
    """Keep back pyspark's remark, inside the block, that it is not sure of pandas 3.

    What goes through pandas here is turned into Arrow by this package, which the tests cover.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
        yield


@contextmanager
def exact_times(session: "SparkSession") -> Iterator[None]:
    """Let Spark write times to Parquet as microseconds in UTC, as the rest of the package does.

    By itself it writes an old form, which readers take for times without a zone.
    """
    name = "spark.sql.parquet.outputTimestampType"
    before = session.conf.get(name)
    session.conf.set(name, "TIMESTAMP_MICROS")
    try:
        yield
    finally:
        session.conf.set(name, str(before))


@contextmanager
def spark_faults(where: str) -> Iterator[None]:
    """Turn a failed Spark job inside the block into the user's error that caused it.

    Mistakes found by a task come back as they are; anything else that Spark or a
    file system says is a DataError with its first line, without rows of data.
    Raises MissingExtraError without pyspark.
    """
    _session_type()  # tells what is missing
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    from mqlml.engines.spark_task import faults_in

    try:
        with quiet():
            yield
    except (PySparkException, Py4JError) as error:
        carried = faults_in(str(error))
        if carried is not None:
            raise carried from None
        mend = "to see more of it, set 'spark.log.level: ERROR' in engine.options"
        raise DataError(Fault("the Spark job failed", where, _reason(str(error)), mend)) from error


def close_session() -> None:
    """Stop this process's Spark session and its Java process, if there are any."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    if session is not None:
        session.stop()
    gateway = SparkContext._gateway  # noqa: SLF001 - there is no public way to end it
    if gateway is None:
        return
    gateway.shutdown()
    process = getattr(gateway, "proc", None)
    if process is not None:
        process.stdin.close()
        process.wait(timeout=60)
    SparkContext._gateway = SparkContext._jvm = None  # noqa: SLF001
