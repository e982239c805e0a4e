"""A picture per finding of the audit: a bar per group, with its table."""

from collections.abc import Sequence

from mqlml.dataset.findings import Finding, View
from mqlml.reports.pictures import Box, Line, Mark, Picture, Scale, Words
from mqlml.reports.tables import Head, Table, cells, text_head
from mqlml.reports.words import MISSING, capital, count, percent, sentence, short

_WIDTH, _TOP, _ROW = 400, 8, 38
_BARS = (14, 330)
_MOST = 24


def finding_pictures(findings: Sequence[Finding]) -> tuple[Picture, ...]:
    """Return a picture of every finding that has something to show, the first 24."""
    seen = [(one, one.view) for one in findings if one.view is not None and one.view.groups]
    return tuple(_picture(one, view) for one, view in seen[:_MOST])


def _picture(finding: Finding, view: View) -> Picture:
    top = max(0.05, *view.shares)
    bars = Scale(0, top, *_BARS)
    marks: list[Mark] = []
    for number, (group, share) in enumerate(zip(view.groups, view.shares, strict=True)):
        y = _TOP + _ROW * number
        marks.append(Words("title", _BARS[0], y + 12, short(group, 44)))
        end = bars.at(share)
        marks.append(Box("bar", _BARS[0], y + 18, round(max(end - _BARS[0], 1.0), 1), 12))
        marks.append(Words("tick", end + 6, y + 28, percent(share)))
    foot = _TOP + _ROW * len(view.groups)
    marks.append(Line("axis", _BARS[0], _TOP, _BARS[0], foot))
    name = short(finding.column)
    return Picture(
        caption=f"{name}: {finding.finding}",
        label=f"{capital(view.says)}. {sentence(finding.evidence)}",
        width=_WIDTH,
        height=foot + 8,
        marks=tuple(marks),
        table=_table(name, view),
    )


def _table(name: str, view: View) -> Table:
    rows = tuple(
        cells(short(group), MISSING if leads is None else count(leads), percent(share))
        for group, leads, share in zip(view.groups, view.leads, view.shares, strict=True)
    )
    heads = (text_head("Group"), Head("Leads or rows"), Head("Share"))
    return Table(f"{name}: {view.says}", heads, rows)
