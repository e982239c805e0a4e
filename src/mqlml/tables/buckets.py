"""Which bucket of the event log a lead's events lie in: equal on every machine and version."""

import hashlib

ROWS_PER_BUCKET = 250_000

# Said in the metadata of a bucket's file whose rows stand in this order, so that readers need
# not sort them again. `counts_from` is the later of occurred_at and arrived_at.
ORDER_MARK = {b"mqlml.order": b"lead_id, counts_from, event_id"}


def bucket_count(rows: int) -> int:
    """Return how many buckets an event log of `rows` rows has.

    >>> bucket_count(0), bucket_count(250_000), bucket_count(250_001)
    (1, 1, 2)
    """
    return max(1, -(-rows // ROWS_PER_BUCKET))


def bucket_of(lead_id: str, buckets: int) -> int:
    """Return the bucket of a lead: the first eight bytes of its MD5, modulo `buckets`.

    >>> bucket_of("lead-1", 1)
    0
    """
    digest = hashlib.md5(lead_id.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], "little") % buckets


def bucket_sql(buckets: int) -> str:
    """Return the DuckDB expression that equals `bucket_of(lead_id, buckets)`.

    >>> bucket_sql(4)
    'CAST(md5_number_upper(lead_id) % 4 AS INTEGER)'
    """
    return f"CAST(md5_number_upper(lead_id) % {buckets} AS INTEGER)"
