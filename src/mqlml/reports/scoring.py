"""The page of one scoring: who is hot, why, and what changed since the last time."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from mqlml.reports.facts import Named, Warned, outcome_words
from mqlml.reports.grades import is_graded, ordered_outcomes, volume_matrix
from mqlml.reports.leads import leads_of
from mqlml.reports.page import rendered
from mqlml.reports.score_changes import FOR_SALES, move_table, score_changes
from mqlml.reports.tables import Cell, Head, Table, cells, records, shares_of, text_head
from mqlml.reports.words import count, counted, day, listed, percent, sentence, short, signed
from mqlml.scoring.settings import PersonaSettings

_HOTTEST = 15
_RISERS = 5
_NEARLY = 5
_TILES = (
    ("hand_raiser", "hand raiser", "hand raisers"),
    ("mql", "MQL", "MQLs"),
    ("warm", "warm lead", "warm leads"),
    ("cold", "cold lead", "cold leads"),
    ("disqualified", "disqualified", "disqualified"),
)


@dataclass(frozen=True)
class ScoringFacts:
    """Everything the scoring page shows, in plain values.

    `scores` is what `score_points` gives, `previous` the scores before (None the
    first time). `mql_probability` is where MQL begins. `personas` may have words for
    those who talk to their leads. `hints` says by lead what little more or less would have
    led to another band.
    """

    name: str
    as_of: int | None
    scores: pd.DataFrame
    model_version: str
    criteria_version: str
    previous: pd.DataFrame | None = None
    previous_as_of: int | None = None
    mql_probability: float | None = None
    personas: Sequence[PersonaSettings] = ()
    warnings: Sequence[str] = ()
    hints: Mapping[str, Sequence[str]] = field(default_factory=dict)
    details: Sequence[Named] = ()


def scoring_page(facts: ScoringFacts) -> str:
    """Return the scoring's report as one offline HTML page; equal facts give equal text."""
    scores, grades = facts.scores, facts.scores["grade"].astype("object")
    is_graded_run = is_graded(list(grades))
    volumes = {str(g): int(n) for g, n in grades.value_counts().items()}
    return rendered(
        "scoring.html",
        title=f"{short(facts.name)}: scores",
        name=short(facts.name),
        subtitle=_subtitle(facts),
        verdict=scoring_verdict(facts),
        tiles=_tiles(scores),
        more=_more(scores),
        warnings=(*_out_of_reach(facts), *(Warned(sentence(text)) for text in facts.warnings)),
        outcomes=_outcome_table(scores),
        grades=volume_matrix(volumes) if is_graded_run else None,
        personas=_persona_table(scores) if _has_personas(scores) else None,
        known=_known_personas(facts),
        hottest=leads_of(hottest(scores), limit=_HOTTEST, hints=facts.hints),
        nearly=leads_of(nearly(facts), limit=_NEARLY, hints=facts.hints),
        changes=score_changes(scores, facts.previous),
        moves=move_table(scores, facts.previous),
        risers=leads_of(_risers(scores), limit=_RISERS),
        previous=day(facts.previous_as_of) if facts.previous_as_of is not None else "",
        details=(*_versions(facts), *facts.details),
    )


def scoring_verdict(facts: ScoringFacts) -> str:
    """Return the one sentence to remember: how many leads are for sales now."""
    outcomes = facts.scores["outcome"].value_counts()
    total = len(facts.scores)
    if not total:
        return "No lead was open to score."
    mql, raised = (int(outcomes.get(name, 0)) for name in ("mql", "hand_raiser"))
    for_sales = mql + raised
    if not for_sales:
        return f"Of {counted(total, 'open lead', 'open leads')}, none is for sales now."
    parts = [counted(mql, "MQL", "MQLs")] if mql else []
    parts += [counted(raised, "hand raiser", "hand raisers")] if raised else []
    verb = "is" if for_sales == 1 else "are"
    return (
        f"Of {counted(total, 'open lead', 'open leads')}, {count(for_sales)} {verb} "
        f"for sales now: {listed(parts)}."
    )


def _out_of_reach(facts: ScoringFacts) -> tuple[Warned, ...]:
    """Return a warning where no open lead comes near the threshold that the criteria fix."""
    top = float(facts.scores["probability"].max()) if len(facts.scores) else math.nan
    begins = facts.mql_probability
    if begins is None or not top < begins:
        return ()
    return (
        Warned(
            f"No lead can be an MQL: the highest probability is {percent(top)}, "
            f"and an MQL begins at {percent(begins)}",
            "If leads convert less often than the threshold takes for granted, lower "
            "thresholds.mql_probability, or let thresholds.capacity_per_week find it.",
        ),
    )


def hottest(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the leads for sales, hand raisers first, then by probability and id.

    Without any, the most probable leads that are not disqualified.
    """
    is_for_sales = scores["outcome"].isin(FOR_SALES)
    shown = (
        scores[is_for_sales] if is_for_sales.any() else scores[scores["outcome"] != "disqualified"]
    )
    rank = (shown["outcome"] != "hand_raiser").astype(int)
    return (
        shown.assign(rank=rank)
        .sort_values(
            ["rank", "probability", "lead_id"], ascending=[True, False, True], kind="stable"
        )
        .drop(columns="rank")
    )


def nearly(facts: ScoringFacts) -> pd.DataFrame:
    """Return the warm leads that little more would have made MQLs, the most probable first."""
    scores = facts.scores
    is_near = (scores["outcome"] == "warm") & scores["lead_id"].isin(list(facts.hints))
    order = ["probability", "lead_id"]
    return scores[is_near].sort_values(order, ascending=[False, True], kind="stable")


def _tiles(scores: pd.DataFrame) -> tuple[Named, ...]:
    outcomes = scores["outcome"].value_counts()
    return tuple(
        Named(one if outcomes.get(name, 0) == 1 else many, count(int(outcomes.get(name, 0))))
        for name, one, many in _TILES
    )


def _more(scores: pd.DataFrame) -> str:
    rest = len(hottest(scores)) - _HOTTEST
    if rest <= 0:
        return ""
    return f"{counted(rest, 'further lead stands', 'further leads stand')} in the scores file."


def _risers(scores: pd.DataFrame) -> pd.DataFrame:
    if "trend" not in scores:
        return scores.head(0)
    rising = scores[(scores["trend"] > 0) & (scores["outcome"] != "disqualified")]
    return rising.sort_values(["trend", "lead_id"], ascending=[False, True], kind="stable")


def _outcome_table(scores: pd.DataFrame) -> Table:
    by = scores.groupby("outcome", sort=True)["probability"].agg(["size", "mean"]).reset_index()
    by_name = {str(row["outcome"]): row for row in records(by)}
    names = ordered_outcomes(list(by_name))
    bars = shares_of([float(by_name[name]["size"]) for name in names])
    rows = tuple(
        cells(
            outcome_words(name),
            Cell(count(by_name[name]["size"]), bar=bar),
            percent(by_name[name]["size"] / len(scores)),
            percent(by_name[name]["mean"]),
        )
        for name, bar in zip(names, bars, strict=True)
    )
    heads = (
        text_head("Outcome"),
        Head("Leads"),
        Head("Share"),
        Head("Expected conversion", "mean probability"),
    )
    return Table("Leads by outcome", heads, rows)


def _has_personas(scores: pd.DataFrame) -> bool:
    return "persona" in scores and bool(scores["persona"].fillna("").ne("").any())


def _persona_table(scores: pd.DataFrame) -> Table:
    named = scores.assign(
        persona=scores["persona"].fillna("–"), for_sales=scores["outcome"].isin(FOR_SALES)
    )
    by = named.groupby("persona", sort=True).agg(
        leads=("lead_id", "size"), for_sales=("for_sales", "sum"), mean=("probability", "mean")
    )
    rows = tuple(
        cells(short(name), count(row["leads"]), count(row["for_sales"]), percent(row["mean"]))
        for name, row in by.iterrows()
    )
    heads = (text_head("Persona"), Head("Leads"), Head("For sales"), Head("Mean probability"))
    return Table("Leads by persona", heads, rows)


def _known_personas(facts: ScoringFacts) -> tuple[tuple[str, tuple[Named, ...]], ...]:
    """Return name and words of each persona that has words and leads in these scores."""
    present = set(facts.scores["persona"].dropna()) if "persona" in facts.scores else set()
    found = []
    for persona in facts.personas:
        words = tuple(
            Named(name, "; ".join(short(text, 200) for text in texts))
            for name, texts in (
                ("Pain points", persona.pain_points),
                ("Objections", persona.objections),
                ("Likes to read or watch", persona.prefers),
            )
            if texts
        )
        if words and persona.name in present:
            found.append((short(persona.name), words))
    return tuple(found)


def _subtitle(facts: ScoringFacts) -> str:
    as_of = [f"as of {day(facts.as_of)}"] if facts.as_of is not None else []
    return " · ".join(["Scores", *as_of, f"model version {short(facts.model_version, 20)}"])


def _versions(facts: ScoringFacts) -> tuple[Named, ...]:
    rows = [
        Named("Model version", short(facts.model_version)),
        Named("Criteria version", short(facts.criteria_version)),
    ]
    if facts.mql_probability is not None:
        rows.append(Named("MQL begins at", f"a probability of {percent(facts.mql_probability)}"))
    if facts.previous is not None and "trend" in facts.scores:
        median = float(facts.scores["trend"].median())
        rows.append(Named("Median change of score", signed(median, 1)))
    return tuple(rows)
