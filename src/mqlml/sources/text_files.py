"""Opening text files: compression, byte-order marks, encodings, each fault in plain words."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from mqlml.errors import ConfigError, DataError, Fault

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like UTF-16's, so it is looked for first
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@contextmanager
def open_text(path: Path, name: str, encoding: str | None) -> Iterator[TextIO]:
    """Yield the file's text with its line ends kept; a byte-order mark decides the encoding.

    Without a mark the encoding is `encoding`, else UTF-8. Raises DataError if the
    file is missing, empty, cut or in another encoding, ConfigError if the
    encoding does not exist.
    """
    try:
        with _open_bytes(path) as raw:
            start = raw.peek(4096)[:4096]
            chosen = _encoding(start, name, encoding)
            with io.TextIOWrapper(raw, encoding=chosen, newline="") as text:
                yield text
    except FileNotFoundError:
        mend = "check the path and --data"
        raise DataError(Fault("no such file", name, str(path), mend)) from None
    except UnicodeDecodeError as error:
        found = f"byte 0x{error.object[error.start]:02x}: {error.reason}"
        mend = "set 'encoding:', for example latin-1, cp1252 or utf-16"
        raise DataError(Fault(f"text is not {error.encoding}", name, found, mend)) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        mend = "copy or export the file again"
        fault = Fault("compressed file is cut or damaged", name, str(error), mend)
        raise DataError(fault) from error
    except PermissionError as error:
        mend = "give yourself the right to read it"
        raise DataError(Fault("file may not be read", name, str(path), mend)) from error


def _open_bytes(path: Path) -> io.BufferedReader | gzip.GzipFile:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _encoding(start: bytes, name: str, declared: str | None) -> str:
    if not start:
        raise DataError(Fault("file is empty", name, mend="export it again, with its header"))
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    if declared is not None:
        return _checked(declared, name)
    if b"\0" in start:
        found = "zero bytes, as UTF-16 without a byte-order mark has"
        raise DataError(Fault("text is not UTF-8", name, found, "set 'encoding: utf-16-le'"))
    return "utf-8"


def _checked(encoding: str, name: str) -> str:
    try:
        codecs.lookup(encoding)
    except LookupError:
        mend = "use a Python codec, for example utf-8, latin-1, cp1252 or utf-16"
        raise ConfigError(Fault("unknown encoding", name, encoding, mend)) from None
    return encoding
