"""A person who is erased is in no byte of the workspace, and does not come back."""

import csv
import shutil
import signal
import subprocess
import sys
from io import BytesIO

import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.company import write_company

from mqlml.errors import DataError
from mqlml.storage import erasing as erasing_steps
from mqlml.storage.snapshot import read_tables
from mqlml.workflows import erase as erase_workflow

PERSON, MAIL, COOKIE = "L0900", "zoe.quist@unik.example", "ga4:777.31"
OTHER = "L0901"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a config and a workspace in which PERSON is everywhere; tests copy neither."""
    from mqlml.cli.main import run

    folder = tmp_path_factory.mktemp("erasure")
    config = write_company(folder / "company")
    _spread(config)
    workspace = folder / "w"

    def call(*words):
        assert run([*map(str, words), "--config", str(config), "--workspace", str(workspace)]) == 0

    call("train", "--as-of", "2025-12-01")
    call("ingest")
    (folder / "some.txt").write_text(f"{PERSON}\n")
    for moment in ("2025-09-10", "2025-09-17"):
        call("score", "--as-of", moment, "--format", "csv")
        call("score", "--as-of", moment, "--leads", folder / "some.txt")
    call("monitor", "--as-of", "2025-12-01")
    return config, workspace


def _spread(config):
    """Give PERSON an address, aliases, a broken row and events; make it one of the scored."""
    folder = config.parent
    rows = list(csv.reader((folder / "leads.csv").read_text().splitlines()))
    places = {row[0]: n for n, row in enumerate(rows)}
    rows[0].append("email")
    for row in rows[1:]:
        row.append(MAIL if row[0] == PERSON else f"{row[0].lower()}@else.example")
    rows[places[PERSON]][1] = "2025-09-01T10:00:00"
    rows[places[PERSON]][2:4] = ["CEO", "Steel"]
    rows[places[PERSON]][4] = ""
    with (folder / "leads.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    with (folder / "events.csv").open("a") as stream:
        stream.write(f"{COOKIE},2025-09-03T10:00:00,demo_request,\n")
        stream.write(f"Email: {MAIL.upper()},2025-09-04T10:00:00,page_view,/pricing\n")
        stream.write(f"{PERSON},no time at all,page_view,/pricing\n")
    with (folder / "verdicts.csv").open("a") as stream:
        stream.write(f"L0001,no time,accepted,{MAIL},rep1\n")
    text = (folder / "stages.csv").read_text().splitlines()
    (folder / "stages.csv").write_text(
        "\n".join(line for line in text if not line.startswith(PERSON)) + "\n"
    )
    (folder / "aliases.csv").write_text(
        "alias,lead_id,known_at\n"
        f"{COOKIE},email:{MAIL},2025-09-02T00:00:00\nemail:{MAIL},{PERSON},2025-09-02T00:00:00\n"
        f"ga4:1.1,{OTHER},2025-09-02T00:00:00\n"
    )
    written = config.read_text().replace(
        "target: {stage", "  aliases: {file: aliases.csv}\ntarget: {stage"
    )
    config.write_text(written)


@pytest.fixture
def place(home, tmp_path):
    """Return the config and a copy of the workspace that a test may change."""
    config, workspace = home
    # Never the same path twice: connections to a store's file outlive the file.
    return config, shutil.copytree(workspace, tmp_path / "w")


def mentions(workspace, *needles):
    """Return the files that hold one of the needles: in their bytes, or in their rows."""
    found = set()
    for path in sorted(p for p in workspace.rglob("*") if p.is_file()):
        data = path.read_bytes()
        if path.suffix == ".parquet":
            # With the suffix alone: the names of score files hold '-' and '='.
            table = pq.read_table(BytesIO(data))
            data += repr(table.to_pydict()).encode()
        if any(needle.encode() in data or needle in str(path) for needle in needles):
            found.add(path.relative_to(workspace).as_posix())
    return found


def words_of(place, *more):
    config, workspace = place
    return (*more, "--config", config, "--workspace", workspace)


def test_the_person_is_everywhere_before(home):
    _, workspace = home
    found = mentions(workspace, PERSON, MAIL, COOKIE)
    for part in ("tables/", "scores/", "reports/"):
        assert any(name.startswith(part) for name in found), part
    assert any("quarantine" in name for name in found)
    assert any("aliases" in name for name in found)


def test_no_byte_of_the_workspace_names_who_was_erased(mqlml, place):
    told = mqlml(*words_of(place, "erase", "--lead", PERSON, "--json"))
    assert told.code == 0, told.err
    assert told.document["leads"] == 1
    assert told.document["ids"] == 3
    assert told.document["scores"] == 4
    assert told.document["retrain"] == ["1"]
    _, workspace = place
    assert mentions(workspace, PERSON, MAIL, COOKIE, MAIL.upper()) == set()
    assert mentions(workspace, OTHER)
    assert mqlml(*words_of(place, "doctor")).code == 0


def test_reading_the_sources_again_does_not_bring_anybody_back(mqlml, place):
    assert mqlml(*words_of(place, "erase", "--lead", f"email:{MAIL}")).code == 0
    told = mqlml(*words_of(place, "ingest", "--json"))
    assert told.code == 0, told.err
    assert mentions(place[1], PERSON, MAIL, COOKIE, MAIL.upper()) == set()
    for count in told.document["files"]:
        parts = ("kept", "duplicates", "quarantined", "filtered")
        assert count["rows"] == sum(count[part] for part in parts)
    assert mqlml(*words_of(place, "score", "--as-of", "2025-09-17")).code == 0
    assert mentions(place[1], PERSON) == set()


def test_what_was_erased_is_not_there_after_reading_even_without_a_cache(mqlml, place):
    assert mqlml(*words_of(place, "erase", "--lead", PERSON)).code == 0
    shutil.rmtree(place[1] / "tables")
    assert mqlml(*words_of(place, "ingest")).code == 0
    assert mentions(place[1], PERSON, MAIL, COOKIE) == set()


def test_the_others_stay_as_they_were(mqlml, place):
    _, workspace = place
    before = pq.read_table(next((workspace / "tables").glob("*/leads.parquet")))
    files = {p.name: pd.read_parquet(p) for p in workspace.glob("scores/small-*Z.parquet")}
    assert mqlml(*words_of(place, "erase", "--lead", PERSON)).code == 0
    (after,) = (pq.read_table(p) for p in (workspace / "tables").glob("*/leads.parquet"))
    assert after.num_rows == before.num_rows - 1
    for name, frame in files.items():
        kept = frame[frame["lead_id"] != PERSON].reset_index(drop=True)
        pd.testing.assert_frame_equal(pd.read_parquet(workspace / "scores" / name), kept)


def test_monitor_and_retrain_say_that_the_model_learnt_from_the_erased(mqlml, place):
    assert mqlml(*words_of(place, "erase", "--lead", PERSON)).code == 0
    watched = mqlml(*words_of(place, "monitor", "--as-of", "2025-12-01", "--json"))
    assert watched.document["retrain"] == "erasure"
    again = mqlml(*words_of(place, "retrain", "--as-of", "2025-12-01", "--json"))
    assert again.document["reason"] == "erasure"


def test_nobodys_id_changes_nothing_and_is_not_repeated(mqlml, place):
    before = mentions(place[1], PERSON)
    told = mqlml(*words_of(place, "erase", "--lead", PERSON, "--lead", "zoe's id"))
    assert told.code == DataError.exit_code
    assert "no such lead" in told.err
    assert "zoe's id" not in told.err
    assert mentions(place[1], PERSON) == before


def test_a_list_of_people_is_taken_from_a_file_and_twice_is_once(mqlml, place, tmp_path):
    (tmp_path / "people.txt").write_text(f"{PERSON}\n\n{OTHER}\n")
    told = mqlml(*words_of(place, "erase", "--leads", tmp_path / "people.txt", "--json"))
    assert told.document["leads"] == 2
    assert mentions(place[1], PERSON, OTHER, "ga4:1.1") == set()
    again = mqlml(*words_of(place, "erase", "--leads", tmp_path / "people.txt", "--json"))
    assert (again.code, again.document["rows"]) == (0, 0)


def test_nobody_named_is_an_error(mqlml, place):
    assert "nobody named" in mqlml(*words_of(place, "erase")).err


@pytest.mark.parametrize(
    ("module", "step"),
    [
        (erase_workflow, "write_tombstones"),
        (erase_workflow, "erase_tables"),
        (erasing_steps, "_rewrite_ledger"),
        (erasing_steps, "_rewrite"),
        (erase_workflow, "scrub_folder"),
        (erase_workflow, "end_erasing"),
    ],
)
def test_an_erasure_that_is_cut_short_is_finished_by_the_next_command(
    mqlml, place, monkeypatch, module, step
):
    class CutShort(BaseException):
        """What a kill looks like from inside."""

    def cut(*_args, **_more):
        raise CutShort

    with monkeypatch.context() as patch:
        patch.setattr(module, step, cut)
        with pytest.raises(CutShort):
            mqlml(*words_of(place, "erase", "--lead", PERSON))
    told = mqlml(*words_of(place, "runs"))
    assert told.code == 0, told.err
    assert mentions(place[1], PERSON, MAIL, COOKIE, MAIL.upper()) == set()
    assert mqlml(*words_of(place, "doctor")).code == 0


KILLED_AFTER = """
import os, signal, sys
from mqlml.cli.main import run
from mqlml.storage import erasing
from mqlml.workflows import erase

module = {"erasing": erasing, "erase": erase}[sys.argv[1]]
step = getattr(module, sys.argv[2])

def killed(*args, **more):
    step(*args, **more)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(module, sys.argv[2], killed)
run(sys.argv[3:])
"""


@pytest.mark.parametrize(
    ("module", "step"),
    [("erase", "begin_erasing"), ("erase", "erase_tables"), ("erasing", "_rewrite")],
)
def test_an_erasure_that_is_killed_is_finished_by_the_next_command(mqlml, place, module, step):
    words = map(str, words_of(place, "erase", "--lead", PERSON))
    job = subprocess.run([sys.executable, "-c", KILLED_AFTER, module, step, *words], check=False)
    assert job.returncode == -signal.SIGKILL
    assert mqlml(*words_of(place, "runs")).code == 0
    assert mentions(place[1], PERSON, MAIL, COOKIE, MAIL.upper()) == set()
    assert mqlml(*words_of(place, "doctor")).code == 0


def test_a_person_is_erased_by_the_id_people_know_where_ids_are_hashed(
    mqlml, tmp_path, monkeypatch
):
    config = write_company(tmp_path / "company", leads=50)
    config.write_text(
        config.read_text().replace(
            "target: {stage", "  identity: {hash_key_env: MQLML_TEST_KEY}\ntarget: {stage"
        )
    )
    place = (config, tmp_path / "w")
    assert "MQLML_TEST_KEY" in mqlml(*words_of(place, "ingest")).err
    monkeypatch.setenv("MQLML_TEST_KEY", "a key of ours")
    assert mqlml(*words_of(place, "ingest")).code == 0
    assert not {name for name in mentions(place[1], "L0007") if "quarantine" not in name}
    told = mqlml(*words_of(place, "erase", "--lead", "L0007", "--json"))
    assert (told.code, told.document["leads"], told.document["retrain"]) == (0, 1, [])
    assert mqlml(*words_of(place, "ingest")).code == 0
    assert len(read_tables(place[1]).leads) == 49
