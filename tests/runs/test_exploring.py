"""zoo explore without a browser: the same samples as other commands make, directions, and how the page is served."""

import os
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from edges_run import edges_run
from keras import ops
from PIL import Image

import zoo
from zoo import ZooError
from zoo.exploring import serving
from zoo.exploring.drawn_explorer import DrawnExplorer, Target
from zoo.exploring.latent_explorer import LatentExplorer, Point
from zoo.training.projecting import Procedure

pytestmark = pytest.mark.leaky


@pytest.fixture(scope="module")
def explorer(finished: zoo.Run) -> LatentExplorer:
    return LatentExplorer(zoo.load(finished.path))


@pytest.fixture(scope="module")
def translating(tmp_path_factory: pytest.TempPathFactory) -> zoo.Run:
    """A run of one step that turns edges to images."""
    folder = tmp_path_factory.mktemp("translating")
    return edges_run(folder, np.random.default_rng(1).integers(0, 256, (40, 8, 8, 3), dtype=np.uint8))


def test_samples_are_those_that_other_commands_make(finished: zoo.Run, explorer, zoo_command):
    np.testing.assert_array_equal(explorer.sample(Point(3)), finished.sample(seeds=[3])[0])
    np.testing.assert_array_equal(explorer.samples(Point(), [3, 5]), finished.sample(seeds=[3, 5]))
    shortened = finished.sample(seeds=[4], truncation=0.5)[0]
    np.testing.assert_array_equal(explorer.sample(Point(4, truncation=0.5)), shortened)
    np.testing.assert_array_equal(explorer.walk(Point(), [0, 1], 5, False), finished.interpolate([0, 1], 5))
    for point in (Point(4, truncation=0.5), Point(2, amounts={"GANSpace 1": 2.0, "SeFa 2": -1.0})):
        explorer.save(point, Path())
        words = explorer.command(point).split()
        assert words[:3] == ["zoo", "sample", str(finished.path)]
        assert zoo_command(*words[1:], "--out", "made.npy").code == 0
        np.testing.assert_array_equal(np.load("made.npy")[0], explorer.sample(point))


def test_a_slider_moves_the_latents_along_its_direction(finished: zoo.Run, explorer):
    assert {name.split()[0] for name in explorer.directions} == {"Jacobian", "SeFa", "GANSpace"}  # there are no labels
    latents = ops.convert_to_numpy(finished.sampler.latents(1, 2))
    for name, direction in explorer.directions.items():
        assert np.linalg.norm(direction) == pytest.approx(1, rel=1e-4)
        moved = finished.sample(latents=(latents + 3 * direction).astype("float32"), seed=2)[0]
        np.testing.assert_array_equal(explorer.sample(Point(2, amounts={name: 3.0})), moved)
    first = finished.sampler.generator.trainable_variables[0]  # the kernel of the first layer, (Z, units)
    changes = [np.linalg.norm(explorer.directions[f"SeFa {n}"] @ ops.convert_to_numpy(first)) for n in (1, 2, 3)]
    assert changes == sorted(changes, reverse=True)


def test_an_image_is_projected_and_explored_from_there(finished: zoo.Run, explorer):
    image = finished.sample(seeds=[7])[0]
    Image.fromarray(image[..., 0]).save("image.png")
    found, given, made = explorer.project(Path("image.png"), Procedure(steps=5, features=0))
    np.testing.assert_array_equal(given, image)
    reached = Point(latents=found.latents)
    np.testing.assert_array_equal(explorer.sample(reached), made)
    assert explorer.command(reached).endswith("--latents explored.npz")
    explorer.save(reached, Path())
    np.testing.assert_array_equal(finished.sample(latents="explored.npz")[0], made)


def test_translations_are_those_of_zoo_translate(translating: zoo.Run):
    explorer = DrawnExplorer(translating)
    target = explorer.first
    assert (explorer.ways, explorer.classes, explorer.attributes, explorer.has_tasks) == (["samples"], [], [], True)
    assert explorer.ground(target) == 0  # edges are white on black
    example = explorer.example(3, target)
    given, made = explorer.translated(example, target)
    np.testing.assert_array_equal(given, example.pixels)
    np.testing.assert_array_equal(made, translating.translate(example.pixels[None])[0])
    canvas = Image.new("RGB", (80, 80))
    canvas.paste("white", (20, 0, 30, 80))  # a line down the third column
    canvas.save("drawing.png")
    drawn = explorer.drawn(Path("drawing.png").read_bytes(), target)
    assert drawn.pixels[..., 0].tolist() == [[0, 0, 255, 0, 0, 0, 0, 0]] * 8
    samples = explorer.example(3, Target(from_samples=True))
    np.testing.assert_allclose(explorer.translated(samples, Target(from_samples=True))[0], given, atol=1)
    Path("notes.png").write_text("no image")
    with pytest.raises(ZooError, match=r"notes\.png can't be read as an image"):
        explorer.read(Path("notes.png"), target)


def test_what_can_not_be_explored_is_said(translating: zoo.Run, finished: zoo.Run, monkeypatch, zoo_command):
    with pytest.raises(ZooError, match="makes samples of data: it has no latents to explore"):
        LatentExplorer(translating)
    with pytest.raises(ZooError, match="makes images of latents"):
        DrawnExplorer(finished)
    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    refused = zoo_command("explore", finished.path)
    assert (refused.code, refused.err) == (
        2, "Error: The page needs Gradio: pip install 'gan-zoo[explore]'. zoo export --format html needs nothing.\n"
    )  # fmt: skip


@pytest.mark.usefixtures("pages_served")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Gradio's
def test_the_command_serves_the_page_until_ctrl_c(finished: zoo.Run, zoo_command, monkeypatch, capsys):
    pytest.importorskip("gradio")
    seen = {}

    def looked() -> None:
        seen["address"] = capsys.readouterr().out.split()[0]
        seen["files"] = Path(os.environ[serving.FOLDER])
        with urllib.request.urlopen(seen["address"]) as answer:
            seen["page"] = answer.read().decode()
        raise KeyboardInterrupt

    monkeypatch.setattr(serving, "wait", looked)
    assert zoo_command("explore", finished.path).code == 0
    assert seen["address"].startswith("http://127.0.0.1:")
    assert "Explore vanilla" in seen["page"]
    assert not seen["files"].exists()
    assert serving.FOLDER not in os.environ
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(seen["address"])
