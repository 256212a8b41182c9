"""Matplotlib's figures as inline SVG: with the style sheet's colours, selectable text, and unique ids.

A figure is drawn in placeholder colours, one for each role, which become CSS variables in the page: dark mode and print
need no second figure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from xml.etree import ElementTree

import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure

INK, MUTED, GRID, SURFACE = "#000a01", "#000a02", "#000a03", "#000a04"
SERIES = 8  # colours; further variants repeat a colour with another dash and marker
PALETTE = tuple(f"#000b{number:02x}" for number in range(SERIES))
VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--line)",
    SURFACE: "var(--surface)",
    **{colour: f"var(--series-{number})" for number, colour in enumerate(PALETTE)},
}
NAMESPACE = re.compile(r"\{.*\}")
COLOUR = re.compile("#000[ab][0-9a-f]{2}")
LONG = re.compile(r"-?\d+\.\d{2,}")
UNTURNED = re.compile(r"rotate\(-?0 [^)]*\)")
REFERENCE = re.compile(r"(?<=#)[\w-]+")


@dataclass(frozen=True)
class Series:
    """Data of an element of a figure: its variant's label, and a tooltip for it or for each of its marks."""

    label: str
    tooltip: str = ""
    marks: tuple[str, ...] = ()


def inline_svg(figure: Figure, key: str, title: str, description: str, series: Mapping[str, Series]) -> Markup:
    """The figure as an <svg>, whose elements with a gid in `series` have `data-label`; key is unique in the page."""
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": key}):
        file = BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    root = ElementTree.fromstring(file.getvalue())
    tidy(root)
    share_styles(root)
    own_ids(root, key)
    for element in list(root.iter()):
        gid = element.attrib.pop("data-gid", "")
        if gid in series:
            annotate(element, series[gid])
    introduce(root, key, title, description)
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # ElementTree escapes texts and attributes


def tidy(root: ElementTree.Element) -> None:
    """Removes namespaces, metadata and style sheet, shortens numbers, and puts in the page's colours."""
    for parent in list(root.iter()):
        parent.tag = NAMESPACE.sub("", parent.tag)
        parent.attrib = {NAMESPACE.sub("", name): shortened(value) for name, value in parent.attrib.items()}
        if UNTURNED.fullmatch(parent.get("transform", "")):
            del parent.attrib["transform"]
        parent.tail = None
        if parent.tag in ("g", "defs", "svg"):
            parent.text = None
        for child in list(parent):
            if NAMESPACE.sub("", str(child.tag)) in ("metadata", "style"):
                parent.remove(child)


def shortened(value: str) -> str:
    """An attribute's value with numbers rounded to a hundredth of a pixel, and CSS variables for colours."""
    value = LONG.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), value)
    value = COLOUR.sub(lambda found: VARIABLES[found[0]], value)
    return re.sub(r"\s*\n\s*", "", value).strip()


def share_styles(root: ElementTree.Element) -> None:
    """Moves a style that all marks of a group have to the group."""
    for group in root.iter("g"):
        styles = {child.get("style", "") for child in group}
        if len(group) > 1 and len(styles) == 1 and styles != {""} and all(child.tag == "use" for child in group):
            group.set("style", styles.pop())
            for child in group:
                del child.attrib["style"]


def own_ids(root: ElementTree.Element, key: str) -> None:
    """Prefixes referenced ids with the key; turns the others into `data-gid`, for `annotate`."""
    referred = {
        found
        for element in root.iter()
        for name in ("href", "clip-path")
        for found in REFERENCE.findall(element.get(name, ""))
    }
    names = {identity: f"{key}-{number}" for number, identity in enumerate(sorted(referred))}
    for element in root.iter():
        identity = element.attrib.pop("id", None)
        if identity in names:
            element.set("id", names[identity])
        elif identity:
            element.set("data-gid", identity)
        for name in ("href", "clip-path"):
            if name in element.attrib:
                element.set(name, REFERENCE.sub(lambda found: names[found[0]], element.attrib[name]))
        if element.tag == "text":
            element.set("style", text_style(element.get("style", "")))


def text_style(style: str) -> str:
    """The style of a text without its typeface, which is the page's."""
    size = re.search(r"font: (?:\d+ )?([\d.]+)px|font-size: ([\d.]+)px", style)
    kept = [part.strip() for part in style.split(";") if part.strip().startswith(("text-anchor", "fill", "opacity"))]
    return "; ".join(([f"font-size: {size[1] or size[2]}px"] if size else []) + kept)


def annotate(element: ElementTree.Element, series: Series) -> None:
    """Adds the variant's label, for the page's filter, and the tooltips."""
    element.set("class", "series")
    element.set("data-label", series.label)
    if series.tooltip:
        title = ElementTree.Element("title")
        title.text = series.tooltip
        element.insert(0, title)
    for mark, tooltip in zip(element.iter("use"), series.marks, strict=False):
        ElementTree.SubElement(mark, "title").text = tooltip


def introduce(root: ElementTree.Element, key: str, title: str, description: str) -> None:
    """Adds title and description for screen readers, and removes the fixed size."""
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.attrib.update(
        {"class": "chart", "role": "img", "aria-labelledby": f"{key}-title", "aria-describedby": f"{key}-description"}
    )
    for number, (tag, text) in enumerate((("title", title), ("desc", description))):
        child = ElementTree.Element(tag, {"id": f"{key}-{'title' if tag == 'title' else 'description'}"})
        child.text = text
        root.insert(number, child)
