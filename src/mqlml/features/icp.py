"""The ideal customer profile: which parts are stated, and whether values fit them."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from mqlml.errors import Fault, nearest
from mqlml.features.demographics import (
    FUNCTIONS,
    SENIORITIES,
    company_size,
    title_function,
    title_seniority,
)
from mqlml.features.settings import IcpSettings
from mqlml.features.wording import tidy

ICP_PARTS = ("size", "industry", "country", "title")

Fits = Callable[[object], float]


def stated_parts(icp: IcpSettings) -> dict[str, str]:
    """Return the parts of the profile that say something, each with its attribute's name."""
    wanted = {
        "size": icp.size_min is not None or icp.size_max is not None,
        "industry": bool(icp.industries),
        "country": bool(icp.countries),
        "title": bool(icp.seniorities or icp.functions),
    }
    named = {part: getattr(icp, part) for part in ICP_PARTS}
    return {part: name for part, name in named.items() if name is not None and wanted[part]}


def icp_faults(icp: IcpSettings) -> Iterator[Fault]:
    """Yield what is wrong within the profile itself."""
    attribute_of = {
        "size_min": icp.size,
        "size_max": icp.size,
        "industries": icp.industry,
        "countries": icp.country,
        "seniorities": icp.title,
        "functions": icp.title,
    }
    for setting, attribute in attribute_of.items():
        value = getattr(icp, setting)
        if attribute is None and value not in (None, ()):
            mend = "name the attribute that holds it (icp.size, industry, country or title)"
            yield Fault("no attribute is named for this", f"icp.{setting}", str(value), mend)
    if icp.size_min is not None and icp.size_max is not None and icp.size_min > icp.size_max:
        found = f"{icp.size_min:g} > {icp.size_max:g}"
        yield Fault("the least size is above the greatest", "icp.size_min", found, "swap them")
    yield from _name_faults("icp.seniorities", icp.seniorities, SENIORITIES)
    yield from _name_faults("icp.functions", icp.functions, FUNCTIONS)


def _name_faults(where: str, names: Sequence[str], valid: Sequence[str]) -> Iterator[Fault]:
    for name in names:
        if name not in valid:
            yield Fault("unknown name", where, f"{name!r}; {nearest(name, valid)}")


def fits_of(icp: IcpSettings) -> Mapping[str, Fits]:
    """Return by part the function that says of a given value 1 (fits), 0, or NaN (no size)."""
    return {
        "size": lambda value: _size_fits(icp, value),
        "industry": lambda value: _is_among(value, icp.industries),
        "country": lambda value: _is_among(value, icp.countries),
        "title": lambda value: _title_fits(icp, value),
    }


def _is_among(value: object, wanted: Sequence[str]) -> float:
    return float(tidy(str(value)) in {tidy(w) for w in wanted})


def _size_fits(icp: IcpSettings, value: object) -> float:
    size = company_size(value)
    if size != size:
        return size
    low = float("-inf") if icp.size_min is None else icp.size_min
    high = float("inf") if icp.size_max is None else icp.size_max
    return float(low <= size <= high)


def _title_fits(icp: IcpSettings, value: object) -> float:
    title = str(value)
    fits = not icp.seniorities or title_seniority(title) in icp.seniorities
    return float(fits and (not icp.functions or title_function(title) in icp.functions))
