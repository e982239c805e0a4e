"""Taking names out of pages and other text files: rows of tables go, other mentions are blotted."""

import html
import re
from collections.abc import Sequence
from pathlib import Path

from mqlml.storage.atomic import replace_file

BLOT = "(erased)"
_TEXT_FILES = frozenset(
    {".html", ".json", ".csv", ".txt", ".md", ".yaml", ".yml", ".svg", ".ndjson", ".log", ""}
)
_ROW = re.compile(r"<tr\b[^>]*>.*?</tr>", re.DOTALL)
_SHOWN = 40  # how much of a long id pages show


def scrub_folder(folder: Path, words: Sequence[str]) -> int:
    """Return how many text files below `folder` named somebody and do no longer."""
    if not folder.is_dir():
        return 0
    changed = 0
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if path.suffix.lower() in _TEXT_FILES:
            changed += _scrub_file(path, words)
    return changed


def _scrub_file(path: Path, words: Sequence[str]) -> bool:
    try:
        before = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return False
    after = scrubbed(before, words, is_page=path.suffix.lower() == ".html")
    if path.suffix.lower() == ".csv":
        after = "".join(line for line in after.splitlines(keepends=True) if BLOT not in line)
    if after == before:
        return False
    replace_file(path, after.encode("utf-8"))
    return True


def scrubbed(text: str, words: Sequence[str], *, is_page: bool = False) -> str:
    """Return the text without the words; in a page the rows of tables that hold one go whole.

    A word is taken where nothing that may belong to an id stands beside it. Short numbers
    would be anywhere: they are taken only as the whole of a cell or of a quoted text.

    >>> scrubbed("lead L7 and L77", ["L7"]), scrubbed('{"id": "42", "n": 42}', ["42"])
    ('lead (erased) and L77', '{"id": "(erased)", "n": 42}')
    """
    patterns = [pattern_of(form) for word in words for form in _forms(word)]
    found = [p for p in patterns if p.search(text)]
    if not found:
        return text
    if is_page:
        text = _ROW.sub(lambda row: "" if any(p.search(row[0]) for p in found) else row[0], text)
    for pattern in found:
        text = pattern.sub(BLOT, text)
    return text


def pattern_of(word: str) -> re.Pattern[str]:
    """Return the pattern by which a word is found."""
    if re.fullmatch(r"\d{1,9}|.{1,2}", word):
        return re.compile(rf"(?<=[>\"])\s*{re.escape(word)}\s*(?=[<\"])|(?m:^){word}(?=,)")
    return re.compile(rf"(?<![\w@.\-]){re.escape(word)}(?![\w@\-])", re.IGNORECASE)


def _forms(word: str) -> set[str]:
    """Return how pages and JSON write a word."""
    cut = f"{word[: _SHOWN - 1]}…" if len(word) > _SHOWN else word
    return {word, cut, html.escape(word), html.escape(cut), word.replace('"', '\\"')}
