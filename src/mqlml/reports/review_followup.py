"""The review's section on the findings of the review before, and what became of them."""

from collections.abc import Sequence

import numpy as np

from mqlml.modeling.metrics import wilson_interval
from mqlml.reports.tables import Cell, Head, Table, cells, text_head
from mqlml.reports.words import count, counted, day, percent, percent_range, sentence, short, signed
from mqlml.review.earlier import COUNTED
from mqlml.review.findings import subject_of
from mqlml.review.followup import Followed, FollowUp


def follow_words(follow: FollowUp) -> str:
    """Return what sales accepted then and since, and how many findings were to be followed up."""
    last = follow.last
    then = _accepted(last.accepted, last.rejected)
    since = _accepted(follow.accepted, follow.rejected)
    words = f"The review up to {day(last.until)}: sales accepted {then}; since then {since}."
    if not follow.followed and not follow.reasons:
        return f"{words} It left no confirmed finding to come back to."
    return words


def _accepted(accepted: int, rejected: int) -> str:
    total = accepted + rejected
    if not total:
        return "none, for want of verdicts"
    low, high = wilson_interval(np.array([accepted / total]), np.array([float(total)]))
    shown = percent_range(float(low[0]), float(high[0]))
    return f"{percent(accepted / total)} of {counted(total, 'verdict', 'verdicts')} ({shown})"


def follow_sentences(follow: FollowUp) -> tuple[str, ...]:
    """Return one sentence per finding, and per reason that no column told."""
    said = [one.sentence for one in follow.followed] + [one.sentence for one in follow.reasons]
    return tuple(sentence(text) for text in said)


def follow_table(followed: Sequence[Followed]) -> Table | None:
    """Return each finding then and now, with what was done; None where there is none."""
    if not followed:
        return None
    heads = (
        text_head("Finding"),
        text_head("What was done"),
        Head("Effect then", "95 % interval"),
        Head("Effect now", "95 % interval"),
        Head("Verdicts then"),
        Head("Verdicts now"),
        text_head("What became of it"),
    )
    return Table("Findings of last time", heads, tuple(_row(one) for one in followed))


def _row(followed: Followed) -> tuple[Cell, ...]:
    one, now = followed.earlier, followed.now
    is_counted = one.asked in COUNTED
    return cells(
        short(subject_of(one.feature, one.sentence), 120),
        short("; ".join(followed.done.words) or "nothing", 300),
        _effect(one.effect, one.low, one.high),
        _effect(now.effect, now.low, now.high),
        _verdicts(one.verdicts, one.judged if is_counted else 0),
        _verdicts(now.verdicts, now.judged if is_counted else 0),
        followed.state,
    )


def _effect(effect: float, low: float, high: float) -> Cell:
    if not np.isfinite((effect, low, high)).all():
        return Cell("–")
    return Cell(signed(effect, 2), f"{signed(low, 2)} to {signed(high, 2)}")


def _verdicts(number: int, judged: int) -> Cell:
    return Cell(count(number), f"{percent(number / judged)} of all" if judged else "")
