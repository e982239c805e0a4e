"""`mqlml personas suggest`: groups of leads that do different things, as persona rules to edit.

Everything that is looked at lies before the test begins, as for `plan suggest`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mqlml.dataset.points import training_points
from mqlml.dataset.splits import make_split
from mqlml.modeling.lead_habits import People, attributes_of, refuse_bare
from mqlml.modeling.metrics import wilson_interval
from mqlml.modeling.persona_rules import sql_of, words_of
from mqlml.modeling.persona_tree import Explained, Groups, learn_groups
from mqlml.scoring.rows import rule_rows
from mqlml.storage.atomic import replace_file
from mqlml.wiring import make_engine
from mqlml.workflows.config_text import config_with_section, refuse_existing
from mqlml.workflows.features import plan_of
from mqlml.workflows.ingest import current_tables
from mqlml.workflows.project import Project, shown_instant

Say = Callable[[str], None]

_SHOWN_HABITS = 3
_REMARK = "# Proposed by 'mqlml personas suggest' on what was known before the test."
# A habit is worth telling from a quarter more or less than everybody.
_TELLING = 1.25


@dataclass(frozen=True)
class Habit:
    """How often a group does something, as a multiple of what all leads do on average."""

    says: str
    times: float


@dataclass(frozen=True)
class SuggestedPersona:
    """A group of leads: its rule, how many convert (95 % interval), and what it does unlike all."""

    name: str
    when: str
    leads: int
    rate: float
    low: float
    high: float
    habits: tuple[Habit, ...]

    def words(self) -> Iterator[str]:
        """Yield what is known of the group: its size and conversion, then its habits."""
        interval = f"{self.low:.1%} to {self.high:.1%}"
        yield f"{self.leads:,} leads, {self.rate:.1%} convert ({interval})"
        for side, told in (("more", True), ("less", False)):
            said = [f"{h.says} × {h.times:.1f}" for h in self.habits if (h.times > 1) == told]
            if said:
                yield f"{side} than all: {', '.join(said)}"


@dataclass(frozen=True)
class SuggestedPersonas:
    """The groups, what they explain, and the config that was written, if one was asked for.

    `looked_at_until` is when the test begins; None where an order stands for time.
    """

    personas: tuple[SuggestedPersona, ...]
    explained: tuple[Explained, ...]
    leads: int
    rate: float
    looked_at_until: str | None
    path: Path | None

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        return {
            "personas": [
                {
                    "name": one.name,
                    "when": one.when,
                    "leads": one.leads,
                    "rate": one.rate,
                    "low": one.low,
                    "high": one.high,
                    "habits": [{"says": h.says, "times": h.times} for h in one.habits],
                }
                for one in self.personas
            ],
            "explained": [
                {"groups": e.groups, "share": e.share, "standard_error": e.standard_error}
                for e in self.explained
            ],
            "leads": self.leads,
            "rate": self.rate,
            "looked_at_until": self.looked_at_until,
            "config": None if self.path is None else str(self.path),
        }

    def lines(self) -> Iterator[str]:
        """Yield the answer for people."""
        until = "the test" if self.looked_at_until is None else self.looked_at_until
        yield f"{self.leads:,} leads known before {until}, {self.rate:.1%} convert"
        if not self.personas:
            yield "no groups: told by what they are, later leads did not differ beyond luck"
            return
        yield "how later leads differ in what they do, explained by so many groups:"
        for one in self.explained:
            mark = "  ←" if one.groups == len(self.personas) else ""
            yield f"  {one.groups}: {one.share:.1%} (± {one.standard_error:.1%}){mark}"
        for persona in self.personas:
            yield ""
            yield persona.name
            yield from (f"  {line}" for line in persona.words())
        yield ""
        if self.path is None:
            yield from personas_text(self.personas).splitlines()
            yield ""
        else:
            yield f"wrote {self.path}"
        yield "names, pain points and objections are for marketing and sales to fill in"


def suggest_personas(
    project: Project,
    config: Path,
    out: Path | None,
    *,
    as_of: int | None,
    say: Say,
    groups: int | None = None,
    replaces: bool = False,
) -> SuggestedPersonas:
    """Return personas that leads of the past fall into, and write a config with them to `out`.

    A lead is what its attributes were at its last point before the test, and does what
    its points say on average. Without `groups` later leads decide how many there are; with
    nothing to tell apart nothing is written.

    Raises:
        UsageError: the file exists.
        ConfigError: the plan has no attribute.
        DataError: too few leads, outcomes or periods for forward folds.
    """
    if out is not None:
        refuse_existing(out, replaces=replaces)
    tables = current_tables(project, say=say, as_of=as_of)
    settings = project.settings
    points = training_points(tables, settings.target, settings.points)
    split = make_split(points, settings.target, settings.split)
    plan = plan_of(settings, tables)
    refuse_bare(plan)
    say("measuring what leads do")
    development = points.iloc[split.development].reset_index(drop=True)
    matrix = make_engine(settings.engine).compute(tables, development, plan)
    people = People.of(development, matrix, plan)
    rows = rule_rows(tables, development.iloc[people.last], matrix.iloc[people.last])
    say("looking for groups")
    attributes = attributes_of(rows, plan)
    found = learn_groups(attributes, people.behaviour(), people.folds(split), groups=groups)
    personas = tuple(_described(found, people))
    written = out if personas else None
    if written is not None:
        text = config_with_section(config, written, "personas", personas_text(personas))
        written.parent.mkdir(parents=True, exist_ok=True)
        replace_file(written, text.encode())
    return SuggestedPersonas(
        personas=personas,
        explained=found.explained,
        leads=len(people.converted),
        rate=float(people.converted.mean()),
        looked_at_until=None if tables.is_order_time else shown_instant(split.test_from),
        path=written,
    )


def _described(groups: Groups, people: People) -> Iterator[SuggestedPersona]:
    """Yield each group with its figures, the one that converts most first."""
    found = []
    for number, conditions in enumerate(groups.conditions):
        theirs = groups.group_of == number
        rate = people.converted[theirs].mean(keepdims=True)
        low, high = wilson_interval(rate, np.array([float(theirs.sum())]))
        found.append(
            SuggestedPersona(
                name=words_of(conditions),
                when=sql_of(conditions),
                leads=int(theirs.sum()),
                rate=float(rate[0]),
                low=float(low[0]),
                high=float(high[0]),
                habits=tuple(_habits(people, theirs)),
            )
        )
    yield from sorted(found, key=lambda one: (-one.rate, one.name))


def _habits(people: People, theirs: npt.NDArray[np.bool_]) -> list[Habit]:
    """Return what the group does most unlike everybody."""
    times = people.counts[theirs].mean(axis=0) / people.counts.mean(axis=0)
    said = [Habit(says, float(t)) for says, t in zip(people.habits, times, strict=True)]
    telling = [h for h in said if h.times >= _TELLING or h.times <= 1 / _TELLING]
    return sorted(telling, key=lambda h: -abs(np.log(max(h.times, 0.01))))[:_SHOWN_HABITS]


def personas_text(personas: Sequence[SuggestedPersona]) -> str:
    """Return the section `personas` as YAML, what is known of each persona in remarks."""
    lines = [
        "# Proposed by 'mqlml personas suggest' on what was known before the test.",
        "personas:",
    ]
    for one in personas:
        lines += [f"  # {said}" for said in one.words()]
        lines += [f"  - name: {_text(one.name)}", f"    when: {_text(one.when)}"]
        lines += [f"    {words}: []" for words in ("pain_points", "objections", "prefers")]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    """Return a text in YAML's double quotes."""
    import json

    return json.dumps(value, ensure_ascii=False)
