import json
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import yaml
from PIL import Image

import zoo
from zoo.runs.checkpoints import Checkpoints

Words = Callable[..., list[str]]


def test_a_run_leaves_the_files_of_the_design(finished: zoo.Run):
    names = {path.name for path in finished.path.iterdir()} - {".lock"}
    assert names == {"run.yaml", "goal.json", "metrics.jsonl", "samples", "checkpoints", "generator.keras"}
    assert [path.name for path in finished.directory.checkpoints.paths()] == [
        "step-00000049.npz",
        "step-00000056.npz",
        "step-00000060.npz",
    ]


def test_run_yaml_holds_everything_that_made_the_run(finished: zoo.Run, images: Path):
    record = yaml.safe_load((finished.path / "run.yaml").read_text())
    assert record["stack"] == "vanilla"
    assert record["plugins"] == [{"name": "vanilla", "module": "zoo_plugins.vanilla"}]
    assert record["dataset"]["name"] == str(images)
    assert record["dataset"]["count"] == 64
    assert len(record["dataset"]["fingerprint"]) == 64  # sha256
    assert record["seed"] == 0
    assert record["recipe"]["batch_size"] == 8
    assert record["recipe"]["generator_units"] == [8]
    assert record["recipe_sources"]["batch_size"] == "--set"
    assert record["recipe_sources"]["dropout"] == "vanilla"
    assert record["versions"]["keras"] == keras.__version__
    assert record["engine"]["backend"] == "tensorflow"


def test_every_line_of_metrics_counts_steps_images_and_seconds(finished: zoo.Run):
    lines = [json.loads(line) for line in (finished.path / "metrics.jsonl").read_text().splitlines()]
    assert [(line["step"], line["images"]) for line in lines] == [(50, 50 * 8), (60, 60 * 8)]  # the last is the end's
    assert 0 < lines[0]["seconds"] < lines[1]["seconds"]
    assert all({"discriminator_loss", "generator_loss"} < set(line) for line in lines)
    assert finished.metrics == lines


def test_pictures_are_grids_of_64_samples_at_steps_that_grow_by_a_quarter(finished: zoo.Run):
    pictures = finished.directory.pictures()
    steps = [int(path.stem.removeprefix("step-")) for path in pictures]
    assert steps == [0, 10, 12, 15, 19, 24, 30, 38, 47, 59, 60]
    with Image.open(pictures[-1]) as picture:
        side = 8 * (8 + 2) + 2  # eight images of 8 pixels, with gaps
        assert (picture.width % side, picture.height % side) == (0, 0)


def test_the_animation_shows_every_picture(finished: zoo.Run):
    with Image.open(finished.path / "samples" / "animation.webp") as animation:
        assert animation.n_frames == len(finished.directory.pictures()) > 1
        assert animation.is_animated


def test_generator_keras_holds_the_averaged_generator(finished: zoo.Run):
    model = keras.models.load_model(finished.path / "generator.keras")
    arrays, _ = Checkpoints(finished.path / "checkpoints").latest()
    averages = [arrays[name] for name in sorted(arrays) if name.startswith("average/")]
    raw = [arrays[name] for name in sorted(arrays) if name.startswith("generator/")]
    for weight, average in zip(model.trainable_variables, averages, strict=True):
        np.testing.assert_array_equal(weight.numpy(), average)
    assert not any(np.array_equal(average, weights) for average in averages for weights in raw)


def test_generator_keras_needs_nothing_but_keras(finished: zoo.Run):
    model = keras.models.load_model(finished.path / "generator.keras")
    assert {type(each).__module__.partition(".")[0] for each in model._flatten_layers()} == {"keras"}
    latents = finished.sampler.latents(4, seed=1)
    made = np.asarray(model(latents, training=False))
    np.testing.assert_allclose(made, finished.sampler.samples(latents), atol=1e-6)


def test_json_names_the_files_and_nothing_else_is_on_stdout(
    zoo_command, tiny_words: Words, finished: zoo.Run, tmp_path: Path
):
    result = zoo_command(*tiny_words("--steps", 2, "--out", tmp_path / "run", "--json"))
    assert result.code == 0
    summary = json.loads(result.out)
    for name in ("run", "samples", "animation", "checkpoint", "generator"):
        assert Path(summary[name]).exists()
    assert summary["metrics"]["step"] == zoo.load(Path(summary["run"])).metrics[-1]["step"]


def test_the_report_names_grid_checkpoint_and_the_next_commands(zoo_command, tiny_words: Words):
    result = zoo_command(*tiny_words("--steps", 2, "--seed", 5))
    assert result.code == 0
    (run,) = Path("runs").glob("vanilla/*/5")
    for expected in (run / "samples/step-00000002.png", run / "checkpoints/step-00000002.npz", f"zoo sample {run}"):
        assert str(expected) in result.out


def test_pictures_of_points_show_them_beside_the_real_ones(zoo_command, tmp_path: Path):
    words = ["--dataset", "ring8", "--set", "batch_size=8", "--set", "generator_units=8"]
    result = zoo_command("run", "vanilla", *words, "--steps", 1, "--out", tmp_path / "points")
    assert result.code == 0, result.err
    with Image.open(tmp_path / "points" / "samples" / "step-00000001.png") as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(maxcolors=1 << 20)}
    assert {(0xB8, 0xBF, 0xC6), (0xC2, 0x41, 0x0C)} < colours  # real ones grey, generated ones red


@pytest.mark.parametrize(
    ("budget", "steps"),
    [(["--images", 17], 3), (["--epochs", 0.25], 2), (["--epochs", 1, "--set", "critic_steps=4"], 2)],
)
def test_a_budget_of_images_or_epochs_is_rounded_up_to_steps(
    budget: list[object], steps: int, zoo_command, tiny_words: Words, tmp_path: Path
):
    result = zoo_command(*tiny_words(*budget, "--out", tmp_path / "run", "--json"))
    assert Path(json.loads(result.out)["checkpoint"]).name == f"step-{steps:08d}.npz"
