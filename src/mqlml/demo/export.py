"""Writes the files that the company would have on its disks at a given moment."""

import csv
import gzip
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mqlml.demo.company import DemoCompany
from mqlml.timeline import is_seen

FILES: Mapping[str, str] = {
    "crm_leads": "crm_leads.csv",
    "attribute_history": "attribute_history.csv",
    "web_events": "web_events.ndjson",
    "email_events": "email_events.csv.gz",
    "marketing_events": "marketing_events.parquet",
    "stage_history": "stage_history.csv",
    "verdicts": "verdicts.csv",
    "handovers": "handovers.csv",
}
_PARQUET_TIMES = ("occurred_at", "arrived_at")
# Columns that the simulation keeps for itself.
_INNER = frozenset({"arrives", "at", "blemish", "contract_known"})
_TEXT = pa.large_string()
# Printable ASCII but quotes and backslashes: JSON writes such text as it is.
_NEEDS_NO_ESCAPE = r"^[ !#-\[\]-~]*$"


def write_exports(
    company: DemoCompany, folder: Path, *, until: int | None = None
) -> dict[str, int]:
    """Write all files into `folder` as `Exports.write` does, for a company exported once."""
    return Exports(company).write(folder, until=until)


class Exports:
    """The files of one company; later exports repeat earlier lines, so each is worded once."""

    def __init__(self, company: DemoCompany) -> None:
        self._company = company
        self._lines: dict[str, _Lines] = {}
        self._arrow: dict[str, pa.Table] = {}

    def write(self, folder: Path, *, until: int | None = None) -> dict[str, int]:
        """Write all files into `folder` (made if missing) and return the rows of each.

        Rows that arrive at or after `until` (microseconds UTC; default: the end) are
        left out, so a later export continues an earlier one line by line; only the
        contract value of a lead is filled in afterwards. Each file is replaced whole.
        """
        moment = self._company.settings.end_at if until is None else until
        folder.mkdir(parents=True, exist_ok=True)
        rows = {}
        for name, file in FILES.items():
            rows[file] = int(_seen(self._company.tables[name]["arrives"], moment).sum())
            _replace(folder / file, self._content(name, rows[file], moment))
        return rows

    def _content(self, name: str, rows: int, until: int) -> bytes:
        """Return the file's first rows; tables are in the order in which rows arrive."""
        table = self._company.tables[name]
        if "contract_known" in table:
            return _csv_lines(_signed(table.head(rows), until)).first(rows)
        if name == "marketing_events":
            if name not in self._arrow:
                self._arrow[name] = _arrow(table)
            return _parquet(self._arrow[name].slice(0, rows))
        if name not in self._lines:
            is_ndjson = name == "web_events"
            self._lines[name] = _json_lines(table) if is_ndjson else _csv_lines(table)
        text = self._lines[name].first(rows)
        return gzip.compress(text, compresslevel=4, mtime=0) if name == "email_events" else text


@dataclass(frozen=True)
class _Lines:
    """A text file's bytes, and where the first 0, 1, 2, … rows end."""

    content: bytes
    ends: npt.NDArray[np.int64]

    @classmethod
    def of(cls, header: str, rows: pa.Array) -> "_Lines":
        """Return the lines of a header and of rows, which end in line breaks."""
        start = header.encode()
        text = rows.buffers()[-1]  # all rows, one after the other
        lengths = pc.binary_length(rows).to_numpy()
        ends = np.cumsum(np.concatenate([[len(start)], lengths]), dtype=np.int64)
        return cls(start + (text.to_pybytes() if text else b""), ends)

    def first(self, rows: int) -> bytes:
        """Return the header and so many rows."""
        return self.content[: self.ends[rows]]


def _signed(leads: pd.DataFrame, until: int) -> pd.DataFrame:
    """Return the leads with the values of those contracts only that are known."""
    is_signed = _seen(leads["contract_known"], until)
    return leads.assign(contract_value=leads["contract_value"].where(is_signed, ""))


def _seen(at: pd.Series, until: int) -> npt.NDArray[np.bool_]:
    moments: npt.NDArray[np.int64] = at.to_numpy(np.int64)
    return np.asarray(is_seen(moments, np.array([until])), dtype=np.bool_)


class _RowTexts(list[str]):
    """Takes what a csv.writer writes, one text per row."""

    write = list[str].append


def _csv_lines(table: pd.DataFrame) -> _Lines:
    """Return CSV lines; torn rows have fields that no header names."""
    columns = [name for name in table.columns if name not in _INNER]
    texts = _RowTexts()
    writer = csv.writer(texts, lineterminator="\n")
    writer.writerow(columns)
    rows = zip(*(table[name].tolist() for name in columns), strict=True)
    is_torn = (table["blemish"] == "torn").tolist()
    writer.writerows(
        (*row, "surplus", "fields") if torn else row
        for row, torn in zip(rows, is_torn, strict=True)
    )
    return _Lines.of(texts[0], pa.array(texts[1:], _TEXT))


def _json_lines(table: pd.DataFrame) -> _Lines:
    """Return one JSON object per line without missing fields; torn lines end in the middle."""
    columns = [name for name in table.columns if name not in _INNER]
    fields = [_json_fields(name, table[name]) for name in columns]
    joined = pc.binary_join_element_wise(*fields, _text(","), null_handling="skip")
    lines = pc.binary_join_element_wise(_text("{"), joined, _text("}"), _text(""))
    is_torn = pa.array(table["blemish"] == "torn", pa.bool_())
    torn = [line[: len(line) // 2] for line in lines.filter(is_torn).to_pylist()]
    lines = pc.replace_with_mask(lines, is_torn, pa.array(torn, _TEXT))
    return _Lines.of("", pc.binary_join_element_wise(lines, _text("\n"), _text("")))


def _json_fields(name: str, values: pd.Series) -> pa.Array:
    """Return `"name":value` texts, null where the value is missing."""
    encode = json.JSONEncoder().encode
    start = f"{encode(name)}:"
    if isinstance(values.dtype, pd.StringDtype):
        frame = pa.Table.from_pandas(values.to_frame(), preserve_index=False)
        texts = frame.column(0).cast(_TEXT).combine_chunks()
        if pc.all(pc.match_substring_regex(texts, _NEEDS_NO_ESCAPE), min_count=0).as_py():
            return pc.binary_join_element_wise(_text(f'{start}"'), texts, _text('"'), _text(""))
    listed = values.tolist()
    written = {
        value: None if value is None or value != value else start + encode(value)
        for value in dict.fromkeys(listed)
    }
    return pa.array([written[value] for value in listed], _TEXT)


def _text(text: str) -> pa.Scalar:
    return pa.scalar(text, _TEXT)


def _arrow(table: pd.DataFrame) -> pa.Table:
    columns = [name for name in table.columns if name not in _INNER]
    arrays = {}
    for name in columns:
        if name in _PARQUET_TIMES:
            arrays[name] = pa.array(table[name].to_numpy(np.int64), pa.timestamp("us", "UTC"))
        elif name == "value":
            arrays[name] = pa.array(table[name].to_numpy(), pa.float64(), from_pandas=True)
        else:
            texts = [value or None for value in table[name].tolist()]
            arrays[name] = pa.array(texts, pa.string())
    return pa.table(arrays)


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def _replace(path: Path, content: bytes) -> None:
    """Write aside and swap in, so that a reader meets the old file or the new one."""
    aside = path.with_name(f".{path.name}.new")
    aside.write_bytes(content)
    aside.replace(path)
