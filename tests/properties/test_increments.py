"""A folder that is read day by day gives the tables that it gives when it is read at once."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from mqlml.sources.generic import Before, read_sources
from mqlml.sources.settings import SourceSettings
from mqlml.storage.snapshot import snapshot_facts, write_tables

LEADS = "lead_id,created_at\na,2024-01-01T00:00Z\nb,2024-01-01T00:00Z\n"
EVENTS = "event_id,lead_id,occurred_at,type,value\n"
ALIASES = "alias,lead_id,known_at,ended_at\n"

# Few ids, so that rows come again, say otherwise, or correct one another across days.
events = st.tuples(
    st.sampled_from(["1", "2", "3", "4", "5"]),
    st.sampled_from(["a", "b", "ga4:1", "ga4:2", ""]),
    st.sampled_from(["2024-02-01", "2024-02-02T10:00Z", "2024-03-31 02:30", "soon"]),
    st.sampled_from(["open", "page_view", "own"]),
    st.sampled_from(["", "1", "1.5"]),
).map(",".join)
links = st.tuples(
    st.sampled_from(["ga4:1", "ga4:2", "a"]),
    st.sampled_from(["a", "b", "ga4:1"]),
    st.sampled_from(["2024-02-01", "2024-03-01"]),
    st.sampled_from(["", "2024-04-01"]),
).map(",".join)
# The name of the day's file: a later day, one before others, or one that is corrected.
days = st.lists(
    st.tuples(st.sampled_from("1234"), st.lists(events, max_size=8), st.lists(links, max_size=2)),
    min_size=2,
    max_size=4,
)
# Enough sound rows that no column is mostly wrong, which is an error of its own.
SOUND = "".join(f"s{n},a,2024-02-{n % 28 + 1:02},open,1\n" for n in range(30))


def read(folder, workspace, newest_by, kept):
    chosen = SourceSettings.model_validate(
        {
            "leads": [{"file": "leads.csv", "columns": {"created_at": "created_at"}}],
            "events": [{"file": "events-*.csv", "newest_by": newest_by}],
            "aliases": [{"file": "aliases-*.csv"}],
        }
    )
    done = read_sources(
        chosen,
        folder,
        timezone="Europe/Berlin",
        workdir=workspace / "work",
        before=Before(kept),
    )
    write_tables(workspace, done)
    shutil.rmtree(workspace / "work")
    return snapshot_facts(workspace)


@settings(max_examples=5, deadline=None)
@given(days, st.sampled_from([None, "file"]))
def test_day_by_day_is_all_at_once(listed, newest_by):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "leads.csv").write_text(LEADS)
        for day, rows, linked in listed:
            body = EVENTS + SOUND.replace("s", f"s{day}") + "".join(f"{row}\n" for row in rows)
            (folder / f"events-{day}.csv").write_text(body)
            (folder / f"aliases-{day}.csv").write_text(ALIASES + "\n".join(linked))
            grown = read(folder, folder / "grown", newest_by, folder / "kept")
        whole = read(folder, folder / "whole", newest_by, None)
        assert grown == whole
