"""Pictures as values: marks with places and words, drawn as inline SVG by the page.

Colours are named by kind and come from the page's style, so one picture serves
light, dark and print. Widths are near a phone's, so that text stays readable.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from mqlml.reports.tables import Table
from mqlml.reports.words import percent


@dataclass(frozen=True)
class Line:
    """A straight line."""

    kind: str
    x: float
    y: float
    x2: float
    y2: float
    shape: ClassVar[str] = "line"


@dataclass(frozen=True)
class Curve:
    """A line through many points, `points` as SVG writes them."""

    kind: str
    points: str
    shape: ClassVar[str] = "curve"


@dataclass(frozen=True)
class Dot:
    """A filled circle."""

    kind: str
    x: float
    y: float
    r: float = 3.5
    shape: ClassVar[str] = "dot"


@dataclass(frozen=True)
class Box:
    """A filled rectangle."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    shape: ClassVar[str] = "box"


@dataclass(frozen=True)
class Words:
    """A text; `anchor` is start, middle or end."""

    kind: str
    x: float
    y: float
    text: str
    anchor: str = "start"
    shape: ClassVar[str] = "words"


Mark = Line | Curve | Dot | Box | Words


@dataclass(frozen=True)
class Key:
    """One entry of a picture's key: how it is drawn and what it means."""

    kind: str
    text: str
    is_dot: bool = False


@dataclass(frozen=True)
class Picture:
    """A drawn figure, the sentence it shows (its label), and its table."""

    caption: str
    label: str
    width: int
    height: int
    marks: tuple[Mark, ...]
    table: Table
    keys: tuple[Key, ...] = ()
    is_wide: bool = False


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high` laid on places from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the place of a value, kept inside the scale, to a tenth."""
        span = self.high - self.low
        inside = min(max(value, self.low), self.high)
        share = (inside - self.low) / span if span else 0.5
        return round(self.start + share * (self.end - self.start), 1)


@dataclass(frozen=True)
class Frame:
    """The plotting area: both scales and the marks of grid and axis words."""

    x: Scale
    y: Scale
    marks: tuple[Mark, ...]


def ticks(low: float, high: float, *, about: int = 5) -> list[float]:
    """Return round values between `low` and `high`, about as many as asked for.

    >>> ticks(0, 1), ticks(0, 0.07)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.0, 0.02, 0.04, 0.06])
    """
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return [low]
    rough = span / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    places = range(first, math.floor(high / step + 1e-9) + 1)
    return [round(place * step, 12) for place in places]


def share_frame(
    x: Scale,
    y: Scale,
    *,
    x_title: str,
    y_title: str,
    y_words: Callable[[float], str] = percent,
) -> Frame:
    """Return an area whose x axis is a share, with grid, tick words and titles."""
    marks: list[Mark] = [Words("title", x.start, y.end - 12, y_title)]
    marks += rungs(x, y, words=y_words)
    for value in ticks(x.low, x.high, about=4):
        marks.append(Words("tick", x.at(value), y.start + 16, percent(value), "middle"))
    marks.append(Line("axis", x.start, y.start, x.end, y.start))
    marks.append(Words("title", x.end, y.start + 34, x_title, "end"))
    return Frame(x, y, tuple(marks))


def rungs(x: Scale, y: Scale, *, words: Callable[[float], str] = percent) -> list[Mark]:
    """Return the horizontal grid lines of the y axis with their words."""
    marks: list[Mark] = []
    for value in ticks(y.low, y.high, about=4):
        marks.append(Line("grid", x.start, y.at(value), x.end, y.at(value)))
        marks.append(Words("tick", x.start - 6, y.at(value) + 4, words(value), "end"))
    return marks


def curve(kind: str, frame: Frame, xs: Sequence[float], ys: Sequence[float]) -> Curve:
    """Return the curve through the points whose both values are there."""
    pairs = zip(xs, ys, strict=True)
    places = [
        f"{frame.x.at(x):g},{frame.y.at(y):g}"
        for x, y in pairs
        if math.isfinite(x) and math.isfinite(y)
    ]
    return Curve(kind, " ".join(places))


def whisker(kind: str, frame: Frame, x: float, ends: tuple[float, float]) -> list[Mark]:
    """Return the upright interval at `x`, with its two feet; nothing if an end is missing."""
    low, high = ends
    if not (math.isfinite(low) and math.isfinite(high)):
        return []
    place, bottom, top = frame.x.at(x), frame.y.at(low), frame.y.at(high)
    left, right, kind = round(place - 3, 1), round(place + 3, 1), f"{kind} whisker"
    feet = [Line(kind, left, end, right, end) for end in (bottom, top)]
    return [Line(kind, place, bottom, place, top), *feet]
