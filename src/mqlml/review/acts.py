"""What both teams did about a finding: a rule in the criteria, a training, a line in the config."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mqlml import timeline
from mqlml.criteria.agreement import Agreement, agreement_of
from mqlml.criteria.settings import Criteria
from mqlml.criteria.versions import in_force, starts_at
from mqlml.review.earlier import Earlier


@dataclass(frozen=True)
class Training:
    """A version of the model that was trained by request: as of which day, and why."""

    version: str
    as_of: int
    day: str
    reason: str
    is_champion: bool


@dataclass(frozen=True)
class Acts:
    """What could answer a finding, as of `moment` (microseconds).

    `criteria` are all versions that the config lists; `drop` and `monotone` are the config's,
    `columns` the champion's, `topics` what they are about.
    """

    moment: int
    criteria: Sequence[Criteria]
    zone: str
    trainings: Sequence[Training]
    drop: Sequence[str]
    monotone: Mapping[str, int]
    columns: Sequence[str]
    topics: Sequence[str] = ()


@dataclass(frozen=True)
class Done:
    """What was done about one finding, in words; whether a rule in force holds such leads back."""

    words: tuple[str, ...] = ()
    is_ruled: bool = False


def done_about(one: Earlier, acts: Acts) -> Done:
    """Return what was done about a finding since its review: by rule, by config, by training."""
    rule, is_ruled = _ruled(one, acts)
    return Done((*rule, *_configured(one, acts), *_trained(one, acts)), is_ruled)


def _ruled(one: Earlier, acts: Acts) -> tuple[tuple[str, ...], bool]:
    holding = [criteria for criteria in acts.criteria if _has_rule(criteria, one)]
    if not holding:
        return (), False
    current = _current(acts)
    if current in holding:
        first = holding[0]
        since = f" from {first.valid_from} on" if first.valid_from else ""
        signed = agreement_of(current) is Agreement.SIGNED
        by = "signed by both teams" if signed else "not signed by both teams"
        return (f"criteria version {first.version} holds the rule{since}, {by}",), True
    last = holding[-1]
    if timeline.is_known(starts_at(last, acts.zone), acts.moment):
        return (f"the rule of criteria version {last.version} is not in force any more",), False
    return (f"criteria version {last.version} will hold the rule from {last.valid_from} on",), False


def _current(acts: Acts) -> Criteria | None:
    """Return the version in force; a config that lists one version keeps it, whatever its day."""
    if len(acts.criteria) == 1:
        return acts.criteria[0]
    begun = [c for c in acts.criteria if timeline.is_known(starts_at(c, acts.zone), acts.moment)]
    return in_force(begun, acts.moment, zone=acts.zone) if begun else None


def _has_rule(criteria: Criteria, one: Earlier) -> bool:
    """Return whether the draft's rule holds such leads back, whatever it is called now."""
    rules = (*criteria.disqualifiers, *criteria.exclusions)
    return bool(one.rule) and any(
        rule.name == one.rule or rule.when.split() == one.when.split() for rule in rules
    )


def _configured(one: Earlier, acts: Acts) -> Iterator[str]:
    if one.column not in acts.columns:
        yield "the champion has the column no more"
    elif one.column in acts.drop:
        yield "model.drop holds the column, the champion has it still"
    if one.column in acts.monotone:
        yield f"model.monotone holds the column ({acts.monotone[one.column]:+d})"


def _trained(one: Earlier, acts: Acts) -> Iterator[str]:
    for training in acts.trainings:
        if timeline.is_from(training.as_of, one.until):
            end = "is champion" if training.is_champion else "is not champion"
            named = f"version {training.version} (trained {training.day}"
            yield f"{named} for reason {training.reason}) {end}"
