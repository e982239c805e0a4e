"""Values as people read them: percents, counts, days, plurals; missing is a dash."""

import math
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

MISSING = "–"
_NARROW = "\u202f"  # a narrow space that does not break, between figure and sign
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def percent(share: float) -> str:
    """Return a share as percent, with more digits the smaller it is.

    >>> [percent(share).replace(chr(0x202F), " ") for share in (0.34, 0.0821, 0.0042, 0)]
    ['34 %', '8.2 %', '0.42 %', '0 %']
    """
    if not math.isfinite(share):
        return MISSING
    if 0 < abs(share) < 0.0001:
        return f"<{_NARROW}0.01{_NARROW}%"
    digits = 0 if abs(share) >= 0.0995 else 1 if abs(share) >= 0.00995 else 2
    text = f"{100 * share:.{digits}f}"
    if share < 1 and text == "100":
        text = f"{min(100 * share, 99.9):.1f}"
    return f"{_trimmed(text)}{_NARROW}%".replace("-", "−")


def percent_range(low: float, high: float) -> str:
    """Return an interval of shares as percents, or a dash if an end is missing."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return MISSING
    return f"{percent(low)} to {percent(high)}"


def figure(value: float, digits: int = 3) -> str:
    """Return a metric with fixed digits.

    >>> figure(0.81449), figure(float("nan"))
    ('0.814', '–')
    """
    return f"{value:.{digits}f}".replace("-", "−") if math.isfinite(value) else MISSING


def signed(value: float, digits: int = 0) -> str:
    """Return a change with its sign.

    >>> signed(12), signed(-3.4), signed(0)
    ('+12', '−3', '0')
    """
    if not math.isfinite(value):
        return MISSING
    text = f"{value:+.{digits}f}"
    return "0" if float(text) == 0 else text.replace("-", "−")


def count(value: float) -> str:
    """Return a whole number with thousands separated.

    >>> count(12000)
    '12,000'
    """
    return f"{round(value):,}" if math.isfinite(value) else MISSING


def counted(value: float, one: str, many: str) -> str:
    """Return a count with the word in its number.

    >>> counted(1, "lead", "leads"), counted(0, "lead", "leads")
    ('1 lead', '0 leads')
    """
    return f"{count(value)} {one if value == 1 else many}"


def times(ratio: float) -> str:
    """Return how many times as large something is.

    >>> times(4.13), times(12.7), times(1)
    ('4.1 times', '13 times', '1.0 times')
    """
    return f"{ratio:.{0 if ratio >= 9.95 else 1}f} times" if math.isfinite(ratio) else MISSING


def duration(days: float | None) -> str:
    """Return a number of days in words.

    >>> duration(90), duration(1), duration(0.5)
    ('90 days', '1 day', '0.5 days')
    """
    if days is None or not math.isfinite(days):
        return MISSING
    return f"{days:g} {'day' if days == 1 else 'days'}"


def day(micros: float | None) -> str:
    """Return the UTC day of an instant in microseconds, with the time unless it is midnight.

    >>> day(1_767_225_600_000_000), day(None)
    ('2026-01-01', '–')
    """
    if micros is None or not math.isfinite(micros):
        return MISSING
    try:
        at = _EPOCH + timedelta(microseconds=int(micros))
    except OverflowError:
        return MISSING
    is_midnight = (at.hour, at.minute, at.second) == (0, 0, 0)
    return f"{at:%Y-%m-%d}" if is_midnight else f"{at:%Y-%m-%d %H:%M} UTC"


def listed(words: Sequence[str]) -> str:
    """Return words joined as in a sentence.

    >>> listed(["a", "b", "c"]), listed(["a"]), listed([])
    ('a, b and c', 'a', 'none')
    """
    if len(words) < 2:
        return words[0] if words else "none"
    return f"{', '.join(words[:-1])} and {words[-1]}"


def short(value: object, limit: int = 60) -> str:
    """Return a text on one line, at most `limit` characters, unprintables replaced.

    Ids and category names come from other systems: they may be long, hold line
    breaks, control characters or halves of characters that no file can store.

    >>> short("a" * 100, 10), short(float("nan"))
    ('aaaaaaaaa…', '–')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    text = str(value)[: 4 * limit]
    shown = "".join(_printable(character) for character in text)
    shown = " ".join(shown.split()) or MISSING
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _printable(character: str) -> str:
    category = unicodedata.category(character)
    if character.isspace():
        return " "
    # Cf holds marks that turn the reading direction; the joiner inside emoji may stay.
    is_odd = category in {"Cc", "Cs", "Cn"} or (category == "Cf" and character != "\u200d")
    return "\ufffd" if is_odd else character


def capital(text: str) -> str:
    """Return the text with a capital first letter, the rest untouched."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """Return a text as a sentence: capital first, a full stop last, at most 500 characters.

    >>> sentence("it broke")
    'It broke.'
    """
    words = capital(short(text, 500))
    return words if words.endswith((".", "…", "!", "?")) else f"{words}."


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if float(text) == 0 else text
