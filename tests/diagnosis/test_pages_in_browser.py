"""The pages of experiments on gradients and of a run's health in a real browser, at two widths and in two themes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from in_browser import PHONE, PROBLEMS, READABLE, Opened, colour, contrast, launched, needs_browser

from zoo.diagnosis.games import OBJECTIVES
from zoo.diagnosis.report import write_report
from zoo.diagnosis.report.depth import write_depth_report
from zoo.diagnosis.report.health import write_health_report
from zoo.diagnosis.report.own_depth import write_own_depth_report
from zoo.diagnosis.verdicts import verdicts_of

pytestmark = needs_browser
EVIL = "<script>window.bad=1</script>"  # what a user may call things
LAYERS = ("01 dense", "02 dense", "03 conv2d_transpose")

MISDRAWN = """() => {
  const found = [];
  document.querySelectorAll("figure").forEach((figure) => {
    const frame = figure.querySelector("svg.chart, .chart svg, svg:not(.swatch)").getBoundingClientRect();
    figure.querySelectorAll("svg:not(.swatch) text").forEach((each) => {
      const box = each.getBoundingClientRect();
      if (box.left < frame.left - 1 || box.right > frame.right + 1) found.push(`cut off: ${each.textContent}`);
    });
    const colours = (selector, name) =>
      [...new Set([...figure.querySelectorAll(selector)].map((each) => getComputedStyle(each)[name]))]
        .filter((each) => each !== "none").sort().join();
    const keys = colours(".legend .swatch", "color");
    if (keys && keys !== colours(".series path", "stroke")) {
      found.push(`legend: ${keys} of ${colours(".series path", "stroke")}`);
    }
  });
  return found;
}"""


def diagnosis(folder: Path) -> None:
    """Two objectives over three measurements, and a game that was refused."""
    objectives = {
        name: {"game": "cross-entropy", "formula": each.formula, "slope": each.slope_formula}
        for name, each in list(OBJECTIVES.items())[:2]
    }
    lines = [
        {
            "trained": 500, "game": "cross-entropy", "objective": name, "update": update, "separation": 0.9,
            "norm": 10.0**-update, "norms": [10.0**-update] * 2, "noise": 0.1, "slope": 0.5, "closed_slope": 0.5,
            "layers": dict.fromkeys(LAYERS, 0.1),
        }
        for name in objectives for update in (0, 1, 2)
    ]  # fmt: skip
    found = {
        "stack": EVIL, "dataset": "ring8", "seed": 0, "updates": 2, "every": 1, "batches": 4, "backend": "tensorflow",
        "devices": ["cpu:0"], "objectives": objectives, "measurements": lines, "verdicts": verdicts_of(lines),
        "refused": [{"trained": 500, "game": "hinge", "refused": EVIL}],
    }  # fmt: skip
    write_report(found, folder)


def health(folder: Path) -> None:
    """A sick run of three measurements."""
    lines = [
        {"step": step, "generator_gradient_norm": 1 / step, "discriminator_loss": 1.0}
        | {f"health/generator/{kind}/{layer}": 1e-3 / step for kind in ("gradient", "update") for layer in LAYERS}
        | {"health/samples/diversity": 0.5, "health/discriminator/separation": 0.9}
        for step in (50, 100, 150)
    ]
    finding = {"name": "frozen", "step": 100, "sentence": EVIL, "tries": ["this", "that"]}
    result = {
        "run": f"runs/{'long-name-' * 9}", "stack": EVIL, "dataset": "ring8", "seed": 0, "steps": 150, "word": "frozen",
        "source": "metrics.jsonl", "verdict": EVIL, "next": f"zoo run {'--set x=1 ' * 30}", "findings": [finding],
        "lines": lines,
    }  # fmt: skip
    write_health_report(result, folder)


def depth(folder: Path) -> None:
    """Two critics."""
    weights = {"counts": [1, 2, 1], "edges": [-1.0, -0.5, 0.5, 1.0], "at_ends": 0.5}
    critics = {
        name: {"norms": [1e-4, 1.0], "word": "vanishes", "change": change, "weights": weights}
        for name, change in (("clipped at 0.1", -4.0), ("penalized", None))
    }
    head = {"layers": 2, "units": 8, "activation": "relu", "normalization": "none", "steps": 5}
    write_depth_report({"stack": EVIL, "dataset": "swissroll", "seed": 0, "critics": critics, **head}, folder)


def own_depth(folder: Path) -> None:
    """Two networks under seven objectives, and one that was refused."""
    of_player = {"layers": list(LAYERS), "norms": [1e-4, 1e-2, 1.0], "word": "vanishes", "change": -4.0}
    measured = [
        {"network": network, "objective": name, "generator": of_player, "discriminator": {**of_player, "change": None}}
        for network in ("as they are", "sigmoid, without normalization") for name in OBJECTIVES
    ]  # fmt: skip
    refused = [{"network": "tanh", "objective": "own", "sentence": EVIL}]
    head = {"stack": EVIL, "dataset": "ring8", "seed": 0, "steps": 0}
    write_own_depth_report({**head, "measurements": measured, "refused": refused}, folder)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as made:
        yield made


@pytest.mark.parametrize("write", [diagnosis, health, depth, own_depth], ids=lambda each: each.__name__)
def test_a_page_can_be_read_by_anyone_anywhere(write: Callable[[Path], None], browser: Any, tmp_path: Path) -> None:
    write(tmp_path)
    address = (tmp_path / "report.html").as_uri()
    for scheme in ("light", "dark"):
        shown = Opened(browser, address, color_scheme=scheme)
        assert [url for url in shown.requests if not url.startswith("data:")] == [address]
        assert shown.complaints == []
        assert shown.page.evaluate("window.bad") is None
        assert EVIL in shown.page.locator("h1, .facts").all_inner_texts()[0] + shown.page.locator(".facts").inner_text()
        assert shown.page.evaluate(PROBLEMS) == []
        ground = colour(shown, "body", "backgroundColor")
        assert (sum(ground) < 200) == (scheme == "dark")
        for selector in ("body", ".kicker", ".facts dt", ".legend li", "footer p"):
            assert contrast(colour(shown, selector, "color"), ground) >= READABLE, selector
        surface = colour(shown, ".charts figure", "backgroundColor")
        assert contrast(colour(shown, ".charts .aside", "color"), surface) >= READABLE
        assert contrast(colour(shown, ".chart text", "fill"), surface) >= READABLE
        marks = shown.page.eval_on_selector_all(
            ".legend", "(all) => all.map((each) => [...each.querySelectorAll('.swatch')].map((one) => one.innerHTML))"
        )
        assert all(len(set(each)) == len(each) > 0 for each in marks)  # told apart without colour
        assert shown.page.evaluate(MISDRAWN) == []
        shown.page.set_viewport_size(PHONE)
        assert shown.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        shown.context.close()
