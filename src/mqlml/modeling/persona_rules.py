"""Conditions that tell groups of leads apart: kept as sets, rendered as SQL and as words."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from mqlml.tables.sql import literal, quoted

# A value of a category that few leads have, and an empty one.
REST, MISSING = "\0rest", "\0missing"
_MOST_WORDS = 4


@dataclass(frozen=True)
class Between:
    """`low` < number ≤ `high`; a lead without it counts as `filled`, None if all have it."""

    column: str
    low: float = -inf
    high: float = inf
    filled: float | None = None

    def sql(self) -> str:
        """Return the condition as SQL."""
        value = self._name
        if self.filled is not None:
            value = f"coalesce({value}, {_number(self.filled)})"
        bounds = []
        if self.low > -inf:
            bounds.append(f"{value} > {_number(self.low)}")
        if self.high < inf:
            bounds.append(f"{value} <= {_number(self.high)}")
        return " AND ".join(bounds)

    def words(self) -> str:
        """Return the condition in words."""
        bounds = []
        if self.low > -inf:
            bounds.append(f"above {_number(self.low)}")
        if self.high < inf:
            bounds.append(f"up to {_number(self.high)}")
        return f"{_plain(self.column)} {' and '.join(bounds)}"

    @property
    def _name(self) -> str:
        return named(self.column)


@dataclass(frozen=True)
class Among:
    """The category is one of `inside`; `outside` are the values that it may have beside these.

    It is told by the side without the rest of all values; without a rest by the shorter one.
    """

    column: str
    inside: tuple[str, ...]
    outside: tuple[str, ...]

    def sql(self) -> str:
        """Return the condition as SQL."""
        name, is_negated = named(self.column), self._is_negated
        side = self.outside if is_negated else self.inside
        listed = [value for value in side if value not in {REST, MISSING}]
        texts = [literal(value) for value in listed]
        said = ""
        if len(texts) == 1:
            said = f"{name} {'<>' if is_negated else '='} {texts[0]}"
        elif texts:
            said = f"{name} {'NOT IN' if is_negated else 'IN'} ({', '.join(texts)})"
        if MISSING not in self.inside:
            # A comparison is null, and so does not hold, where the value is missing.
            return said or f"{name} IS {'NOT ' if is_negated else ''}NULL"
        return f"({said} OR {name} IS NULL)" if said else f"{name} IS NULL"

    def words(self) -> str:
        """Return the condition in words; of many values the first few."""
        values = self.outside if self._is_negated else self.inside
        shown = ["unknown" if v == MISSING else v for v in values if v != REST]
        more = len(shown) - _MOST_WORDS
        if more > 1:
            shown = [*shown[:_MOST_WORDS], f"{more} more"]
        return f"{_plain(self.column)} {'not ' if self._is_negated else ''}{' or '.join(shown)}"

    @property
    def _is_negated(self) -> bool:
        if REST in self.inside or REST in self.outside:
            return REST in self.inside
        return len(self.inside) > len(self.outside)


Condition = Between | Among


def sql_of(conditions: Sequence[Condition]) -> str:
    """Return a rule that holds where all conditions do."""
    return " AND ".join(condition.sql() for condition in conditions)


def words_of(conditions: Sequence[Condition]) -> str:
    """Return a rule in words."""
    return "; ".join(condition.words() for condition in conditions)


def named(column: str) -> str:
    """Return a column as people write it in SQL: quoted where it is no plain name.

    >>> named("industry"), named("Company size")
    ('industry', '"Company size"')
    """
    is_plain = column.isidentifier() and column.isascii() and column == column.lower()
    return column if is_plain else quoted(column)


def roundest(low: float, high: float) -> float:
    """Return the number with the fewest digits in [low, high): a bound that people can say.

    >>> roundest(48.0, 51.0), roundest(0.31, 0.36), roundest(7.0, 7.5)
    (50.0, 0.35, 7.0)
    """
    for digits in range(1, 17):
        for part in (0.5, 0.0, 1.0):
            value = float(f"{low + part * (high - low):.{digits - 1}e}")
            if low <= value < high:
                return value
    return low


def _number(value: float) -> str:
    return f"{value:.0f}" if value == round(value) and abs(value) < 1e15 else repr(value)


def _plain(column: str) -> str:
    return column.replace("__", " ").replace("_", " ")
