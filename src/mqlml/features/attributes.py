"""Which columns come from attributes: as they are, from job titles, against the ICP."""

from collections.abc import Iterator, Sequence

from mqlml.errors import Fault, nearest
from mqlml.features.columns import AttributeFeature, Axis
from mqlml.features.icp import ICP_PARTS, stated_parts
from mqlml.features.settings import IcpSettings
from mqlml.tables.contracts import Attribute, ColumnType, Known

# What these attributes hold is told by their usual names, unless the ICP names others.
_TITLE_NAMES = frozenset({"job_title", "jobtitle", "title"})
_SIZE_NAMES = frozenset({"company_size", "employees", "employee_count"})
_LOOKED_AT = frozenset({Known.CREATION, Known.DATED})
_TITLE_PARTS = {"seniority": "seniority", "function": "function", "buying_role": "buying role"}


def attribute_features(
    attributes: Sequence[Attribute], icp: IcpSettings, engagement: Sequence[str] = ()
) -> tuple[AttributeFeature, ...]:
    """Return the columns made from attributes, in the attributes' order, the ICP's last.

    What is known only with the outcome is left out, and so are times: they
    would only tell the calendar.
    """
    features: list[AttributeFeature] = []
    for attribute in attributes:
        if attribute.known in _LOOKED_AT and attribute.type is not ColumnType.TIME:
            axis: Axis = "engagement" if attribute.name in engagement else "fit"
            features += _features_of(attribute, icp, axis)
    return (*features, *_icp_features(icp))


def _features_of(attribute: Attribute, icp: IcpSettings, axis: Axis) -> Iterator[AttributeFeature]:
    name, words = attribute.name, attribute.name.replace("_", " ")
    if attribute.type is ColumnType.NUMBER:
        yield AttributeFeature(name, name, "number", words, axis)
    elif attribute.type is ColumnType.FLAG:
        yield AttributeFeature(name, name, "flag", words, axis)
    elif name == icp.title or (icp.title is None and usual_name(name) in _TITLE_NAMES):
        for part, said in _TITLE_PARTS.items():
            yield AttributeFeature(f"{name}__{part}", name, part, f"{said} by {words}", axis)  # type: ignore[arg-type]
    elif name == icp.size or (icp.size is None and usual_name(name) in _SIZE_NAMES):
        yield AttributeFeature(name, name, "size", words, axis)
    else:
        tidy = name in {icp.industry, icp.country}
        yield AttributeFeature(name, name, "tidy" if tidy else "category", words, axis)


def usual_name(name: str) -> str:
    """Return a column's name as it is usually spelled: exports say "Job Title" as well."""
    return "_".join(name.casefold().replace("-", " ").replace("_", " ").split())


def _icp_features(icp: IcpSettings) -> Iterator[AttributeFeature]:
    stated = stated_parts(icp)
    for part, source in stated.items():
        words = f"{source.replace('_', ' ')} fits the ideal customer"
        yield AttributeFeature(f"icp__{part}", source, f"icp_{part}", words)  # type: ignore[arg-type]
    if stated:
        words = "share of the ideal customer profile that is met"
        yield AttributeFeature("icp__match_share", "icp", "icp_match_share", words)


def attribute_faults(
    attributes: Sequence[Attribute], icp: IcpSettings, engagement: Sequence[str] = ()
) -> Iterator[Fault]:
    """Yield what is wrong with the names of attributes that the settings use."""
    names = [a.name for a in attributes]
    outcome_side = {a.name for a in attributes if a.known is Known.OUTCOME}
    for name in engagement:
        if name not in names:
            found = f"{name!r}; {nearest(name, names)}"
            yield Fault("unknown attribute", "attributes.engagement", found)
    for part in ICP_PARTS:
        name, where = getattr(icp, part), f"icp.{part}"
        if name is None:
            continue
        if name not in names:
            yield Fault("unknown attribute", where, f"{name!r}; {nearest(name, names)}")
        elif name in outcome_side:
            mend = "name an attribute that is known before the outcome"
            yield Fault("this attribute is known only with the outcome", where, repr(name), mend)
