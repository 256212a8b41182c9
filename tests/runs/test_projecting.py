"""The latents of images, found again."""

import json
import os
import signal

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.base.progress import Silent
from zoo.feature_networks import efficientnet_lite0
from zoo.training.projecting import Procedure, Projector


@pytest.fixture
def pictures(finished: zoo.Run) -> list[str]:
    """Two samples of the run as files."""
    for name, sample in zip(("one.png", "two.png"), finished.sample(seeds=[101, 102]), strict=True):
        Image.fromarray(sample[..., 0]).save(name)
    return ["one.png", "two.png"]


def test_samples_are_found_again_and_the_printed_distance_is_theirs(finished: zoo.Run, pictures, zoo_command):
    words = ("project", finished.path, *pictures, "--features", 0, "--steps", 150, "--out", "found.npz", "--json")
    done = json.loads(zoo_command(*words).out)
    assert [each["image"] for each in done["images"]] == pictures
    wanted = finished.sample(seeds=[101, 102])
    made = finished.sample(latents="found.npz")
    for each, one, other in zip(done["images"], wanted, made, strict=True):
        assert each["distance"] < each["first"]
        error = np.mean((one / 127.5 - other / 127.5) ** 2)
        assert each["distance"] == pytest.approx(error, abs=2e-4)  # samples are rounded to 8 bits
    ends, starts = ([each[name] for each in done["images"]] for name in ("distance", "first"))
    assert sum(ends) < sum(starts) / 4
    again = json.loads(zoo_command(*words).out)
    assert again == done
    with Image.open(done["picture"]) as picture:
        assert picture.width == picture.height


def test_the_distance_is_that_of_pixels_and_of_unit_features(finished: zoo.Run):
    projector = Projector(finished.sampler, Procedure(features=2.0))
    one, other = (finished.sample(seeds=[seed]) / np.float32(127.5) - 1 for seed in (1, 2))
    network = efficientnet_lite0((8, 8, 1), 64)
    wanted = np.mean((one - other) ** 2)
    for name in ("stride_8", "stride_16"):
        answers = [keras.ops.convert_to_numpy(network(each)[name])[0].astype("float64") for each in (one, other)]
        mine, its = (each / np.linalg.norm(each, axis=-1, keepdims=True) for each in answers)
        wanted += 2 * np.mean(np.sum((mine - its) ** 2, axis=-1))
    found = projector.distances(one, other, projector.maps(other))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(found), [wanted], rtol=1e-3)


def test_ctrl_c_keeps_the_best_so_far(finished: zoo.Run):
    class Pressing(Silent):
        def counting(self, what: str, done: int, total: int) -> None:
            if done == 50:
                os.kill(os.getpid(), signal.SIGINT)

    images = finished.sample(seeds=[101, 102])
    found = finished.project(images, Pressing(), steps=40, features=0)
    assert (found.interrupted, found.latents["latents"].shape, found.samples.shape) == (2, (2, 4), (2, 8, 8, 1))
    alone = finished.project(images[:1], steps=40, features=0)  # the first was finished
    np.testing.assert_array_equal(alone.latents["latents"], found.latents["latents"][:1])
    assert found.distances[1] <= found.first_distances[1]


def test_what_is_no_image_of_the_run_is_refused(finished: zoo.Run, zoo_command):
    with pytest.raises(zoo.ZooError, match=r"Expected images \(N, 8, 8, 1\)"):
        finished.project(np.zeros((1, 4, 4, 1), np.uint8))
    assert "There is no missing.png." in zoo_command("project", finished.path, "missing.png").err
