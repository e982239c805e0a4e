"""Damaged variants of real export files, driven through the doors: no crash, no row lost.

`python -m tests.damage --variants 10000 --seed 1` runs many of them and prints a table;
tests/real/test_damage.py runs a few.
"""

import argparse
import gzip
import json
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mqlml.errors import MqlmlError
from mqlml.sources.export_files import folder_files, is_file_of
from mqlml.sources.generic import read_sources
from mqlml.sources.settings import SourceSettings
from mqlml.sources.vendors.registry import SYSTEMS

RAW = Path(__file__).parents[1].parent / "shared" / "data" / "raw_exports"
LEADS = "lead_id,created_at\nnobody,2010-01-01T00:00Z\n"
_WORDS = (
    b"", b"\x00", b"\xff\xfe", b'"', b"''", b"\r\n", b"\n\n", b"{", b"}", b"[]", b"null", b"NaN",
    b"1e999", b"-1", b"99999999999999999999", b"1461095246", b"1461095246000",
    b"2024-03-31 02:30:00",
    b"2099-01-01T00:00:00Z", b"=cmd|' /C calc'!A0", "\u202e\U0001f389".encode(), b"\\ud800",
    b"[" * 3_000, b"x" * 70_000, b",,,,", b";", b"\t", b"__row", b"); DROP TABLE events; --",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One kind of real file: its system, its name in the export, its content."""

    system: str
    name: str
    content: bytes


def cases() -> list[Case]:
    """Return every raw export file that a mapping of the registry reads."""
    found = []
    for system in SYSTEMS.values():
        for folder in (RAW / system.name, RAW / "email_webhooks"):
            for one in folder_files(folder, folder, "") if folder.is_dir() else ():
                is_own = folder.name == system.name or one.stem == system.name
                if is_own and any(is_file_of(one, m, system) for m in system.files):
                    content = (one.path or Path()).read_bytes()
                    is_body = folder.name == "email_webhooks"
                    found.append(
                        Case(system.name, one.name, _bodies(content) if is_body else content)
                    )
    return found


def _bodies(content: bytes) -> bytes:
    """Return the bodies of a webhook's test cases as a firm keeps them, one a line."""
    bodies = [json.dumps(case["payload"]).encode() for case in json.loads(content)]
    return b"".join(body + b"\n" for body in bodies)


def damaged(case: Case, dice: random.Random) -> tuple[str, bytes]:
    """Return a variant's name and content: one to three things are wrong with it."""
    name, content = case.name, case.content
    for _ in range(dice.randint(1, 3)):
        content = dice.choice(_DAMAGES)(content, dice)
    if dice.random() < 0.1:
        packed = gzip.compress(content, mtime=0)
        keep = len(packed) if dice.random() < 0.4 else dice.randrange(len(packed))
        name, content = f"{name}.gz", packed[:keep]
    return name, content


def _flipped(content: bytes, dice: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(min(len(changed), dice.randint(1, 20))):
        changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


def _cut(content: bytes, dice: random.Random) -> bytes:
    return content[: dice.randrange(len(content) + 1)]


def _inserted(content: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(content) + 1)
    return content[:place] + dice.choice(_WORDS) + content[place:]


def _hole(content: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(content) + 1)
    return content[:start] + content[start + dice.randint(1, 300) :]


def _lines_moved(content: bytes, dice: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    if len(lines) > 1:
        line = lines.pop(dice.randrange(len(lines)))
        lines[dice.randrange(len(lines)) :][:0] = [line]
        lines.insert(dice.randrange(len(lines) + 1), line)
    return b"".join(lines)


def _line_lost(content: bytes, dice: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    if lines:
        lines.pop(dice.randrange(len(lines)))
    return b"".join(lines)


def _doubled(content: bytes, dice: random.Random) -> bytes:
    return content + content


def _other_mark(content: bytes, dice: random.Random) -> bytes:
    old, new = dice.choice([(b",", b";"), (b'"', b"'"), (b":", b"="), (b"\n", b"\r"), (b"0", b"O")])
    return content.replace(old, new, dice.choice([1, 5, -1]))


def _renamed(content: bytes, dice: random.Random) -> bytes:
    head, mark, rest = content.partition(b"\n")
    names = head.split(b",")
    place = dice.randrange(len(names))
    names[place] = dice.choice([b"renamed", b"", names[0], names[place].upper()])
    return b",".join(names) + mark + rest


def _cell_changed(content: bytes, dice: random.Random) -> bytes:
    lines = content.split(b"\n")
    place = dice.randrange(len(lines))
    cells = lines[place].split(b",")
    cells[dice.randrange(len(cells))] = dice.choice(_WORDS)
    lines[place] = b",".join(cells)
    return b"\n".join(lines)


def _encoded(content: bytes, dice: random.Random) -> bytes:
    text = content.decode("utf-8", "replace")
    return text.encode(dice.choice(["utf-16", "utf-32", "utf-8-sig", "latin-1"]), "replace")


_DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(_flipped, _cut, _inserted, _hole, _lines_moved, _line_lost, _doubled, _other_mark),
    *(_renamed, _cell_changed, _cell_changed, _encoded),
)


def outcome(case: Case, name: str, content: bytes, folder: Path) -> str:
    """Return what became of a variant: "read", or the class of the error in plain words.

    Raises AssertionError if a row was lost, and whatever else a crash is.
    """
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "export").mkdir(parents=True)
    (folder / "export" / name).write_bytes(content)
    (folder / "leads.csv").write_text(LEADS)
    export = {"system": case.system, "folder": "export"}
    leads = {"file": "leads.csv", "columns": {"created_at": "created_at"}}
    settings = SourceSettings.model_validate({"leads": [leads], "exports": [export]})
    try:
        done = read_sources(settings, folder, timezone="UTC", workdir=folder / "work")
    except MqlmlError as error:
        return type(error).__name__
    for count in done.counts:
        assert count.is_balanced, count
    return "read"


def run(variants: int, seed: int) -> Iterator[tuple[Case, str]]:
    """Yield so many variants of the cases in turn, each with what became of it."""
    known = cases()
    with tempfile.TemporaryDirectory() as work:
        for number in range(variants):
            case = known[number % len(known)]
            dice = random.Random(f"{seed} {number}")
            name, content = damaged(case, dice)
            try:
                yield case, outcome(case, name, content, Path(work) / "one")
            except Exception as error:
                error.add_note(f"variant {number} of seed {seed}: {case.system}/{name}")
                raise


def main() -> None:
    """Run many variants and print what became of them; stop at the first crash."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--variants", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    start, cpu = time.perf_counter(), time.process_time()
    found = Counter[tuple[str, str]]()
    with suppress(KeyboardInterrupt):
        for case, what in run(given.variants, given.seed):
            found[case.system, what] += 1
    for (system, what), count in sorted(found.items()):
        print(f"{system:<12} {what:<12} {count:>6,}")  # noqa: T201
    wall, spent = time.perf_counter() - start, time.process_time() - cpu
    print(f"{found.total():,} variants, no crash, {wall:.0f} s, {spent:.0f} s CPU")  # noqa: T201


if __name__ == "__main__":
    main()
