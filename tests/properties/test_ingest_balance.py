"""Whatever is in a file, every row goes somewhere, and order and repetition change nothing."""

import csv
import io
import tempfile
from contextlib import suppress
from pathlib import Path

import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from mqlml.errors import SchemaError
from mqlml.sources.generic import read_sources
from mqlml.sources.settings import SourceSettings
from mqlml.storage.snapshot import write_tables

HEADER = ("event_id", "lead_id", "occurred_at", "type", "value")
LEADS = "lead_id,created_at\na,2024-01-01T00:00Z\nb,2024-01-01T00:00Z\n"

words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
ids = st.one_of(st.sampled_from(["1", "2", "3"]), words)
times = st.one_of(
    st.sampled_from(
        ["2024-01-01", "2024-03-31 02:30", "2024-10-27 02:30:00", "2024-05-05T05:05:05.5+02:00"]
    ),
    st.sampled_from(["1970-01-01", "2099-01-01", "31/12/2024", "infinity", "99999-01-01", ""]),
    words,
)
kinds = st.one_of(st.just("open"), words)
numbers = st.sampled_from(["", "1", "1,5", "1,000.5", "nan", "-inf", "1e999", "x", "0x1"])
rows = st.tuples(ids, st.sampled_from(["a", "b", "zz", ""]), times, kinds, numbers)
ragged = st.lists(words, min_size=2, max_size=7).map(tuple)
# Enough sound rows that a column is never mostly wrong, which is an error of its own.
sound = [(f"s{n}", "a", f"2024-02-{n % 28 + 1:02}", "view", "1") for n in range(60)]


def as_csv(lines):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([HEADER, *lines])
    return text.getvalue()


def ingest(folder, *texts, where=None):
    sources = []
    for number, text in enumerate(texts):
        (folder / f"{number}.csv").write_text(text, encoding="utf-8", newline="")
        sources.append({"file": f"{number}.csv", "delimiter": ",", "where": where})
    (folder / "leads.csv").write_text(LEADS)
    chosen = SourceSettings.model_validate(
        {
            "leads": [{"file": "leads.csv", "columns": {"created_at": "created_at"}}],
            "events": sources,
        }
    )
    return read_sources(chosen, folder, timezone="Europe/Berlin", workdir=folder / "work")


@settings(max_examples=20, deadline=None)
@given(st.lists(st.one_of(rows, ragged), max_size=25), st.sampled_from([None, "type <> 'open'"]))
def test_rows_in_are_rows_kept_repeated_quarantined_or_filtered(lines, where):
    text = as_csv([*sound, *lines])
    with tempfile.TemporaryDirectory() as name:
        done = ingest(Path(name), text, where=where)
        counts = [c for c in done.counts if c.table == "events"]
        records = csv.reader(io.StringIO(text, newline=""))
        written = [r for r in records if len(r) > 1 or "".join(r).strip()]
        assert sum(c.rows for c in counts) == len(written) - 1
        assert all(c.is_balanced for c in counts)
        quarantine = pq.read_table(done.path("quarantine")).to_pylist()
        assert len(quarantine) == sum(c.quarantined for c in done.counts)
        assert all(row["reason"] and row["remedy"] and row["raw"] for row in quarantine)
        kept = pq.read_table(done.path("events")).to_pylist()
        assert len(kept) == sum(c.kept for c in counts)
        assert len({row["event_id"] for row in kept}) == len(kept)


@settings(max_examples=8, deadline=None)
@given(st.lists(rows, max_size=15), st.randoms(use_true_random=False))
def test_loading_again_and_another_order_of_rows_change_no_byte(lines, random):
    unique = list({line[0].strip(): line for line in [*sound, *lines]}.values())
    shuffled = random.sample(unique, len(unique))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        once = ingest(folder, as_csv(unique))
        counted = [c for c in once.counts if c.table == "events"]
        first = write_tables(folder / "one", once)
        again = ingest(folder, as_csv(shuffled), as_csv(unique))
        second = write_tables(folder / "two", again)
        assert first.digest == second.digest
        repeated = [c for c in again.counts if c.table == "events"]
        assert repeated[1].duplicates == counted[0].kept == repeated[0].kept


@settings(max_examples=15, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_text_is_read_or_refused_in_words(text):
    with tempfile.TemporaryDirectory() as name, suppress(SchemaError):
        text = f"{','.join(HEADER)}\n1,a,2024-01-01,open,\n{text}"
        assert all(c.is_balanced for c in ingest(Path(name), text).counts)
