"""Pages in a real browser: how one is found and opened, what it requests and complains of, who can read it.

A test of pages skips itself where there is no browser: `pytestmark = needs_browser`.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
BROWSER = next((path for name in NAMES if (path := shutil.which(name))), None)
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 375, "height": 720}  # pixels
READABLE = 4.5  # contrast of text, WCAG 2.2, 1.4.3
needs_browser = pytest.mark.skipif(BROWSER is None, reason=f"no Chromium here: none of {', '.join(NAMES)}")


@contextmanager
def launched() -> Iterator[Any]:
    """A browser; the test is skipped where playwright is not installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        # Without a sandbox: tests may run as root, and the page is ours.
        made = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield made
        made.close()


class Opened:
    """A page, with its network requests and console errors."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": DESKTOP, "reduced_motion": "reduce", **options})
        self.context.set_default_timeout(600_000)  # milliseconds; a machine may be busy
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.failures: dict[str, str] = {}
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("requestfailed", lambda request: self.failures.update({request.url: request.failure}))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(address)

    def column(self, table: str, place: int) -> list[str]:
        """A column's text in the visible rows, without the notes below values."""
        return self.page.eval_on_selector_all(
            f"{table} tbody tr:not(.filtered)",
            "(rows, place) => rows.map((row) => row.cells[place].dataset.value ?? row.cells[place].textContent.trim())",
            place,
        )

    def head(self, table: str, place: int) -> Any:
        """The button of a column's head."""
        return self.page.locator(f"{table} button.sort").nth(place)


def colour(shown: Opened, selector: str, name: str) -> tuple[float, ...]:
    """Red, green and blue of a style, 0 to 255."""
    text = shown.page.locator(selector).first.evaluate(f"(each) => getComputedStyle(each).{name}")
    return tuple(float(part) for part in re.findall(r"[\d.]+", text)[:3])


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """WCAG's contrast ratio of two colours."""

    def luminance(channels: tuple[float, ...]) -> float:
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (each / 255 for each in channels)
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


PROBLEMS = """() => {
  const found = [];
  const say = (rule, each) => found.push(`${rule}: ${each.outerHTML.slice(0, 120)}`);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const hidden = (each) => each.closest("[aria-hidden=true]") !== null;
  const text = (id) => (id ? document.getElementById(id)?.textContent.trim() : "");
  if (!document.documentElement.lang) found.push("no lang");
  if (!document.title) found.push("no title");
  all("img").filter((each) => !each.alt).forEach((each) => say("img without alt", each));
  all("svg").filter((each) => !hidden(each)).forEach((each) => {
    if (each.getAttribute("role") !== "img") say("svg without role", each);
    if (!text(each.getAttribute("aria-labelledby"))) say("svg without title", each);
    if (!text(each.getAttribute("aria-describedby"))) say("svg without description", each);
  });
  all("table").forEach((table) => {
    if (!table.caption?.textContent.trim()) say("table without caption", table);
    [...table.tHead.querySelectorAll("th")].forEach((each) => {
      if (!["col", "colgroup"].includes(each.scope)) say("head without scope", each);
    });
    [...table.tBodies[0].rows].forEach((row) => {
      if (row.querySelectorAll("th[scope=row]").length !== 1) say("row without head", row);
    });
    const widths = new Set([...table.tBodies[0].rows].map((row) => row.cells.length));
    if (widths.size > 1) say("rows of different lengths", table);
  });
  all("button, a, summary").filter((each) => !each.textContent.trim()).forEach((each) => say("without name", each));
  all("input, select").filter((each) => !each.labels.length).forEach((each) => say("without label", each));
  all(".scroll").filter((each) => !each.ariaLabel || each.tabIndex !== 0).forEach((each) => say("scrolls", each));
  all("th button").filter((each) => each.type !== "button").forEach((each) => say("submits", each));
  const ids = all("[id]").map((each) => each.id);
  ids.filter((id, place) => ids.indexOf(id) !== place).forEach((id) => found.push(`id twice: ${id}`));
  const leads = (each) => document.getElementById(each.hash.slice(1)) !== null;
  all("a[href^='#']").filter((each) => !leads(each)).forEach((each) => say("to nowhere", each));
  const levels = all("h1, h2, h3, h4").map((each) => Number(each.tagName[1]));
  if (levels.filter((level) => level === 1).length !== 1) found.push("not one h1");
  levels.slice(1).forEach((level, place) => {
    if (level > levels[place] + 1) found.push(`h${level} after h${levels[place]}`);
  });
  const landmarks = ["header", "nav", "main", "footer"];
  landmarks.filter((name) => !document.querySelector(name)).forEach((name) => found.push(`no ${name}`));
  return found;
}"""

# Visible controls and pictures that a screen reader has no name for.
UNNAMED = """() => [...document.querySelectorAll("input, select, textarea, button, canvas, img, [role=tab]")]
  .filter((each) => each.checkVisibility() && !each.closest("[aria-hidden=true]"))
  .filter((each) => each.getAttribute("alt") !== "")  // said to be an ornament
  .filter((each) => {
    const label = [...(each.labels ?? [])].map((one) => one.textContent).join("");
    return !(each.ariaLabel || each.alt || each.title || label || each.textContent).trim();
  })
  .map((each) => each.outerHTML.slice(0, 160))"""

# Visible texts whose contrast with what is behind them is below WCAG's 4.5; those of disabled controls do not count.
FAINT = """() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const ground = (each) => {
    for (let place = each; place; place = place.parentElement) {
      const found = rgba(getComputedStyle(place).backgroundColor);
      if (found[3] > 250) return found;
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0, 255] : [255, 255, 255, 255];
  };
  const light = (channels) => {
    const [r, g, b] = channels.slice(0, 3).map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const each = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
    if (!text || !each.checkVisibility({ opacityProperty: true }) || each.closest("script, style, :disabled")) continue;
    const [one, two] = [light(rgba(getComputedStyle(each).color)), light(ground(each))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (two + 0.05);
    if (ratio < 4.5) found.add(`${ratio.toFixed(1)}: ${text.slice(0, 40)}`);
  }
  return [...found];
}"""
