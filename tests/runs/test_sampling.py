import json
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.base.pictures import to_uint8
from zoo.training.sampler import walk


def test_the_same_seed_draws_the_same_samples_and_another_seed_others(finished: zoo.Run, zoo_command):
    for name, seed in (("a.npy", 1), ("b.npy", 1), ("c.npy", 2)):
        assert zoo_command("sample", finished.path, "--count", 5, "--seed", seed, "--out", name).code == 0
    first, again, other = (np.load(name) for name in ("a.npy", "b.npy", "c.npy"))
    assert (first.dtype, first.shape) == (np.uint8, (5, 8, 8, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_more_samples_than_fit_into_one_chunk_all_differ(finished: zoo.Run):
    many = finished.sample(300, seed=4)
    assert many.shape == (300, 8, 8, 1)
    assert len(np.unique(many, axis=0)) == 300


def test_samples_come_from_the_averaged_generator(finished: zoo.Run):
    latents = finished.sampler.latents(3, 1)
    averaged = keras.models.load_model(finished.path / "generator.keras")
    np.testing.assert_array_equal(to_uint8(averaged(latents, training=False).numpy()), finished.sample(3, seed=1))
    assert (to_uint8(finished.generator(latents, training=False).numpy()) != finished.sample(3, seed=1)).any()


def test_npz_holds_the_samples_by_name(finished: zoo.Run, zoo_command):
    result = zoo_command("sample", finished.path, "--count", 3, "--out", "new/samples.npz", "--json")
    assert json.loads(result.out) == {"samples": "new/samples.npz"}
    with np.load("new/samples.npz") as archive:
        np.testing.assert_array_equal(archive["samples"], finished.sample(3))


def test_without_a_file_a_grid_goes_into_the_run_directory_beside_the_pictures(finished: zoo.Run, zoo_command):
    result = zoo_command("sample", finished.path, "--count", 9, "--seed", 3)
    path = finished.path / "samples" / "samples-seed-3.png"
    assert result.out == f"{path}\n"
    with Image.open(path) as picture:
        assert picture.width == picture.height
        assert picture.width % (3 * 10 + 2) == 0  # 3 x 3 images of 8 pixels, with gaps
    assert path not in finished.directory.pictures()  # resuming leaves it alone
    path.unlink()


def test_an_interpolation_walks_a_row_between_two_samples(finished: zoo.Run, zoo_command):
    assert zoo_command("sample", finished.path, "--interpolate", "--count", 20, "--out", "walk.npy").code == 0
    walks = np.load("walk.npy")
    assert walks.shape == (20, 8, 8, 1)
    ends = finished.sample(4)  # the ends are the samples of the same seed
    np.testing.assert_allclose(walks[[0, 9, 10, 19]].astype(int), ends.astype(int), atol=1)
    assert zoo_command("sample", finished.path, "--interpolate", "--count", 20, "--out", "walk.png").code == 0
    with Image.open("walk.png") as picture:
        assert picture.width * (2 * 10 + 2) == picture.height * (10 * 10 + 2)


def test_a_walk_keeps_to_the_arc_between_its_ends():
    points = walk(np.array([1.0, 0.0]), np.array([0.0, 1.0]), 3)
    np.testing.assert_allclose(points, [[1, 0], [np.sqrt(0.5), np.sqrt(0.5)], [0, 1]], atol=1e-12)
    np.testing.assert_allclose(walk(np.array([1.0, 0.0]), np.array([3.0, 0.0]), 3), [[1, 0], [2, 0], [3, 0]])


@pytest.mark.parametrize("name", ["samples.gif", "samples.txt"])
def test_a_file_of_another_kind_is_refused(name: str, finished: zoo.Run, zoo_command):
    result = zoo_command("sample", finished.path, "--out", name)
    assert result.code == 2
    assert f"Samples can't be written as '{name}'. Available: .png, .webp, .npy, .npz, .zip, a folder" in result.err
    assert not Path(name).exists()


def test_a_folder_with_one_run_in_it_is_enough_and_of_several_all_are_named(train, zoo_command):
    train(Path("runs/vanilla/images/0"), steps=1)
    assert zoo_command("sample", "runs", "--count", 1, "--out", "one.png").code == 0
    train(Path("runs/vanilla/images/1"), steps=1, seed=1)
    result = zoo_command("sample", "runs")
    assert result.code == 2
    assert "Available: runs/vanilla/images/0, runs/vanilla/images/1." in result.err


def test_a_run_without_a_checkpoint_says_so(finished: zoo.Run, zoo_command):
    Path("run").mkdir()
    Path("run/run.yaml").write_bytes((finished.path / "run.yaml").read_bytes())
    result = zoo_command("sample", "run")
    assert result.code == 2
    assert "The run run has no checkpoint yet. Continue it with zoo run." in result.err
