"""What one lead did, as a picture of days and as a table in words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mqlml.reports.pictures import Dot, Key, Line, Mark, Picture, Scale, Words
from mqlml.reports.tables import Table, cells, text_head
from mqlml.reports.words import capital, counted, day, short
from mqlml.timeline import is_from

_WIDTH, _TOP, _LANE, _FOOT = 420, 26, 24, 34
_X = (130, 408)
_LANES = 6
_OTHER = "other"
_PHRASES = {
    "page_view": "looked at a page",
    "form_submit": "sent a form",
    "content_download": "downloaded",
    "webinar_registered": "registered for a webinar",
    "webinar_attended": "attended a webinar",
    "demo_request": "asked for a demo",
    "trial_start": "started a trial",
    "email_sent": "was sent an e-mail",
    "email_delivered": "got an e-mail",
    "email_opened": "opened an e-mail",
    "email_clicked": "clicked in an e-mail",
    "email_replied": "replied to an e-mail",
    "email_unsubscribed": "unsubscribed from e-mails",
    "ad_click": "clicked an advertisement",
    "meeting": "had a meeting",
    "call": "had a call",
    "product_login": "logged in to the product",
    "product_use": "used the product",
}


@dataclass(frozen=True)
class Step:
    """One thing that a lead did: when (microseconds UTC), the event's type, and of what."""

    at: int
    type: str
    of: str = ""

    @property
    def words(self) -> str:
        """Return it in words, such as "looked at a page: /pricing"."""
        said = _PHRASES.get(self.type, short(self.type.replace("_", " ")))
        return f"{said}: {short(self.of, 80)}" if self.of else said


def story_picture(steps: Sequence[Step], *, handed_over_at: int, end: int) -> Picture:
    """Return when the lead did what, a lane per type of event, until `end`.

    `steps` are oldest first and at least one; the types beyond the most frequent share a lane.
    """
    lanes = _lanes(steps)
    height = _TOP + _LANE * len(lanes) + _FOOT
    x = Scale(float(steps[0].at), float(max(end, steps[-1].at)), *_X)
    marks: list[Mark] = []
    for number, lane in enumerate(lanes):
        y = _TOP + _LANE * number + 8
        name = capital(short(lane.replace("_", " "), 18))
        marks += [Words("tick", _X[0] - 12, y + 4, name, "end"), Line("grid", _X[0], y, _X[1], y)]
        kind = "second" if lane == "demo_request" else "main"
        marks += [Dot(kind, x.at(step.at), y) for step in steps if _lane(step, lanes) == lane]
    bottom = height - _FOOT + 4
    keys = [Key("main", "what the lead did", is_dot=True)]
    if is_from(handed_over_at, steps[0].at):
        place = x.at(handed_over_at)
        marks.append(Line("axis", place, _TOP - 10, place, bottom))
        keys.append(Key("axis", "handed over to sales"))
    marks += [
        Words("tick", _X[0], bottom + 16, day(x.low)[:10]),
        Words("tick", _X[1], bottom + 16, day(x.high)[:10], "end"),
    ]
    return Picture(
        caption="What the lead did",
        label=_label(steps),
        width=_WIDTH,
        height=height,
        marks=tuple(marks),
        table=_table(steps),
        keys=tuple(keys),
    )


def _lanes(steps: Sequence[Step]) -> list[str]:
    often = Counter(step.type for step in steps).most_common()
    names = [name for name, _ in sorted(often, key=lambda pair: (-pair[1], pair[0]))]
    return names if len(names) <= _LANES else [*names[: _LANES - 1], _OTHER]


def _lane(step: Step, lanes: Sequence[str]) -> str:
    return step.type if step.type in lanes else _OTHER


def _label(steps: Sequence[Step]) -> str:
    first, last = day(steps[0].at)[:10], day(steps[-1].at)[:10]
    done = counted(len(steps), "event", "events")
    return f"{done} from {first} to {last}; last {steps[-1].words}."


def _table(steps: Sequence[Step]) -> Table:
    rows = tuple(cells(day(step.at), step.words) for step in reversed(steps))
    return Table("What the lead did, newest first", (text_head("When"), text_head("What")), rows)
