"""Tables as values: heads and cells of text, ready to be placed on a page."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Head:
    """The head of a column: its name, a hint below it, and whether it holds numbers."""

    text: str
    hint: str = ""
    is_number: bool = True


@dataclass(frozen=True)
class Cell:
    """One cell: its text, a quieter second line, a bar (0 to 1), a heat (0 to 1), a tone."""

    text: str
    below: str = ""
    bar: float | None = None
    heat: float | None = None
    tone: str = ""


@dataclass(frozen=True)
class Table:
    """A table whose first column heads its rows."""

    caption: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    strong_rows: frozenset[int] = frozenset()


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame, each by column name."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def cells(*values: str | Cell) -> tuple[Cell, ...]:
    """Return a row, texts made into cells.

    >>> cells("a", Cell("b"))[0].text
    'a'
    """
    return tuple(value if isinstance(value, Cell) else Cell(value) for value in values)


def text_head(text: str, hint: str = "") -> Head:
    """Return the head of a column of words."""
    return Head(text, hint, is_number=False)


def shares_of(values: Sequence[float]) -> list[float]:
    """Return each value as a share of the largest, between 0 and 1; missing values are 0.

    >>> shares_of([2, 1, float("nan")])
    [1.0, 0.5, 0.0]
    """
    finite = [value for value in values if math.isfinite(value)]
    largest = max(finite, default=0.0)
    if largest <= 0:
        return [0.0 for _ in values]
    return [max(0.0, v / largest) if math.isfinite(v) else 0.0 for v in values]
