"""Renders the catalogue of feature kinds from their definitions and drawn cases.

`python -m tests.spec.render` writes docs/features.md.
"""

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent

from tests.spec.drawing import Case
from tests.spec.scenes import Scene

from mqlml.features.kinds.catalogue import ACCOUNT_KINDS, KINDS, Kind

PAGE = Path(__file__).parents[2] / "docs" / "features.md"
_OF = {
    "nothing": "no",
    "number": "a number column",
    "text": "a text column",
    "duration": "duration_s",
    "membership": "no",
}
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
  `pricing__sum_duration_s__12h`, `any__decayed_count_14d__ever`; so are a cap and the
  signal that a share is of: `pricing__time_spent_10m__30d`, `ad_click__share_among_any__90d`.
- A window is as short as a minute or as long as "ever"; one longer than the data is "ever".
- The built-in signal `any` is every event that is not a bot's.

In the tables below, all events are of one lead in 2026, and `as_of` is 10 March
2026 00:00 unless another is given. Each table is a test that every engine passes.
"""

_BEYOND = """\
# Beyond the lead's own events

What follows is made of other tables, or of other leads. The drawings have one row per
line, the table's name first; the lead asked about is ann, and what is predicted is that a
lead becomes `customer` within 30 days. Only what was known strictly before `as_of`
counts, except what a lead was created with: that is known at the moment of creation.
"""
_OF_TABLES = {
    "account_leads": """\
How many other leads of the lead's account were created in the window
(`account_leads: {windows_days: [30, ever]}`). Missing while no account is known.
""",
    "attributes": """\
Every attribute that is not on the outcome's side becomes a column of its own. One that is
known at creation has its value from then on; a dated one has the latest value given
strictly before `as_of`. Of values given at the same instant the last in text order holds,
a missing one before all others.
""",
    "stages": """\
Days, with fractions, since the lead last entered a stage, or since its stage last changed
(`stages: [mql, change]`). Missing if it never did before `as_of`. The target and later
stages are refused: a lead that is open has not entered them.
""",
    "rates": """\
How often other leads with the same value of an attribute, such as the source or the
campaign, reached the target (`rates: {of: [source], strength: 20}`). Each lead counts
once, as it stood at its creation, and only when its horizon and the reporting lag are
over at `as_of`: before, one would know only the fast ones. The lead itself does not
count, nor do leads that were past the target when they were created. The rate is drawn
toward that of all leads, as if `strength` average leads belonged to the group:

    (reached in group + strength × reached of all / all) / (leads in group + strength)

The attribute must be a text or flag known at creation; a missing value is a group.
Missing while no outcome at all is known. Needs `target.horizon_days`.
""",
    "verdict_rates": """\
How often sales accepted other leads with the same value of an attribute
(`rates: {verdicts: [source], strength: 20}`; window and strength are those of `rates`). Each
lead counts once, by the first verdict that judges it: one for a procedural reason (duplicate,
wrong data, unreachable, not now) does not. It counts for every later `as_of` but the lead's
own points, and who gave it is not looked at. Otherwise as above; needs no horizon.
""",
    "ratios": """\
One column divided by another of the same axis
(`ratios: [{of: any__count__7d, to: any__count__30d, name: weekly_part}]`). Missing where
one of the two is, and where the quotient is no number.
""",
}


def feature_catalogue() -> str:
    """Return the page of all kinds, in the catalogue's order, then of the tables' features."""
    lines = [_INTRO, *(line for kind in KINDS.values() for line in _section(kind))]
    lines.append(_BEYOND)
    lines += [line for kind in ACCOUNT_KINDS.values() for line in _section(kind)]
    lines += [line for name, words in _OF_TABLES.items() for line in _table_section(name, words)]
    return "\n".join(lines)


def _section(kind: Kind) -> Iterator[str]:
    yield f"## {kind.name}\n\n{kind.means}\n"
    yield "| rule | |\n|---|---|"
    yield f"| reads a column | {_OF[kind.of]} |"
    yield f"| missing values | {kind.nulls} |"
    yield f"| no events | {kind.empty} |"
    yield f"| ties | {kind.ties} |"
    yield f"| repeats | {kind.repeats} |\n"
    module = importlib.import_module(f"tests.spec.test_{kind.name}")
    for case in getattr(module, "CASES", ()):
        plan = case.plan(kind.name)
        conditions = [f"# {s.name}: {s.where}" for s in plan.signals if s.name != "any"]
        yield from _drawn(case.fact, case.drawn, _asked(plan.columns[0], case), conditions)
    for scene in getattr(module, "SCENES", ()):
        yield from _scene(scene)


def _table_section(name: str, words: str) -> Iterator[str]:
    yield f"## {name.replace('_', ' ')}\n\n{words}"
    for scene in importlib.import_module(f"tests.spec.test_{name}").SCENES:
        yield from _scene(scene)


def _scene(scene: Scene) -> Iterator[str]:
    with TemporaryDirectory() as folder:
        column = scene.plan(scene.tables(Path(folder))).columns[-1]
    yield from _drawn(scene.fact, scene.drawn, f"ann: {_asked(column, scene)}", [])


def _asked(column: str, case: Case | Scene) -> str:
    found = "missing" if case.expected is None else case.expected
    shown = found if isinstance(found, str) else f"{found:g}"
    return f"{column} at {case.as_of} = {shown}"


def _drawn(fact: str, drawn: str, asked: str, conditions: Sequence[str]) -> Iterator[str]:
    yield f"**{fact[0].upper()}{fact[1:]}.**\n"
    drawing = dedent(drawn).strip()
    yield (
        "```text\n" + "\n".join(part for part in (*conditions, drawing, asked) if part) + "\n```\n"
    )


if __name__ == "__main__":
    PAGE.write_text(feature_catalogue(), encoding="utf-8")
