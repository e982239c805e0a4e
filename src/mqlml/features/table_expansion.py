"""From the settings to features of stages, accounts, groups and ratios, all faults at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

from mqlml.errors import Fault, nearest
from mqlml.features.columns import ColumnInfo
from mqlml.features.expansion import span_fault
from mqlml.features.settings import PlanSettings, RatioSettings
from mqlml.features.table_features import (
    ACCEPTED,
    AccountLeads,
    Outcome,
    RateFeature,
    RatioFeature,
    StageFeature,
)
from mqlml.features.windows import span_of
from mqlml.tables.contracts import STAGE_NAMES, STAGE_ORDER, Attribute, ColumnType, Known

Days = float | Literal["ever"]

_CHANGE = "change"
_GROUP_TYPES = frozenset({ColumnType.TEXT, ColumnType.FLAG})


@dataclass(frozen=True)
class Given:
    """What features of tables may refer to: attributes, which of them are engagement, outcome."""

    attributes: Sequence[Attribute]
    engagement: Sequence[str] = ()
    outcome: Outcome | None = None


def stage_features(settings: PlanSettings) -> tuple[StageFeature, ...]:
    """Return the features of stages, in the settings' order."""
    names = dict.fromkeys(settings.stages)
    return tuple(StageFeature(None if name == _CHANGE else name) for name in names)


def account_leads(settings: PlanSettings) -> tuple[AccountLeads, ...]:
    """Return the counts of the account's leads, in the settings' order."""
    return tuple(AccountLeads(window) for window in _spans(settings.account_leads.windows_days))


def rate_features(settings: PlanSettings, given: Given) -> tuple[RateFeature, ...]:
    """Return the rates of the lead's groups, in the settings' order."""
    rates = settings.rates
    asked: list[tuple[str, Outcome]] = []
    if given.outcome is not None:
        asked += [(name, given.outcome) for name in dict.fromkeys(rates.of)]
    asked += [(name, Outcome(ACCEPTED)) for name in dict.fromkeys(rates.verdicts)]
    return tuple(
        RateFeature(
            name,
            window,
            rates.strength,
            outcome,
            "engagement" if name in given.engagement else "fit",
        )
        for (name, outcome), window in product(asked, _spans(rates.windows_days))
    )


def ratio_features(
    settings: Sequence[RatioSettings], infos: Mapping[str, ColumnInfo]
) -> tuple[tuple[RatioFeature, ...], list[Fault]]:
    """Return the ratios of the columns in `infos`, and what is wrong with them."""
    ratios: dict[str, RatioFeature] = {}
    faults: list[Fault] = []
    for number, line in enumerate(settings):
        found = list(_ratio_faults(line, infos, f"ratios[{number}]"))
        faults += found
        if not found:
            ratio = _ratio(line, infos)
            ratios[ratio.column] = ratio
    return tuple(ratios.values()), faults


def _ratio(line: RatioSettings, infos: Mapping[str, ColumnInfo]) -> RatioFeature:
    of, to = infos[line.of], infos[line.to]
    name = line.name or f"{line.of}__per__{line.to}"
    words = f"{of.sentence}, divided by: {to.sentence}"
    return RatioFeature(line.of, line.to, ColumnInfo(name, of.family, of.axis, words, "number"))


def _ratio_faults(
    line: RatioSettings, infos: Mapping[str, ColumnInfo], where: str
) -> Iterator[Fault]:
    for part in ("of", "to"):
        name = getattr(line, part)
        if name not in infos:
            found = f"{name!r}; {nearest(name, list(infos))}"
            mend = "name a column that the plan makes"
            yield Fault("no such column to divide", f"{where}.{part}", found, mend)
        elif infos[name].dtype == "category":
            yield Fault("a category cannot be divided", f"{where}.{part}", repr(name))
    axes = {infos[name].axis for name in (line.of, line.to) if name in infos}
    if len(axes) > 1:
        mend = "divide engagement by engagement, or fit by fit: the two parts of a score add up"
        yield Fault("the two columns lie on different axes", where, f"{line.of}, {line.to}", mend)
    if line.name is not None and not line.name.isidentifier():
        mend = "use letters, digits and underscores, a letter first"
        yield Fault("not a name for a column", f"{where}.name", repr(line.name), mend)


def table_faults(settings: PlanSettings, given: Given) -> Iterator[Fault]:
    """Yield what is wrong with the settings of stages, account leads and rates."""
    yield from _stage_faults(settings.stages, given.outcome)
    yield from _span_faults(settings.account_leads.windows_days, "account_leads.windows_days")
    yield from _rate_faults(settings, given)


def _stage_faults(stages: Sequence[str], outcome: Outcome | None) -> Iterator[Fault]:
    valid = (*STAGE_NAMES, _CHANGE)
    beyond: Sequence[str] = ()
    if outcome is not None and outcome.stage in STAGE_ORDER:
        beyond = STAGE_ORDER[STAGE_ORDER.index(outcome.stage) :]
    for name in stages:
        if name not in valid:
            yield Fault("unknown stage", "stages", f"{name!r}; {nearest(name, valid)}")
        elif name in beyond:
            mend = f"name a stage before {beyond[0]}, or '{_CHANGE}'"
            yield Fault("a lead that is open has not entered this stage", "stages", name, mend)


def _rate_faults(settings: PlanSettings, given: Given) -> Iterator[Fault]:
    rates = settings.rates
    if not rates.of and not rates.verdicts:
        return
    yield from _span_faults(rates.windows_days, "rates.windows_days")
    yield from _group_faults(rates.of, "rates.of", given)
    yield from _group_faults(rates.verdicts, "rates.verdicts", given)
    if rates.of and (given.outcome is None or given.outcome.horizon is None):
        mend = "set target.horizon_days, or remove 'rates.of'"
        what = "a rate needs a horizon: without one nobody knows when an outcome was known"
        yield Fault(what, "rates.of", ", ".join(rates.of), mend)


def _group_faults(names: Sequence[str], where: str, given: Given) -> Iterator[Fault]:
    types = {a.name: a for a in given.attributes}
    valid = [a.name for a in given.attributes if _is_group(a)]
    for name in names:
        if name not in types:
            yield Fault("unknown attribute", where, f"{name!r}; {nearest(name, valid)}")
        elif name not in valid:
            mend = "name a text or flag that is known when a lead is created"
            yield Fault("this attribute makes no groups", where, repr(name), mend)


def _is_group(attribute: Attribute) -> bool:
    return attribute.known is Known.CREATION and attribute.type in _GROUP_TYPES


def _spans(windows_days: Sequence[Days]) -> list[int]:
    spans = (span_of(days) for days in windows_days)
    return list(dict.fromkeys(span for span in spans if span is not None))


def _span_faults(windows_days: Sequence[Days], where: str) -> Iterator[Fault]:
    for days in windows_days:
        if span_of(days) is None:
            yield span_fault(where, days)
