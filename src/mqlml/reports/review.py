"""The page of one review: what sales said, held against what the model leans on."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mqlml.reports.facts import Named, Warned
from mqlml.reports.grades import is_graded, rate_matrix
from mqlml.reports.page import picture_file, rendered
from mqlml.reports.pictures import (
    Dot,
    Key,
    Line,
    Mark,
    Picture,
    Scale,
    Words,
    share_frame,
    whisker,
)
from mqlml.reports.review_followup import follow_sentences, follow_table, follow_words
from mqlml.reports.review_funnel import after_table, funnel_picture, terms_table, unseen_table
from mqlml.reports.tables import Cell, Head, Table, cells, records, shares_of, text_head
from mqlml.reports.words import (
    count,
    counted,
    day,
    figure,
    percent,
    percent_range,
    sentence,
    short,
    signed,
)
from mqlml.review.drafts import Draft
from mqlml.review.followup import FollowUp
from mqlml.review.reps import Agreement
from mqlml.review.review import Review
from mqlml.tables.contracts import PROCEDURAL_REASONS

_FEATURES = 15
_REPS = 30
_ACTS = {
    "criteria": "a rule in the criteria, after a preview",
    "training": "mqlml retrain --reason review",
    "data": "a new column",
}
REASONS = {
    "not_icp": "Not our kind of customer",
    "no_budget": "No budget",
    "no_authority": "No authority to buy",
    "no_need": "No need",
    "not_now": "Not now",
    "unreachable": "Could not be reached",
    "wrong_data": "Wrong data",
    "duplicate": "Duplicate",
    "competitor": "Went to a competitor",
    "other": "Other",
}


@dataclass(frozen=True)
class ReviewFacts:
    """What the review found, and the names and versions that belong to it."""

    name: str
    as_of: int | None
    found: Review
    drafts: tuple[Draft, ...] = ()
    warnings: Sequence[str] = ()
    details: Sequence[Named] = ()
    follow: FollowUp | None = None


def review_page(facts: ReviewFacts) -> str:
    """Return the review's report as one offline HTML page; equal facts give equal text."""
    found, follow = facts.found, facts.follow
    features = found.findings.head(_FEATURES)
    return rendered(
        "review.html",
        title=f"{short(facts.name)}: review of sales' verdicts",
        name=short(facts.name),
        subtitle="Review" + (f" · as of {day(facts.as_of)}" if facts.as_of is not None else ""),
        verdict=review_verdict(found),
        warnings=tuple(Warned(sentence(text)) for text in (*found.warnings, *facts.warnings)),
        findings=tuple(sentence(text) for text in found.sentences),
        follow=follow_words(follow) if follow else "",
        followed=follow_sentences(follow) if follow else (),
        follow_table=follow_table(follow.followed) if follow else None,
        effects=effect_picture(features) if features["effect"].notna().any() else None,
        drafts=_draft_table(facts.drafts) if facts.drafts else None,
        by_grade=_grade_table(found.by_grade),
        by_reason=_reason_table(found.by_reason) if len(found.by_reason) else None,
        by_rep=_rep_table(found) if len(found.by_rep) else None,
        agreement=_agreement_words(found.agreement),
        funnel=funnel_picture(found.became.funnel) if len(found.became.funnel) else None,
        after=after_table(found.became.after),
        unseen=unseen_table(found.unseen),
        terms=terms_table(found.terms),
        details=facts.details,
    )


def review_pictures(facts: ReviewFacts) -> dict[str, bytes]:
    """Return the page's pictures as SVG files, by name."""
    features, funnel = facts.found.findings.head(_FEATURES), facts.found.became.funnel
    pictures = {}
    if features["effect"].notna().any():
        pictures["effects.svg"] = picture_file(effect_picture(features))
    if len(funnel):
        pictures["funnel.svg"] = picture_file(funnel_picture(funnel))
    return pictures


def review_verdict(found: Review) -> str:
    """Return the one sentence to remember: the share of handed-over leads sales accepted."""
    total = found.accepted + found.rejected
    if not total:
        return "Sales has given no verdicts yet."
    given = "verdict" if total == 1 else "verdicts"
    return (
        f"Sales accepted {percent(found.accepted / total)} of the leads it was given: "
        f"{count(found.accepted)} of {count(total)} {given}."
    )


def effect_picture(features: pd.DataFrame) -> Picture:
    """Return each feature's share in the model against what it does to sales' verdicts."""
    rows = records(features)
    reach = [abs(row[name]) for row in rows for name in ("effect", "low", "high")]
    top = max([value for value in reach if math.isfinite(value)], default=1.0) * 1.1 or 1.0
    right = max([row["share"] for row in rows], default=1.0) * 1.1 or 1.0
    area = share_frame(
        Scale(0, right, 46, 380),
        Scale(-top, top, 312, 40),
        x_title="share of the model's influence",
        y_title="effect on acceptance by sales",
        y_words=lambda value: signed(value, 1),
    )
    marks: list[Mark] = [Line("ideal", area.x.start, area.y.at(0), area.x.end, area.y.at(0))]
    for number, row in enumerate(rows, start=1):
        if math.isfinite(row["effect"]):
            place, kind = area.x.at(row["share"]), _kind(row)
            marks += whisker(kind, area, row["share"], (row["low"], row["high"]))
            marks.append(Dot(kind, place, area.y.at(row["effect"])))
            marks.append(Words("title", place + 7, area.y.at(row["effect"]) + 4, str(number)))
    return Picture(
        caption="What the model leans on, and what sales thinks of it",
        label=_effect_words(features),
        width=404,
        height=356,
        marks=area.marks + tuple(marks),
        table=_effect_table(features),
        keys=(
            Key("main", "sales accepts more of them", is_dot=True),
            Key("second", "sales accepts fewer of them", is_dot=True),
            Key("third", "no finding", is_dot=True),
        ),
    )


def _kind(row: Mapping[str, Any]) -> str:
    if row["tier"] == "none":
        return "third"
    return "main" if row["effect"] > 0 else "second"


def _effect_words(features: pd.DataFrame) -> str:
    told = features[features["tier"] != "none"]
    if told.empty:
        return "At equal score, the verdicts speak clearly for or against no feature."
    fewer, more = int((told["effect"] < 0).sum()), int((told["effect"] > 0).sum())
    asked = counted(int(features["effect"].notna().sum()), "feature", "features")
    return (
        f"Of {asked}, sales at equal score accepts clearly fewer leads with {fewer} "
        f"and clearly more with {more}."
    )


def _effect_table(features: pd.DataFrame) -> Table:
    bars = shares_of([float(share) for share in features["share"]])
    rows = tuple(
        cells(
            Cell(f"{number}. {short(row['sentence'], 120)}", _level(row)),
            Cell(percent(row["share"]), bar=bar),
            signed(row["effect"], 2),
            _effect_range(row["low"], row["high"]),
            count(row["verdicts"]),
            Cell(short(row["class"]), "" if row["tier"] == "none" else short(row["tier"])),
        )
        for number, (row, bar) in enumerate(zip(records(features), bars, strict=True), start=1)
    )
    heads = (
        text_head("Feature"),
        Head("Share of influence"),
        Head("Effect", "log-odds of acceptance"),
        Head("95 % interval"),
        Head("Verdicts"),
        text_head("Finding"),
    )
    return Table("The model's share beside the effect on sales' verdicts", heads, rows)


def _level(row: Mapping[str, Any]) -> str:
    """Return the level that a question about a category was asked of."""
    return f"= {short(row['feature'].split(' = ', 1)[1])}" if " = " in row["feature"] else ""


def _effect_range(low: float, high: float) -> str:
    if not (math.isfinite(low) and math.isfinite(high)):
        return "–"
    return f"{signed(low, 2)} to {signed(high, 2)}"


def _acceptance_table(groups: pd.DataFrame, word: str) -> Table:
    rates = [float(rate) for rate in groups["rate"]]
    rows = tuple(
        cells(
            short(row["group"], 30),
            Cell(percent(row["rate"]), bar=bar),
            percent_range(row["low"], row["high"]),
            count(row["known"]),
        )
        for row, bar in zip(records(groups), shares_of(rates), strict=True)
    )
    heads = (text_head(word), Head("Accepted"), Head("95 % interval"), Head("Verdicts"))
    return Table(f"Acceptance by {word.lower()}", heads, rows)


def _draft_table(drafts: Sequence[Draft]) -> Table:
    rows = tuple(
        cells(
            short(draft.says, 160),
            Cell(_ACTS[draft.kind], short(draft.setting, 80) if draft.setting else ""),
            draft.owner,
            "",
        )
        for draft in drafts
    )
    heads = (text_head("Proposal"), text_head("How"), text_head("Whose"), text_head("Decided"))
    return Table("To decide", heads, rows)


def _rep_table(found: Review) -> Table:
    """Return acceptance by rep, and how strict each is at equal score where that is known."""
    plain = _acceptance_table(found.by_rep.head(_REPS), "Rep")
    strict = {} if found.strictness.empty else found.strictness.set_index("group").to_dict("index")
    rows = tuple(
        (*row, *_strictness_cells(strict.get(str(group), {})))
        for row, group in zip(plain.rows, found.by_rep["group"], strict=False)
    )
    heads = (*plain.heads, Head("Strictness", "log-odds at equal score"), Head("95 % interval"))
    return Table(plain.caption, heads, rows)


def _strictness_cells(strict: Mapping[Any, Any]) -> tuple[Cell, ...]:
    if not strict:
        return cells("–", "–")
    return cells(signed(strict["strictness"], 2), _effect_range(strict["low"], strict["high"]))


def _agreement_words(agreement: Agreement) -> str:
    if not agreement.pairs:
        return "No lead was judged by two reps, so how far they agree is not known."
    kappa = "" if math.isnan(agreement.kappa) else f" (kappa {figure(agreement.kappa, 2)})"
    return (
        f"Of {counted(agreement.pairs, 'pair', 'pairs')} of verdicts by two reps on the same lead "
        f"{percent(agreement.agreeing / agreement.pairs)} agree{kappa}."
    )


def _grade_table(grades: pd.DataFrame) -> Table | None:
    if grades.empty:
        return None
    if is_graded(list(grades["group"])):
        return rate_matrix(grades, "Share of verdicts that accept, by grade")
    return _acceptance_table(grades, "Grade")


def _reason_table(reasons: pd.DataFrame) -> Table:
    ordered = reasons.sort_values(["verdicts", "reason"], ascending=[False, True], kind="stable")
    total = float(ordered["verdicts"].sum())
    bars = shares_of([float(number) for number in ordered["verdicts"]])
    rows = tuple(
        cells(
            REASONS.get(str(row["reason"]), short(row["reason"])),
            Cell(count(row["verdicts"]), bar=bar),
            percent(row["verdicts"] / total if total else math.nan),
            "no" if row["reason"] in PROCEDURAL_REASONS else "yes",
        )
        for row, bar in zip(records(ordered), bars, strict=True)
    )
    heads = (
        text_head("Reason"),
        Head("Rejections"),
        Head("Share"),
        text_head("Judges the lead"),
    )
    return Table("Why sales rejected leads", heads, rows)
