import os
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import keras
import numpy as np
import pytest
from inception_weights import random_images, random_weights

from zoo.base.progress import Silent
from zoo.base.weights import INCEPTION
from zoo.errors import ZooError
from zoo.evaluation.extractors import inception
from zoo.evaluation.extractors.inception import BATCHES, PREPARATIONS, built, extractor
from zoo.evaluation.extractors.network import Network

GOLDEN = Path(__file__).with_name("golden") / "inception.npz"
CLOSE = {"rtol": 1e-5, "atol": 1e-4}  # features are of the order of 1
COMPARED = [*((kind, name) for kind in PREPARATIONS for name in ("gray", "large")), ("tf1", "small"), ("tf1", "exact")]
ON_JAX = """
import numpy, sys
from inception_weights import random_images, random_weights
from zoo.evaluation.extractors.inception import PREPARATIONS, built
from zoo.evaluation.extractors.network import Network
made = Network("random", "", built(random_weights()), PREPARATIONS["tf1"], 2).features(random_images()["gray"])
numpy.savez(sys.argv[1], features=made.features, logits=made.logits)
"""
Networks = Callable[[str], Network]


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return built(random_weights())


@pytest.fixture(scope="module")
def networks(model: keras.Model) -> Networks:
    """The network with random weights, by the way of its preparation."""
    made = {kind: Network("random", "0" * 64, model, preparing, 2) for kind, preparing in PREPARATIONS.items()}
    return made.__getitem__


@pytest.mark.parametrize(("kind", "name"), COMPARED)
def test_features_are_those_of_the_reference(kind: str, name: str, networks: Networks) -> None:
    with np.load(GOLDEN) as golden:
        found = networks(kind).features(random_images()[name])
        np.testing.assert_allclose(found.features, golden[f"{name}/{kind}"], **CLOSE)
        if kind == "tf1":
            np.testing.assert_allclose(found.logits, golden[f"{name}/logits"], **CLOSE)


def test_the_three_preparations_differ_by_more_than_the_comparison_allows() -> None:
    with np.load(GOLDEN) as golden:
        ways = [golden[f"gray/{kind}"] for kind in PREPARATIONS]
    for one, other in pairwise(ways):
        assert np.abs(one - other).max() > 100 * CLOSE["atol"]


@pytest.mark.long
def test_features_are_the_same_on_jax(tmp_path: Path) -> None:
    here = str(Path(__file__).parent)
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join([here, *sys.path])}
    subprocess.run([sys.executable, "-c", ON_JAX, str(tmp_path / "jax.npz")], env=environment, check=True)
    with np.load(GOLDEN) as golden, np.load(tmp_path / "jax.npz") as found:
        np.testing.assert_allclose(found["features"], golden["gray/tf1"], **CLOSE)
        np.testing.assert_allclose(found["logits"], golden["gray/logits"], **CLOSE)


def test_an_image_has_the_same_features_in_any_company(networks: Networks) -> None:
    images = np.concatenate([random_images()["gray"], random_images()["gray"][:, ::-1]])
    whole = networks("tf1").features(images[:3])
    assert whole.features.shape == (3, 2048)
    assert whole.logits is not None
    assert whole.logits.shape == (3, 1008)
    np.testing.assert_allclose(networks("tf1").features(images[2:]).features[0], whole.features[2], **CLOSE)


def test_gray_and_the_same_as_rgb_and_as_opaque_rgba_are_one(networks: Networks) -> None:
    gray = random_images()["gray"]
    opaque = np.full_like(gray, 255)
    of_gray = networks("tf1").features(gray).features
    for other in (gray.repeat(3, axis=-1), np.concatenate([gray.repeat(3, axis=-1), opaque], axis=-1)):
        np.testing.assert_allclose(networks("tf1").features(other).features, of_gray, **CLOSE)


def test_what_can_be_seen_through_is_seen_before_white() -> None:
    image = np.full((1, 299, 299, 4), (200, 100, 0, 51), "uint8")  # a fifth of opacity
    prepared = keras.ops.convert_to_numpy(PREPARATIONS["tf1"].prepared(image))
    np.testing.assert_allclose(prepared[0, 0, 0] * 128 + 128, [244, 224, 204], rtol=1e-6)


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (np.zeros((2, 8, 8, 3), "float32"), r"\(2, 8, 8, 3\) of float32"),
        (np.zeros((2, 8, 8, 2), "uint8"), r"\(2, 8, 8, 2\) of uint8"),
        (np.zeros((8, 8, 3), "uint8"), r"\(8, 8, 3\) of uint8"),
        (np.zeros((0, 8, 8, 3), "uint8"), r"\(0, 8, 8, 3\) of uint8"),
    ],
)
def test_what_is_no_batch_of_images_is_refused(images: np.ndarray, said: str, networks: Networks) -> None:
    with pytest.raises(ZooError, match=f"'random' can't measure an array {said}. Expected uint8 images"):
        networks("tf1").features(images)


def test_features_that_are_not_finite_are_refused() -> None:
    inputs = keras.Input((299, 299, 3))
    broken = keras.Model(inputs, [keras.ops.log(-1 - keras.ops.mean(inputs, axis=(1, 2)) ** 2)] * 2)
    with pytest.raises(ZooError, match="'broken' gave features that are not finite"):
        Network("broken", "", broken, PREPARATIONS["tf1"], 1).features(np.zeros((1, 4, 4, 3), "uint8"))


@pytest.fixture
def random_file(monkeypatch: pytest.MonkeyPatch, model: keras.Model) -> None:
    """The published weights seem to be at hand."""
    monkeypatch.setattr(inception, "verified_file", lambda published, given, progress: given or Path("published.pth"))
    monkeypatch.setattr(inception, "read_tensors", lambda path: {})
    monkeypatch.setattr(inception, "built", lambda weights: model)


@pytest.mark.usefixtures("random_file")
def test_the_extractor_says_what_its_scores_are_measured_by() -> None:
    made = extractor(None, None, Silent())
    assert (made.name, made.sha256, made.batch_size) == ("inception", INCEPTION.sha256, BATCHES["cpu"])
    assert made.preparation == (
        "tf1: TF1 bilinear to 299 px, (x - 128) / 128, gray repeated to RGB, opacity over white"
    )
    assert extractor("pytorch", None, Silent()).preparation.startswith("pytorch: half-pixel bilinear")


def test_another_preparation_is_refused_before_anything_is_downloaded() -> None:
    with pytest.raises(ZooError, match=r"Unknown preparation of inception: 'bicubic'\. Available: clean, pytorch, tf1"):
        extractor("bicubic", None, Silent())


def test_weights_of_another_network_are_named_by_what_they_lack() -> None:
    with pytest.raises(ZooError, match=r"The weights lack 'Conv2d_1a_3x3\.bn\.weight'"):
        built({"conv1.weight": np.zeros((8, 3, 3, 3), "float32")})
