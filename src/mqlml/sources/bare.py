"""Files of tab-separated values without a header, in which quotes mean nothing."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from mqlml.errors import Fault, SchemaError
from mqlml.sources.staging import ROWS_PER_PART, PartWriter, StagedFile
from mqlml.sources.text_files import open_text


def stage_bare(
    path: Path, name: str, target: Path, *, columns: Sequence[str], encoding: str | None = None
) -> StagedFile:
    """Return the file's rows as text under the given columns, staged in `target`.

    Lines with more or fewer values are staged as broken; empty lines are no rows. Raises
    SchemaError if most lines are broken.
    """
    writer = PartWriter(target)
    with open_text(path, name, encoding) as text:
        lines = enumerate(text, start=1)
        while taken := list(islice(lines, ROWS_PER_PART)):
            for number, line in taken:
                _add(writer, number, line.rstrip("\r\n"), len(columns))
            writer.flush(columns)
    if writer.broken * 2 > writer.rows:
        found = f"{writer.broken} of {writer.rows} lines"
        mend = f"keep the {len(columns)} values of each event, parted by tabs"
        raise SchemaError(Fault("most lines have too many or too few values", name, found, mend))
    writer.flush(columns)
    return StagedFile(name, target, tuple(columns), writer.rows)


def _add(writer: PartWriter, number: int, line: str, width: int) -> None:
    cells = line.split("\t")
    if len(cells) == width:
        writer.add(number, cells)
    elif line.strip():
        writer.add_broken(number, f"{len(cells)} values instead of {width}", line)
