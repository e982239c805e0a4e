"""One file, a page or a picture, from a template and plain values; everything is escaped."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mqlml.reports.pictures import Picture

# Units of the drawing: above it stands the caption, below it the key, one line each.
_PICTURE_TOP, _KEY_STEP, _PICTURE_FOOT = 28, 20, 8
TEMPLATES = Path(__file__).with_name("templates")


def rendered(template: str, **values: Any) -> str:
    """Return the page that `template` makes of `values`: one file that needs no other.

    Equal values give equal text. A value the template needs and does not get
    raises `jinja2.UndefinedError`.
    """
    return _environment().get_template(template).render(**values)


def picture_file(picture: Picture) -> bytes:
    """Return a picture as an SVG file of its own, with its caption and key; it needs no page."""
    height = _PICTURE_TOP + picture.height + _KEY_STEP * len(picture.keys) + _PICTURE_FOOT
    text = rendered("picture.svg", it=picture, height=height, top=_PICTURE_TOP, step=_KEY_STEP)
    return text.lstrip().encode()


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
