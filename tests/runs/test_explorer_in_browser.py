"""The page of zoo explore in a real browser: what it shows, by keyboard alone, and that nothing leaves the machine."""

from base64 import b64decode
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from edges_run import edges_run
from in_browser import FAINT, PHONE, UNNAMED, Opened, launched, needs_browser
from PIL import Image

import zoo
from zoo.exploring.serving import opened

pytestmark = [
    pytest.mark.leaky,
    needs_browser,
    pytest.mark.usefixtures("pages_served"),
    # Gradio's, of its event loops and of what it is made of.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
pytest.importorskip("gradio")
GIVEN, MADE = "#result figure:nth-child(1) img", "#result figure:nth-child(2) img"  # of a translation
WAITED = 120_000  # milliseconds for each answer; a machine may be busy


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as made:
        yield made


def pixels(shown: Opened, selector: str) -> np.ndarray:
    """uint8 (H, W) of an image element."""
    source = shown.page.locator(selector).get_attribute("src")
    return np.asarray(Image.open(BytesIO(b64decode(source.partition(",")[2]))).convert("L"))


def wait_for(shown: Opened, selector: str, alt: str) -> None:
    shown.page.locator(f'{selector}[alt^="{alt}"]').wait_for()


def check_page(shown: Opened, address: str) -> None:
    """Readable, named, in English, at both widths, and alone on this machine."""
    page = shown.page
    assert page.evaluate(UNNAMED) == []
    assert page.evaluate(FAINT) == []
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.evaluate("document.querySelectorAll('h1').length") == 1
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert [each for each in shown.requests if not each.startswith((address, "data:", "blob:"))] == []
    assert [each for each in shown.complaints if "error" in each.lower()] == []


@pytest.fixture
def labelled(train, tmp_path: Path) -> zoo.Run:
    """A conditional run of one step."""
    draw = np.random.default_rng(2)
    data = {"samples": draw.integers(0, 256, (30, 8, 8, 1), dtype=np.uint8), "labels": np.arange(30) % 3}
    np.savez(tmp_path / "labelled.npz", **data)
    return train(tmp_path / "run", 1, "cgan+vanilla", dataset=tmp_path / "labelled.npz")


def test_a_generator_of_latents_is_explored_by_keyboard(labelled: zoo.Run, browser: Any) -> None:
    run = labelled
    with opened(run) as address:
        shown = Opened(browser, address)
        page = shown.page
        shown.context.set_default_timeout(WAITED)
        wait_for(shown, "#sample img", "Sample of seed 0")
        np.testing.assert_array_equal(pixels(shown, "#sample img"), run.sample(seeds=[0], classes=[0])[0, ..., 0])
        page.get_by_label("Seed", exact=True).fill("5")
        wait_for(shown, "#sample img", "Sample of seed 5")
        page.get_by_label("Class").click()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        wait_for(shown, "#sample img", "Sample of seed 5, class 1")
        own = run.sample(seeds=[5], classes=[1])[0, ..., 0]
        np.testing.assert_array_equal(pixels(shown, "#sample img"), own)
        page.get_by_label("range slider for GANSpace 1").focus()
        page.keyboard.press("ArrowRight")
        wait_for(shown, "#sample img", "Sample of seed 5, class 1, GANSpace 1 +0.25")
        assert (pixels(shown, "#sample img") != own).any()
        page.get_by_role("button", name="All to the middle").press("Enter")
        page.locator('#sample img[alt$="class 1"]').wait_for()
        np.testing.assert_array_equal(pixels(shown, "#sample img"), own)
        page.get_by_label("Truncate").check()
        wait_for(shown, "#sample img", "Sample of seed 5, class 1, truncation 0.7")
        assert "--truncation 0.7" in page.get_by_label("The same on the command line").input_value()
        page.get_by_label("Truncate").uncheck()
        page.get_by_role("tab", name="Seeds").press("Enter")
        page.get_by_role("button", name="Draw them").press("Enter")
        page.locator("#seeds button img").nth(7).wait_for()
        page.locator("#seeds button:has(img)").nth(7).press("Enter")
        wait_for(shown, "#sample img", "Sample of seed 7")
        page.get_by_role("tab", name="Walk").press("Enter")
        page.get_by_role("button", name="Walk", exact=True).press("Enter")
        wait_for(shown, "#film img", "A walk between the samples of seeds 0, 1, 2, 3")
        page.get_by_label("range slider for Stop at a frame").press("ArrowRight")
        wait_for(shown, "#film img", "Frame 1 of the walk")
        page.get_by_label("Seeds to walk between").fill("one")
        page.get_by_role("button", name="Walk", exact=True).press("Enter")
        page.get_by_text("Expected two seeds or more, such as 0, 1, 2; received 'one'.").wait_for()
        page.get_by_role("tab", name="Project").press("Enter")
        Image.fromarray(own).save("own.png")
        page.locator("input[type=file]").last.set_input_files("own.png")
        page.get_by_label("number input for Steps").fill("20")
        page.get_by_label("Compare what a network sees").uncheck()
        page.get_by_role("button", name="Find its latents").press("Enter")
        page.locator("#projected img").nth(1).wait_for()
        wait_for(shown, "#sample img", "Sample of the projected image")
        np.testing.assert_array_equal(pixels(shown, "#sample img"), pixels(shown, "#projected img >> nth=1"))
        page.get_by_role("button", name="Write the image and its latents into files").press("Enter")
        page.locator("#files a").nth(1).wait_for()
        check_page(shown, address)
        shown.context.close()


def test_a_translation_is_drawn(tmp_path: Path, data_dir: Path, browser: Any) -> None:
    images = np.random.default_rng(1).integers(0, 256, (40, 8, 8, 1), dtype=np.uint8)
    run = edges_run(tmp_path, images, data_dir)
    with opened(run) as address:
        shown = Opened(browser, address)
        page = shown.page
        shown.context.set_default_timeout(WAITED)
        wait_for(shown, MADE, "What is made of an example")
        page.get_by_label("range slider for Row of the test data").press("ArrowRight")
        page.get_by_role("tab", name="Draw").press("Enter")
        pad = page.get_by_role("img", name="A drawing pad").bounding_box()
        cell = pad["width"] / 8
        page.mouse.move(pad["x"] + 2.5 * cell, pad["y"] + 1)
        page.mouse.down()
        page.mouse.move(pad["x"] + 2.5 * cell, pad["y"] + pad["height"] - 1, steps=8)
        page.mouse.up()
        wait_for(shown, MADE, "What is made of the drawing")
        page.wait_for_timeout(500)  # the last stroke
        given = pixels(shown, GIVEN)
        assert (given[:, 2] == 255).all()
        assert (given[:, [0, 5, 6, 7]] == 0).all()
        np.testing.assert_array_equal(pixels(shown, MADE), run.translate(given[None, ..., None])[0, ..., 0])
        page.get_by_role("tab", name="Picture").press("Enter")
        Image.fromarray(given).save(tmp_path / "mine.png")
        page.locator("input[type=file]").last.set_input_files(tmp_path / "mine.png")
        wait_for(shown, MADE, "What is made of mine.png")
        check_page(shown, address)
        shown.context.close()
