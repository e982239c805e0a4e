"""Renders the catalogue of feature kinds from their definitions and drawn cases.

`python -m tests.spec.render` writes docs/features.md.
"""

import importlib
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

from tests.spec.drawing import Case

from mqlml.features.kinds.catalogue import KINDS, Kind

PAGE = Path(__file__).parents[2] / "docs" / "features.md"
_OF = {"nothing": "no", "number": "a number column", "text": "a text column"}
_INTRO = """\
# Features

<!-- Rendered by `python -m tests.spec.render`; do not edit by hand. -->

A feature is a **kind** (what is measured) of a **signal** (which events) over a
**window** (how far back from `as_of`). Every point (lead, `as_of`) gets one number
per feature. What holds for all kinds:

- An event counts from the later of when it happened and when it arrived. This one
  time decides about the window, about recency and about order.
- The window is `[as_of - window, as_of)`: an event exactly at `as_of` is not seen,
  one exactly at the window's beginning is.
- Bots never count. Times and days are UTC.
- A column is named `signal__kind__window`, with the column it reads or its
  half-life after the kind: `webinar__count__30d`, `any__distinct_page__90d`,
  `pricing__sum_duration_s__12h`, `any__decayed_count_14d__ever`.
- The built-in signal `any` is every event that is not a bot's.

In the tables below, all events are of one lead in 2026, and `as_of` is 10 March
2026 00:00 unless another is given. Each table is a test that every engine passes.
"""


def feature_catalogue() -> str:
    """Return the page of all kinds, in the catalogue's order."""
    return "\n".join([_INTRO, *(line for kind in KINDS.values() for line in _section(kind))])


def _section(kind: Kind) -> Iterator[str]:
    yield f"## {kind.name}\n\n{kind.means}\n"
    yield "| rule | |\n|---|---|"
    yield f"| reads a column | {_OF[kind.of]} |"
    yield f"| missing values | {kind.nulls} |"
    yield f"| no events | {kind.empty} |"
    yield f"| ties | {kind.ties} |"
    yield f"| repeats | {kind.repeats} |\n"
    for case in importlib.import_module(f"tests.spec.test_{kind.name}").CASES:
        yield from _drawn(kind, case)


def _drawn(kind: Kind, case: Case) -> Iterator[str]:
    yield f"**{case.fact[0].upper()}{case.fact[1:]}.**\n"
    found = "missing" if case.expected is None else f"{case.expected:g}"
    asked = f"{case.plan(kind.name).columns[0]} at {case.as_of} = {found}"
    drawing = dedent(case.drawn).strip()
    yield "```text\n" + "\n".join(part for part in (drawing, asked) if part) + "\n```\n"


if __name__ == "__main__":
    PAGE.write_text(feature_catalogue(), encoding="utf-8")
