"""zoo export --format html in a real browser, opened as a file: it computes what the zoo does, and fetches nothing."""

import hashlib
import lzma
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from edges_run import edges_run
from in_browser import FAINT, PHONE, PROBLEMS, UNNAMED, Opened, launched, needs_browser
from keras import ops
from PIL import Image

import zoo
from zoo import ZooError
from zoo.training.directions import found_directions
from zoo.training.html_export import BINARY, PAGE, RUNTIME, safe_json

pytestmark = pytest.mark.leaky

WAITED = 60  # seconds


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as made:
        yield made


def until(wanted: Callable[[], bool]) -> None:
    """Waits; the page's policy forbids what a browser's driver waits by."""
    end = time.monotonic() + WAITED
    while not wanted():
        assert time.monotonic() < end
        time.sleep(0.02)


def says(shown: Opened, text: str) -> None:
    until(lambda: shown.page.locator("#said").inner_text() == text)


def pixels(shown: Opened, canvas: str = "#made") -> np.ndarray:
    """uint8 (H, W) of the first channel."""
    source = shown.page.locator(canvas).evaluate("(each) => each.toDataURL()")
    return np.asarray(Image.open(BytesIO(b64decode(source.partition(",")[2]))).convert("RGB"))[..., 0].astype(int)


def check_page(shown: Opened, path: Path) -> None:
    """Anyone can read it anywhere, and it asked for nothing."""
    page = shown.page
    assert page.evaluate(PROBLEMS) == []
    assert page.evaluate(UNNAMED) == []
    assert page.evaluate(FAINT) == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert [each for each in shown.requests if not each.startswith(("blob:", "data:"))] == [path.as_uri()]
    assert shown.complaints == []


def test_the_runtime_is_what_its_package_published() -> None:
    said = (PAGE / "SOURCE.md").read_text()
    for content in ((PAGE / RUNTIME).read_bytes(), lzma.decompress((PAGE / BINARY).read_bytes())):
        assert hashlib.sha256(content).hexdigest() in said


def test_names_end_no_element() -> None:
    assert "<" not in safe_json({"classes": ["</script><b>"]})


def test_what_a_page_can_not_hold_is_refused(finished: zoo.Run) -> None:
    with pytest.raises(ZooError, match="a page that shows a generator's images: without --output and --model"):
        finished.export("d.html", format="html", model="discriminator")
    with pytest.raises(ZooError, match=r"ends in \.html; received own.txt"):
        finished.export("own.txt", format="html")


@needs_browser
def test_a_page_of_latents_makes_what_the_zoo_does(train, tmp_path: Path, browser: Any) -> None:
    for each in ("onnx", "tf2onnx"):
        pytest.importorskip(each)
    draw = np.random.default_rng(2)
    data = {"samples": draw.integers(0, 256, (30, 8, 8, 1), dtype=np.uint8), "labels": np.arange(30) % 3}
    np.savez(tmp_path / "labelled.npz", **data)
    run = train(tmp_path / "run", 1, "cgan+vanilla", dataset=tmp_path / "labelled.npz")
    path = run.export(tmp_path / "page.html", format="html")
    shown = Opened(browser, path.as_uri(), color_scheme="dark")
    page = shown.page
    shown.context.set_default_timeout(1000 * WAITED)
    says(shown, "Sample of seed 0, class 0")

    def close(expected: np.ndarray) -> None:
        np.testing.assert_allclose(pixels(shown), expected[0, ..., 0].astype(int), atol=1)

    close(run.sample(seeds=[0], classes=[0]))
    page.get_by_label("Seed, 0 to 63").fill("5")
    page.get_by_label("Class", exact=True).select_option("1")
    says(shown, "Sample of seed 5, class 1")
    close(run.sample(seeds=[5], classes=[1]))
    page.get_by_label("Truncation").select_option("0.5")
    says(shown, "Sample of seed 5, class 1")
    until(lambda: np.abs(pixels(shown) - run.sample(seeds=[5], classes=[1], truncation=0.5)[0, ..., 0]).max() <= 1)
    page.get_by_label("Truncation").select_option("none")
    page.get_by_label("GANSpace 1").press("ArrowRight")
    says(shown, "Sample of seed 5, class 1, GANSpace 1 0.25")
    _, directions = found_directions(run.sampler, None)
    latents = ops.convert_to_numpy(run.sampler.latents(1, 5)["latents"]) + 0.25 * directions["GANSpace 1"]
    close(run.sample(latents=latents.astype("float32"), classes=[1]))
    page.get_by_role("button", name="All to the middle").press("Enter")
    page.get_by_label("To the seed").fill("7")
    page.get_by_label("Share of the way").press("End")
    says(shown, "Sample of seed 5, class 1, 100% of the way to seed 7")
    close(run.sample(seeds=[7], classes=[1]))
    page.get_by_label("Share of the way").press("ArrowLeft")
    says(shown, "Sample of seed 5, class 1, 98% of the way to seed 7")
    close(run.interpolate([5, 7], 51, classes=1)[49:50])
    check_page(shown, path)
    shown.context.close()


@needs_browser
def test_a_page_of_a_translation_is_drawn_on(tmp_path: Path, data_dir: Path, browser: Any) -> None:
    for each in ("onnx", "tf2onnx"):
        pytest.importorskip(each)
    images = np.random.default_rng(1).integers(0, 256, (40, 8, 8, 1), dtype=np.uint8)
    run = edges_run(tmp_path, images, data_dir)  # whose generator draws noise, by dropout
    path = run.export(tmp_path / "page.html", format="html")
    shown = Opened(browser, path.as_uri())
    page = shown.page
    shown.context.set_default_timeout(1000 * WAITED)

    def same() -> None:
        made = run.translate(pixels(shown, "#given").astype("uint8")[None, ..., None])
        np.testing.assert_allclose(pixels(shown), made[0, ..., 0].astype(int), atol=1)

    says(shown, "Made of example 0")
    page.get_by_label("Row of the test data").press("ArrowRight")
    says(shown, "Made of example 1")
    given = ops.convert_to_numpy(run.sampler.batch(np.arange(2), 0)["source"])[1, ..., 0]
    np.testing.assert_allclose(pixels(shown, "#given"), (given + 1) * 127.5, atol=1)
    np.testing.assert_allclose(  # of which the network was given more digits than the picture shows
        pixels(shown), run.translate(np.rint((given + 1) * 127.5).astype("uint8")[None, ..., None])[0, ..., 0], atol=3
    )
    pad = page.locator("#pad").bounding_box()
    cell = pad["width"] / 8
    page.mouse.move(pad["x"] + 2.5 * cell, pad["y"] + 1)
    page.mouse.down()
    page.mouse.move(pad["x"] + 2.5 * cell, pad["y"] + pad["height"] - 1, steps=8)
    page.mouse.up()
    says(shown, "Made of the drawing")
    until(lambda: bool((pixels(shown, "#given")[:, 2] > 200).all()))
    assert (pixels(shown, "#given")[:, [0, 5, 6, 7]] < 30).all()
    same()
    mine = np.random.default_rng(3).integers(0, 256, (8, 8), dtype=np.uint8)
    Image.fromarray(mine).save(tmp_path / "mine.png")
    page.get_by_label("A picture of yours").set_input_files(tmp_path / "mine.png")
    says(shown, "Made of mine.png")
    np.testing.assert_allclose(pixels(shown, "#given"), mine, atol=1)
    same()
    check_page(shown, path)
    shown.context.close()
