"""Who refused to be profiled."""

from collections.abc import Sequence

from mqlml.errors import ConfigError, Fault, nearest
from mqlml.sources.settings import ConsentColumn
from mqlml.tables.contracts import Tables


def refusing_leads(tables: Tables, asked: Sequence[ConsentColumn]) -> frozenset[str]:
    """Return the leads of whom a column of consent says so today, in whatever case.

    Today's word counts for scores of past days too. Raises ConfigError for a column that
    neither the leads nor their dated attributes have.
    """
    found: set[str] = set()
    for one in asked:
        refused = {word.strip().lower() for word in one.refused}
        if one.column in tables.leads:
            values = tables.leads[["lead_id", one.column]].set_axis(["lead_id", "value"], axis=1)
        else:
            rows = tables.attributes[tables.attributes["name"] == one.column]
            if rows.empty:
                names = sorted({*tables.leads.columns, *tables.attributes["name"].unique()})
                what, where = "no such column of consent", "sources.consent"
                raise ConfigError(Fault(what, where, one.column, nearest(one.column, names)))
            values = rows.sort_values("known_at").drop_duplicates("lead_id", keep="last")
        text = values["value"].astype("str").str.strip().str.lower()
        found.update(values.loc[text.isin(sorted(refused | _alike(refused))), "lead_id"])
    return frozenset(found)


def _alike(words: set[str]) -> set[str]:
    """Return how the same flags and numbers look once they were read."""
    flags = {"true": {"yes", "1", "true"}, "false": {"no", "0", "false"}}
    read = {text for text, ways in flags.items() if ways & words}
    return read | {f"{word}.0" for word in words if word.isdigit()}
