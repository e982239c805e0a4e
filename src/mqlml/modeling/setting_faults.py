"""What is wrong with the settings of models that types cannot tell."""

from collections.abc import Iterator

from mqlml.errors import Fault
from mqlml.modeling.settings import ModelSettings, SegmentSettings


def model_faults(model: ModelSettings, *, has_personas: bool) -> Iterator[Fault]:
    """Yield settings that do not fit together; `has_personas` tells whether the config has any."""
    if model.fallback == "points_rules" and not model.points_rules:
        mend = "give model.points_rules, or name base_rate"
        yield Fault("a fallback to points rules without rules", "model.fallback", mend=mend)
    if model.segments is not None:
        yield from _segment_faults(model.segments, has_personas=has_personas)


def _segment_faults(segments: SegmentSettings, *, has_personas: bool) -> Iterator[Fault]:
    where, mend = "model.segments", "give either column: NAME or personas: true"
    if segments.personas and segments.column is not None:
        yield Fault("segments are told in two ways", where, "column and personas", mend)
    if not segments.personas and segments.column is None:
        yield Fault("nothing tells the segments", where, "", mend)
    if segments.personas and not has_personas:
        yield Fault("segments by persona without personas", where, "", "list personas: first")
