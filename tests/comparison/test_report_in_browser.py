"""The report's page in a real browser: its network requests, its controls, and its accessibility."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from comparison_data import TROUBLED, comparison

from zoo.comparison.report import write_report

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
BROWSER = next((path for name in NAMES if (path := shutil.which(name))), None)
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 375, "height": 720}  # pixels
READABLE = 4.5  # contrast of text, WCAG 2.2, 1.4.3
VARIANTS = TROUBLED.variants
MAIN, RUNS = "#d0-table", "table.runs"

pytestmark = pytest.mark.skipif(BROWSER is None, reason=f"no Chromium here: none of {', '.join(NAMES)}")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a report on five variants and two datasets, with some unfinished runs."""
    folder = tmp_path_factory.mktemp("report")
    made = comparison(datasets=("fashion_mini", "fashion_mnist"), seeds=6, columns=2, folder=folder)
    return write_report(made, folder)["report.html"].as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        # Without a sandbox: tests may run as root, and the page is ours.
        launched = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield launched
        launched.close()


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


@pytest.fixture
def opened(browser: Any, address: str) -> Iterator[Opened]:
    made = Opened(browser, address)
    yield made
    made.context.close()


def opened_with(browser: Any, address: str, **options: Any) -> Opened:
    return Opened(browser, address, **options)


# --- what it asks and says ----------------------------------------------------------------------------------------


def test_the_page_requests_itself_alone_and_logs_no_error(opened: Opened, address: str):
    opened.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    opened.page.wait_for_timeout(100)
    assert [url for url in opened.requests if not url.startswith("data:")] == [address]
    assert opened.complaints == []
    assert opened.page.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")


def test_the_policy_stops_a_request_even_if_one_were_smuggled_in(opened: Opened):
    refused = opened.page.evaluate(
        """() => new Promise((done) => {
            document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
            const image = new Image();
            image.src = "https://example.invalid/pixel.png";
            document.body.append(image);
        })"""
    )
    assert refused == "img-src"
    assert opened.failures == {"https://example.invalid/pixel.png": "csp"}


def test_a_label_that_is_a_script_is_shown_and_does_not_run(browser: Any, tmp_path: Path):
    evil = "<script>window.bad=1</script><img src=x onerror=window.bad=1>"
    made = comparison(variants=("dcgan", evil), datasets=("ring8",), seeds=1, states={})
    shown = opened_with(browser, write_report(made, tmp_path)["report.html"].as_uri())
    assert shown.page.evaluate("window.bad") is None
    assert evil in shown.page.locator(RUNS).inner_text()
    assert shown.complaints == []
    shown.context.close()


# --- sorting and filtering ----------------------------------------------------------------------------------------


def test_a_click_on_a_head_sorts_numbers_as_numbers_and_another_the_other_way(opened: Opened):
    titles = [title.strip() for title in opened.page.locator(f"{MAIN} button.sort").all_inner_texts()]
    place = titles.index("images/s")
    head = opened.page.locator(f"{MAIN} th:has(button)").nth(place)
    before = [float(value) for value in opened.column(MAIN, place)]
    opened.head(MAIN, place).click()
    assert [float(value) for value in opened.column(MAIN, place)] == sorted(before)
    assert head.get_attribute("aria-sort") == "ascending"
    opened.head(MAIN, place).click()
    assert [float(value) for value in opened.column(MAIN, place)] == sorted(before, reverse=True)
    assert head.get_attribute("aria-sort") == "descending"
    assert opened.page.locator(f"{MAIN} th[aria-sort]").count() == 1


def test_the_table_says_that_it_lies_sorted_by_rank(opened: Opened):
    assert opened.page.locator(f"{MAIN} th[aria-sort]").inner_text().strip() == "rank"
    ranks = [float(value) for value in opened.column(MAIN, 0)]
    assert ranks == sorted(ranks)


def test_runs_without_a_score_stay_at_the_end_both_ways(opened: Opened):
    place = 4  # the last score
    for _ in range(2):
        opened.head(RUNS, place).click()
        values = opened.column(RUNS, place)
        lost = values.count("")
        assert lost > 0
        assert values[-lost:] == [""] * lost


def test_the_keyboard_alone_sorts(opened: Opened):
    opened.head(MAIN, 1).focus()
    opened.page.keyboard.press("Enter")
    assert opened.column(MAIN, 1) == sorted(VARIANTS)
    opened.page.keyboard.press("Space")
    assert opened.column(MAIN, 1) == sorted(VARIANTS, reverse=True)


def test_the_first_stop_of_the_keyboard_leads_past_the_head(opened: Opened):
    opened.page.keyboard.press("Tab")
    assert opened.page.evaluate("document.activeElement.textContent") == "Skip to the results"
    assert opened.page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    opened.page.keyboard.press("Enter")
    assert opened.page.evaluate("document.activeElement.id") == "main"


def test_what_has_the_focus_is_seen(opened: Opened):
    opened.page.keyboard.press("Tab")
    for selector in ("#filter-text", f"{MAIN} button.sort", "summary", ".scroll", "[data-axis-choice]"):
        opened.page.locator(selector).first.focus()
        style = opened.page.evaluate("getComputedStyle(document.activeElement).outline")
        assert "solid 3px" in style, selector


def test_the_text_filter_hides_rows_lines_and_pictures_of_other_variants(opened: Opened):
    opened.page.fill("#filter-text", "WGAN")
    assert set(opened.column(MAIN, 1)) == {"wgan", "wgan-gp"}
    assert opened.page.locator("#d0-samples li:visible").count() == 2
    labels = opened.page.eval_on_selector_all(
        "#d0-curves .series:not(.filtered)", "(all) => [...new Set(all.map((each) => each.dataset.label))].sort()"
    )
    assert labels == ["wgan", "wgan-gp"]
    assert opened.page.locator("#filter-status").inner_text() == "2 variants and 24 runs shown"
    opened.page.fill("#filter-text", "")
    assert len(opened.column(MAIN, 1)) == len(VARIANTS)


def test_the_filters_of_dataset_and_state_hide_what_they_leave_out(opened: Opened):
    opened.page.select_option("#filter-dataset", "fashion_mnist")
    assert not opened.page.locator("#d0").is_visible()
    assert opened.page.locator("#d1").is_visible()
    assert set(opened.column(RUNS, 1)) == {"fashion_mnist"}
    opened.page.select_option("#filter-state", "diverged")
    assert opened.column(RUNS, 3) == ["diverged", "diverged"]
    assert "generator_loss is nan" in opened.page.locator(f"{RUNS} tr[data-state=diverged]:visible").first.inner_text()


def test_columns_can_be_left_out_and_the_heads_above_them_follow(opened: Opened):
    opened.page.locator("[data-columns=best]").first.uncheck()
    assert opened.page.locator(f"{MAIN} td[data-part=best]:visible").count() == 0
    assert opened.page.locator(f"{MAIN} th.group").first.get_attribute("colspan") == "1"
    opened.page.locator("[data-columns=last]").first.uncheck()
    assert not opened.page.locator(f"{MAIN} th.group").first.is_visible()
    left = opened.page.eval_on_selector(
        f"{MAIN} thead", "(head) => [...head.rows[0].cells].filter((each) => !each.hidden).length"
    )
    assert left == 4  # rank, variant, runs, cost


def test_curves_are_shown_against_images_or_time(opened: Opened):
    first = opened.page.locator("#d0-curves [data-axis=images] svg").first
    second = opened.page.locator("#d0-curves [data-axis=seconds] svg").first
    assert (first.is_visible(), second.is_visible()) == (True, False)
    opened.page.locator("[data-axis-choice=seconds]").first.click()
    assert (first.is_visible(), second.is_visible()) == (False, True)
    assert opened.page.locator("[data-axis-choice=seconds][aria-pressed=true]").count() == 2


def test_recipes_can_be_cut_to_the_fields_that_differ(opened: Opened):
    rows = opened.page.locator("#d0-recipe tbody tr:visible")
    every = rows.count()
    opened.page.locator("[data-differences]").first.check()
    assert 0 < rows.count() < every
    assert all("≠" in text for text in rows.all_inner_texts())


# --- sizes, themes, paper, no JavaScript --------------------------------------------------------------------------


def test_a_phone_scrolls_no_page_sideways(browser: Any, address: str):
    shown = opened_with(browser, address, viewport=PHONE)
    shown.page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    assert shown.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    wide = shown.page.locator(".scroll").first
    assert wide.evaluate("(box) => box.scrollWidth > box.clientWidth")
    shown.context.close()


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


def test_contrast_of_black_on_white_is_21():
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_either_theme(browser: Any, address: str, scheme: str):
    shown = opened_with(browser, address, color_scheme=scheme)
    ground, surface = colour(shown, "body", "backgroundColor"), colour(shown, ".charts figure", "backgroundColor")
    assert (sum(ground) < 200) == (scheme == "dark")
    for selector in ("body", ".aside", ".kicker", "summary", ".count", ".facts dt", "a[href='#runs']"):
        assert contrast(colour(shown, selector, "color"), ground) >= READABLE, selector
    for selector in (f"{MAIN} td", f"{MAIN} .note", f"{MAIN} .setting", ".state.done", ".state.diverged", ".path"):
        assert contrast(colour(shown, selector, "color"), surface) >= READABLE, selector
    assert contrast(colour(shown, ".mark", "color"), colour(shown, ".mark", "backgroundColor")) >= READABLE
    assert contrast(colour(shown, ".marked .note", "color"), colour(shown, ".marked", "backgroundColor")) >= READABLE
    assert contrast(colour(shown, ".notes-head", "color"), colour(shown, ".notes", "backgroundColor")) >= READABLE
    assert contrast(colour(shown, ".chart text", "fill"), surface) >= READABLE
    lines = shown.page.eval_on_selector_all(
        ".legend .swatch", "(all) => all.slice(0, 5).map((each) => getComputedStyle(each).color)"
    )
    for line in lines:
        assert contrast(tuple(float(part) for part in re.findall(r"\d+", line)[:3]), surface) >= 3, line
    shown.context.close()


def test_paper_has_every_folded_part_open_and_no_controls(opened: Opened):
    inside = opened.page.locator("details .scroll table").first
    assert not inside.is_visible()
    opened.page.emulate_media(media="print")
    opened.page.wait_for_selector("details:not([open])", state="detached")
    assert inside.is_visible()
    assert not opened.page.locator("#filter-text").is_visible()
    assert opened.page.locator("#d0-curves [data-axis=seconds] svg").first.is_visible()
    opened.page.emulate_media(media="screen")
    opened.page.wait_for_selector("details[open]", state="detached")


def test_without_javascript_everything_is_there_and_nothing_that_would_not_work(browser: Any, address: str):
    shown = opened_with(browser, address, java_script_enabled=False)
    rows = shown.page.locator(f"{MAIN} tbody tr")
    assert rows.count() == len(VARIANTS)
    assert all(row.is_visible() for row in rows.all())
    assert shown.page.locator(f"{RUNS} tbody tr:visible").count() == 2 * 6 * len(VARIANTS)
    assert shown.page.locator("#d0-curves [data-axis]:visible").count() == 2 * 2  # charts of scores, by axis
    assert shown.page.locator("button:visible, input:visible, select:visible").count() == 0
    shown.page.locator("summary").first.click()
    assert shown.page.locator("details .scroll table").first.is_visible()
    shown.context.close()


# --- who can read it ----------------------------------------------------------------------------------------------

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


def test_pictures_charts_tables_and_controls_have_names(opened: Opened):
    assert opened.page.evaluate(PROBLEMS) == []


def test_variants_are_distinguishable_without_colour(opened: Opened):
    marks = opened.page.eval_on_selector_all(
        "#d0-curves .legend .swatch", "(all) => all.map((each) => each.querySelector('g').innerHTML)"
    )
    assert len(marks) == len(set(marks)) == len(VARIANTS)
