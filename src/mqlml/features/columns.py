"""Features as frozen values: what is measured, and the column, family, axis and words of it."""

from dataclasses import dataclass
from typing import Literal

from mqlml.features.kinds.catalogue import ALL_KINDS
from mqlml.features.signals import Family, Signal
from mqlml.features.windows import span_name, span_words, within_words

Axis = Literal["fit", "engagement"]
Dtype = Literal["number", "category"]
Transform = Literal[
    "number",
    "flag",
    "category",
    "tidy",
    "size",
    "seniority",
    "function",
    "buying_role",
    "icp_size",
    "icp_industry",
    "icp_country",
    "icp_title",
    "icp_match_share",
]
_CATEGORIES = frozenset({"category", "tidy", "seniority", "function", "buying_role"})
_OF_WORDS = {"duration_s": "duration in seconds"}


@dataclass(frozen=True)
class ColumnInfo:
    """What is known of one column of the feature matrix, for reports and models."""

    column: str
    family: Family
    axis: Axis
    sentence: str
    dtype: Dtype


@dataclass(frozen=True)
class Feature:
    """One number per point: `kind` of `signal` over `window` (microseconds, or EVER).

    `of` names the event column that is read, `half_life` and `cap` are in microseconds,
    `among` is the signal whose events are the whole of a share; each is None where
    the kind has no use for it.
    """

    kind: str
    signal: Signal
    window: int
    of: str | None = None
    half_life: int | None = None
    cap: int | None = None
    among: Signal | None = None

    @property
    def column(self) -> str:
        """Return the name of the feature's column, such as `webinar__count__30d`."""
        of = self.of if ALL_KINDS[self.kind].takes_column else None
        among = f"among_{self.among.name}" if self.among else None
        spans = (span_name(span) for span in (self.half_life, self.cap) if span)
        measured = "_".join(part for part in (self.kind, of, among, *spans) if part)
        return f"{self.signal.name}__{measured}__{span_name(self.window)}"

    @property
    def family(self) -> Family:
        """Return the family of the feature's signal."""
        return self.signal.family

    @property
    def axis(self) -> Axis:
        """Return "engagement": what a lead does is never part of its fit."""
        return "engagement"

    @property
    def sentence(self) -> str:
        """Return the feature in words, such as "webinars attended in the last 30 days"."""
        of = self.of or ""
        return ALL_KINDS[self.kind].sentence.format(
            says=self.signal.says,
            within=within_words(self.window),
            of=_OF_WORDS.get(of, of.replace("_", " ")),
            half_life=span_words(self.half_life) if self.half_life else "",
            cap=span_words(self.cap) if self.cap else "",
            among=self.among.says if self.among else "",
        )

    @property
    def info(self) -> ColumnInfo:
        """Return what reports and models need to know of the column."""
        return ColumnInfo(self.column, self.family, self.axis, self.sentence, "number")


@dataclass(frozen=True)
class AttributeFeature:
    """A column made from the lead's attribute `source` by `transform`."""

    column: str
    source: str
    transform: Transform
    sentence: str
    axis: Axis = "fit"

    @property
    def dtype(self) -> Dtype:
        """Return whether the column holds numbers or categories."""
        return "category" if self.transform in _CATEGORIES else "number"

    @property
    def family(self) -> Family:
        """Return "demographic" for what a lead is, "engagement" for what it did."""
        return "demographic" if self.axis == "fit" else "engagement"

    @property
    def info(self) -> ColumnInfo:
        """Return what reports and models need to know of the column."""
        return ColumnInfo(self.column, self.family, self.axis, self.sentence, self.dtype)
