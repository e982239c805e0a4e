"""The model card: one text that says what a model is, for a person who sees only MLflow."""

import math
from collections.abc import Iterator, Sequence

from mqlml.dataset.findings import Finding
from mqlml.reports.facts import Named, contestant_words
from mqlml.reports.limits import NOT_FOR, limits_of
from mqlml.reports.tables import Table, records
from mqlml.reports.training import predicted_facts, training_verdict
from mqlml.reports.training_facts import TrainingFacts
from mqlml.reports.training_tables import contestant_table, persona_table, source_table
from mqlml.reports.words import count, figure, percent, sentence, short, times

_GROUPS = 30
_FINDINGS = 20


def model_card(facts: TrainingFacts, since: Sequence[str]) -> str:
    """Return the card as Markdown; equal facts give equal text.

    Args:
        facts: what the training's page shows.
        since: what changed since the champion before, in sentences; empty for a first model.
    """
    return "\n".join(_lines(facts, since)) + "\n"


def short_card(card: str, limit: int) -> str:
    r"""Return as many whole sections of a card as fit into `limit` characters.

    >>> short_card("# a" + chr(10) + "## b" + chr(10) + "## " + "c" * 99, 60)
    '# a\n## b\n\nThe rest: artefact model_card.md.'
    """
    rest = "\n\nThe rest: artefact model_card.md."
    if len(card) <= limit:
        return card
    sections = card.split("\n## ")
    while len(sections) > 1 and len("\n## ".join(sections)) + len(rest) > limit:
        sections.pop()
    return "\n## ".join(sections)[: limit - len(rest)].rstrip() + rest


def _lines(facts: TrainingFacts, since: Sequence[str]) -> Iterator[str]:
    yield f"# {_plain(facts.name)}"
    yield from ("", training_verdict(facts))
    yield from _section("What is predicted", _listed(predicted_facts(facts)))
    yield from _section("What changed since the last model", _items(since or _FIRST))
    yield from _section("Why this model", [*_why(facts), "", *_table(_contestants(facts))])
    yield from _section("How good on whom", list(_groups(facts)))
    yield from _section("Limits", _items(limits_of(facts)))
    yield from _section("Not for", _items(NOT_FOR))
    yield from _section("Search for leaks", list(_audit(facts.findings)))
    if facts.sources:
        yield from _section("Data", _table(source_table(facts.sources)))
    yield from _section("Versions", _listed(facts.details))


_FIRST = ("This is the first model of this name.",)


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield from ("", f"## {title}", "", *(lines or ["Nothing to tell."]))


def _items(sentences: Sequence[str]) -> list[str]:
    return [f"- {_plain(text)}" for text in sentences]


def _listed(values: Sequence[Named]) -> list[str]:
    return [f"- **{_plain(one.name)}**: {_plain(one.value)}" for one in values]


def _why(facts: TrainingFacts) -> Iterator[str]:
    losses = facts.fold_log_loss
    winner = contestant_words(facts.winner)
    if not losses:
        yield f"{winner} won."
        return
    best = min(losses, key=lambda name: losses[name])
    if facts.fallback:
        yield (
            f"{winner} stands in: no learnt model passed every gate. Lowest log loss on the "
            f"forward folds: {contestant_words(best)}, {losses[best]:.4f}."
        )
    elif best == facts.winner:
        yield f"{winner} had the lowest log loss on the forward folds: {losses[best]:.4f}."
    else:
        yield (
            f"{winner} is the simplest within one standard error of the lowest log loss on the "
            f"forward folds ({contestant_words(best)}: {losses[best]:.4f}, "
            f"it: {losses[facts.winner]:.4f})."
        )
    test = facts.test
    yield (
        f"On {count(test.rows)} later rows, which nothing looked at before: log loss "
        f"{test.log_loss:.4f}, ROC-AUC {test.roc_auc:.3f} ({test.roc_auc_low:.3f} to "
        f"{test.roc_auc_high:.3f}), calibration error {percent(test.calibration_error)}, "
        f"lift at 10 % {times(test.lift_at_10)}."
    )


def _contestants(facts: TrainingFacts) -> Table:
    return contestant_table(
        facts.contestants, facts.winner, facts.fold_log_loss, is_fallback=bool(facts.fallback)
    )


def _groups(facts: TrainingFacts) -> Iterator[str]:
    if len(facts.personas):
        yield from _table(persona_table(facts.personas, facts.target.stage))
        yield ""
    if facts.reliability.empty:
        return
    yield "Promised and observed conversions on the test:"
    yield ""
    yield "| kind | group | rows | promised | observed | observed ÷ promised |"
    yield "|---|---|---|---|---|---|"
    for row in records(facts.reliability.head(_GROUPS)):
        shown = [row["kind"], row["group"], count(row["rows"])]
        shown += [f"{row['expected']:.1f}", f"{row['observed']:.0f}"]
        shown.append(f"{figure(row['ratio'], 2)} ({_span(row['low'], row['high'])})")
        yield "| " + " | ".join(_plain(str(cell)) for cell in shown) + " |"


def _span(low: float, high: float) -> str:
    return f"{low:.2f} to {high:.2f}" if math.isfinite(low) else "too few to tell"


def _audit(findings: Sequence[Finding]) -> Iterator[str]:
    if not findings:
        yield "Nothing was found."
    for one in findings[:_FINDINGS]:
        allowed = f" Allowed: {_plain(one.allowed)}." if one.allowed else ""
        said = sentence(_plain(one.evidence))
        yield f"- {one.action}: **{_plain(one.column)}**, {one.finding}. {said}{allowed}"
    if len(findings) > _FINDINGS:
        yield f"- {len(findings) - _FINDINGS} more in audit.json"


def _table(table: Table) -> list[str]:
    heads = [_plain(head.text) for head in table.heads]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in table.rows:
        shown = [f"{cell.text} ({cell.below})" if cell.below else cell.text for cell in row]
        lines.append("| " + " | ".join(_plain(text) for text in shown) + " |")
    return lines


def _plain(text: str) -> str:
    """Return a text on one line that Markdown and HTML leave as it is."""
    line = short(text, 400)
    for sign in "\\`*_|<>[]#":
        line = line.replace(sign, f"\\{sign}")
    return line
