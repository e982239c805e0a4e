"""Structural checks of a page, from its text alone: what a screen reader would trip over."""

import re
from html.parser import HTMLParser

_VOID = {"meta", "link", "br", "input", "img", "line", "polyline", "circle", "rect", "path"}


class Outline(HTMLParser):
    """Everything the checks ask of a page, gathered in one reading."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.unlabelled: list[str] = []
        self.unscoped = 0
        self.links: list[str] = []
        self.addresses: list[str] = []
        self.scripts = 0
        self.tables_without_caption = 0
        self.unfocusable = 0
        self.text: list[str] = []
        self._open: list[str] = []
        self._captioned: list[bool] = []
        self.feed(html)
        self.close()
        assert not self._open, f"left open: {self._open}"

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if "id" in values:
            self.ids.append(values["id"])
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag in {"svg", "img"} and not self._is_named(values):
            self.unlabelled.append(str(values))
        if tag == "th" and values.get("scope") not in {"col", "row"}:
            self.unscoped += 1
        if tag == "a":
            self.links.append(values["href"])
        self.addresses += [v for k, v in attrs if k in {"src", "href", "action", "data", "srcset"}]
        self.scripts += tag == "script" or any(name.startswith("on") for name in values)
        if "scroll" in (values.get("class") or "").split():
            self.unfocusable += values.get("tabindex") != "0" or not values.get("aria-label")
        self._tables(tag)
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag):
        assert self._open.pop() == tag, tag
        if tag == "table" and not self._captioned.pop():
            self.tables_without_caption += 1

    def handle_data(self, data):
        if "style" not in self._open:
            self.text.append(data)

    @property
    def words(self) -> str:
        """Return the text of the page, spaces made one."""
        return " ".join(" ".join(self.text).split()).replace("\u202f", " ")

    def _is_named(self, values) -> bool:
        is_hidden = values.get("aria-hidden") == "true"
        return is_hidden or (values.get("role") == "img" and bool(values.get("aria-label")))

    def _tables(self, tag) -> None:
        if tag == "table":
            self._captioned.append(False)
        if tag == "caption":
            self._captioned[-1] = True


def faults_of(html: str) -> list[str]:
    """Return what is wrong with the structure of a page; nothing if it is sound."""
    page = Outline(html)
    steps = zip(page.headings, page.headings[1:], strict=False)
    found = {
        "not exactly one h1": page.headings.count(1) != 1,
        "a heading level is skipped": any(after > before + 1 for before, after in steps),
        "an id stands twice": len(page.ids) != len(set(page.ids)),
        "a picture has no label": bool(page.unlabelled),
        "a table head has no scope": page.unscoped > 0,
        "a table has no caption": page.tables_without_caption > 0,
        "a scrolling box cannot be reached by keyboard": page.unfocusable > 0,
        "a link leads nowhere": any(link[1:] not in page.ids for link in page.links),
        "a script": page.scripts > 0,
        "an address outside the page": any(
            not address.startswith(("#", "data:,")) for address in page.addresses
        ),
        "no language": '<html lang="en">' not in html,
    }
    return [fault for fault, is_so in found.items() if is_so]


def palette(css: str, scheme: str) -> dict[str, str]:
    """Return the colour variables of a style sheet in its light or dark scheme."""
    blocks = re.findall(r":root \{([^}]*)\}", css)
    light = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[0]))
    dark = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[1]))
    return light if scheme == "light" else light | dark


def contrast(one: str, other: str) -> float:
    """Return the WCAG contrast ratio of two colours."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def mixed(one: str, other: str, share: float) -> str:
    """Return `share` of one colour mixed with the rest of the other, as CSS does in sRGB."""
    parts = [
        round(share * int(one[i : i + 2], 16) + (1 - share) * int(other[i : i + 2], 16))
        for i in (1, 3, 5)
    ]
    return "#" + "".join(f"{part:02x}" for part in parts)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
