"""Scores sent to a system in batches: only what changed, resumed where a kill cut it off."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mqlml.delivery.fields import Record
from mqlml.delivery.memory import add_told, read_told
from mqlml.delivery.settings import DeliverySettings
from mqlml.delivery.shapes import Refused, Request, batch_size, refused_of, request_of
from mqlml.errors import DataError, Fault

_BUSY = 429
_SERVER = 500
_DENIED = (401, 403)
# A batch that holds one bad record is refused whole with one of these.
_BAD_RECORD = (400, 404, 409, 422)
_LONGEST_WAIT_S = 60.0


@dataclass(frozen=True)
class Answer:
    """What a call came to: the HTTP status, the body, the seconds that the server asks to wait."""

    status: int
    body: bytes = b""
    retry_after_s: float | None = None


Send = Callable[[Request], Answer]
Wait = Callable[[float], None]


@dataclass(frozen=True)
class Pushed:
    """How many leads were sent, had no news, and were refused, with the reasons by count."""

    sent: int
    unchanged: int
    refused: tuple[Refused, ...]

    @property
    def reasons(self) -> dict[str, int]:
        """Return how many leads each reason kept back, the most frequent first."""
        return dict(Counter(one.why for one in self.refused).most_common())


@dataclass(frozen=True)
class Line:
    """The way to one system: its settings, how to call it, how to wait before another try."""

    settings: DeliverySettings
    send: Send
    wait: Wait


def push(records: Iterable[Record], line: Line, told: Path) -> Pushed:
    """Send the records whose news differ from what `told` remembers, and remember them.

    Batches are remembered one by one, so a killed delivery goes on where it was; a
    batch in flight is sent again, which sets the same values. A refused record is kept
    back with its reason and tried again next time. A busy or broken server is tried
    again after a growing wait.

    Raises:
        DataError: The system denies access, or does not answer.
    """
    before = read_told(told)
    sent = unchanged = 0
    refused: list[Refused] = []
    fresh: list[Record] = []
    for one in records:
        if before.get(one.key) == one.digest:
            unchanged += 1
        else:
            fresh.append(one)
    for batch in _batches(fresh, batch_size(line.settings)):
        kept_back = _deliver(batch, line)
        lost = {one.record.key for one in kept_back}
        taken = [one for one in batch if one.key not in lost]
        add_told(told, taken)
        sent += len(taken)
        refused += kept_back
    return Pushed(sent, unchanged, tuple(refused))


def _batches(records: Sequence[Record], size: int) -> Iterator[list[Record]]:
    rest = iter(records)
    while batch := list(islice(rest, size)):
        yield batch


def _deliver(batch: Sequence[Record], line: Line) -> list[Refused]:
    """Send one batch and return what was refused; a batch refused whole is halved."""
    answer = _answered(request_of(line.settings, batch), line)
    if answer.status < 300:
        return refused_of(line.settings, batch, answer.body)
    if answer.status not in _BAD_RECORD:
        raise DataError(_fault(answer, line))
    if len(batch) == 1:
        return [Refused(batch[0], f"refused with HTTP {answer.status}")]
    half = len(batch) // 2
    return [*_deliver(batch[:half], line), *_deliver(batch[half:], line)]


def _answered(request: Request, line: Line) -> Answer:
    answer = Answer(0)
    for attempt in range(line.settings.tries):
        answer = line.send(request)
        if answer.status != _BUSY and 0 < answer.status < _SERVER:
            return answer
        if attempt + 1 < line.settings.tries:
            asked = 2.0**attempt if answer.retry_after_s is None else answer.retry_after_s
            line.wait(min(asked, _LONGEST_WAIT_S))
    raise DataError(_fault(answer, line))


def _fault(answer: Answer, line: Line) -> Fault:
    where = f"delivery to {line.settings.system}"
    if answer.status in _DENIED:
        mend = "check the token and what it may write; what was sent before stays"
        return Fault("the system denies access", where, f"HTTP {answer.status}", mend)
    found = f"HTTP {answer.status}" if answer.status else "no answer"
    mend = "try later: what was taken is remembered, and the rest is sent then"
    return Fault("the system does not take the scores", where, found, mend)
