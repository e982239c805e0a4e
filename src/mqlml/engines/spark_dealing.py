"""Rows sealed where they are read and dealt to tasks by lead, by account or by bucket."""

from collections.abc import Sequence
from functools import partial, reduce
from operator import or_
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from mqlml.engines.bucket_files import BucketFiles
from mqlml.engines.spark_blobs import SEALED, Part, sealed_rows_of, unseal
from mqlml.engines.spark_frames import SparkTables, missing_columns, quoted
from mqlml.engines.spark_session import quiet
from mqlml.engines.spark_task import leads_of_files
from mqlml.errors import SchemaError

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

# Leads without events make parts of their own, of so many points.
_QUIET_POINTS = 250_000


def dealt(
    tables: SparkTables,
    points: "DataFrame | None",
    parts: Sequence[Part],
    *,
    keys: int,
    by_account: bool = False,
) -> "DataFrame":
    """Return the rows of all parts sealed, those of a key in one partition.

    All rows of a lead have one key; with `by_account` all rows of an account's leads.
    Raises SchemaError naming every column that a table lacks.
    """
    frames = [
        points if part.name == "point" and points is not None else tables.frame(part.name)
        for part in parts
    ]
    pairs = list(zip(frames, parts, strict=True))
    faults = [fault for frame, part in pairs for fault in missing_columns(frame, part)]
    if faults:
        raise SchemaError(*faults)
    sealed = [
        _sealed(_keyed(frame, part, tables.leads if by_account else None, keys), part)
        for frame, part in pairs
    ]
    whole = sealed[0]
    for more in sealed[1:]:
        whole = whole.unionAll(more)
    return placed(whole, keys)


def _keyed(frame: "DataFrame", part: Part, leads: "DataFrame | None", keys: int) -> "DataFrame":
    """Return key, lead_id and the part's columns, under names that mapInArrow can bear."""
    from pyspark.sql import functions as F  # noqa: N812 - as everybody writes it

    values = {
        name: frame[quoted(name)].cast(kind)
        for name, kind in zip(part.columns, part.types, strict=True)
    }
    if "event_id" in values:
        # Ids tell events of one instant apart where numbers are added up in turn. No kind looks
        # at an event whose number is missing, and an id of each is half of all that would move.
        numbers = [n for n, kind in zip(part.columns, part.types, strict=True) if kind == "double"]
        is_asked = reduce(or_, (values[name].isNotNull() for name in numbers))
        values["event_id"] = F.when(is_asked, values["event_id"])
    columns = [value.alias(f"c{place}") for place, value in enumerate(values.values())]
    rows = frame.select(frame["lead_id"].cast("string").alias("lead_id"), *columns)
    home = F.col("lead_id")
    if leads is not None:
        of_lead = leads.select(
            leads["lead_id"].cast("string").alias("__member"),
            leads["account_id"].cast("string").alias("__account"),
        )
        rows = rows.join(of_lead, rows["lead_id"] == of_lead["__member"], "left")
        home = F.coalesce("__account", "lead_id")
    names = (f"c{place}" for place in range(len(columns)))
    return rows.select(_key(home, keys).alias("key"), "lead_id", *names)


def _key(home: "Column", keys: int) -> "Column":
    from pyspark.sql import functions as F  # noqa: N812

    return F.pmod(F.xxhash64(home), F.lit(keys)).cast("int")


def _sealed(rows: "DataFrame", part: Part) -> "DataFrame":
    with quiet():
        seal = partial(sealed_rows_of, part=part.name, columns=("lead_id", *part.columns))
        return rows.mapInArrow(seal, SEALED)


def placed(sealed: "DataFrame", keys: int) -> "DataFrame":
    """Return sealed rows with those of a key in one partition, if Spark can the key's own."""
    if hasattr(sealed, "repartitionById"):  # Spark 4.1 and newer
        return sealed.repartitionById(keys, "key")
    return sealed.repartition(keys, "key")


def keys_of_points(
    session: "SparkSession", points: pd.DataFrame, files: Sequence[BucketFiles], *, tasks: int
) -> "np.ndarray[Any, np.dtype[np.int32]]":
    """Return the key of each point: the bucket of its lead, beyond the last one without events.

    The buckets' ids are read by Spark, in so many tasks; each lead's id comes here once.
    """
    codes, leads = pd.factorize(points["lead_id"])
    home = np.full(len(leads), -1, np.int32)
    for key, ids in _leads_of_buckets(session, files, tasks):
        places = pd.Index(leads).get_indexer(pd.Index(ids.to_pandas(), dtype="str"))
        home[places[places >= 0]] = key
    keys = home[codes]
    quiet_points = np.flatnonzero(keys < 0)
    by_lead = quiet_points[np.argsort(codes[quiet_points], kind="stable")]
    keys[by_lead] = len(files) + _numbered(codes[by_lead])
    return keys


def _numbered(codes: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """Return numbers of parts of some `_QUIET_POINTS` sorted points, no lead in two."""
    is_new = np.diff(codes, prepend=-1) != 0
    begins = np.maximum.accumulate(np.where(is_new, np.arange(len(codes)), 0))
    return begins // _QUIET_POINTS


def _leads_of_buckets(
    session: "SparkSession", files: Sequence[BucketFiles], tasks: int
) -> list[tuple[int, pa.Array]]:
    if not files:
        return []
    numbers = session.range(0, len(files), 1, min(len(files), tasks))
    read = partial(leads_of_files, files=tuple(files))
    with quiet():
        found = numbers.mapInArrow(read, SEALED).toArrow()
    keys, blobs = found["key"].to_pylist(), found["rows"].combine_chunks()
    return [
        (key, unseal(blob.as_buffer())["lead_id"].combine_chunks().dictionary_decode())
        for key, blob in zip(keys, blobs, strict=True)
    ]


def sealed_here(session: "SparkSession", rows: pa.Table, keys: Any, part: str) -> "DataFrame":
    """Return rows of this process, lead_id first, sealed by their keys, as Spark's."""
    keyed = rows.add_column(0, "key", pa.array(keys, pa.int32()))
    batches = keyed.combine_chunks().to_batches()
    sealed = sealed_rows_of(batches, part, rows.column_names, at_least=max(1, len(keyed)))
    with quiet():
        return session.createDataFrame(pa.Table.from_batches(list(sealed)))
