import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from inception_weights import random_images
from keras import ops

from zoo.base.progress import Silent
from zoo.errors import ZooError
from zoo.evaluation.extractors.contract import Extractor
from zoo.evaluation.extractors.efficientnet_lite0 import extractor
from zoo.feature_networks import efficientnet_lite0
from zoo.feature_networks.efficientnet import FILE, SHA256

GOLDEN = Path(__file__).with_name("golden") / "efficientnet.npz"
CLOSE = {"rtol": 1e-4, "atol": 1e-4}
ON_JAX = """
import numpy, sys
from inception_weights import random_images
from zoo.evaluation.extractors.efficientnet_lite0 import extractor
from zoo.base.progress import Silent
network = extractor(None, None, Silent())
network.batch_size = 2  # no more images are compared
numpy.save(sys.argv[1], network.features(random_images()["gray"]).features)
"""


@pytest.fixture(scope="module")
def network() -> Extractor:
    return extractor(None, None, Silent())


@pytest.mark.parametrize("name", ["gray", "small", "exact", "large"])
def test_features_and_logits_are_those_of_the_same_network_in_pytorch(name: str, network: Extractor) -> None:
    found = network.features(random_images()[name])
    with np.load(GOLDEN) as golden:
        np.testing.assert_allclose(found.features, golden[f"{name}/features"], **CLOSE)
        np.testing.assert_allclose(found.logits, golden[f"{name}/logits"], rtol=1e-3, atol=1e-3)


@pytest.mark.long
def test_features_are_the_same_on_jax(tmp_path: Path) -> None:
    here = str(Path(__file__).parent)
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join([here, *sys.path])}
    subprocess.run([sys.executable, "-c", ON_JAX, str(tmp_path / "jax.npy")], env=environment, check=True)
    with np.load(GOLDEN) as golden:
        np.testing.assert_allclose(np.load(tmp_path / "jax.npy"), golden["gray/features"], **CLOSE)


@pytest.fixture(scope="module")
def gray_network() -> keras.Model:
    return efficientnet_lite0((28, 28, 1), size=64)


def test_a_plugin_gets_the_features_that_scores_are_measured_in(network: Extractor) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype="uint8")
    model = efficientnet_lite0((224, 224, 3))
    found = model(images.astype("float32") / 127.5 - 1)
    np.testing.assert_allclose(found["features"], network.features(images).features, **CLOSE)
    shapes = {name: each.shape[1:] for name, each in model.output.items() if name.startswith("stride")}
    assert shapes == {
        "stride_4": (56, 56, 24), "stride_8": (28, 28, 40), "stride_16": (14, 14, 112), "stride_32": (7, 7, 320),
    }  # fmt: skip
    assert model.trainable_variables == []


def test_its_gradient_by_the_samples_is_that_of_finite_differences(gray_network: keras.Model) -> None:
    draw = np.random.default_rng(0)
    samples, direction = draw.uniform(-0.3, 0.3, (1, 28, 28, 1)), draw.normal(size=(1, 28, 28, 1))
    head = draw.normal(size=1280).astype("float32")

    def along(step: float) -> np.ndarray:
        features = gray_network((samples + step * direction).astype("float32"))["features"]
        return ops.convert_to_numpy(features).astype("float64") @ head

    moved = tf.Variable(samples.astype("float32"))
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(gray_network(moved)["features"] * head)
    slope = np.sum(tape.gradient(value, moved).numpy() * direction)
    step = 1e-4  # shorter than from one kink of ReLU6 to the next, longer than what float32 rounds
    assert (along(step) - along(-step)) / (2 * step) == pytest.approx([slope], rel=2e-2)


@pytest.mark.parametrize(
    ("shape", "message"), [((2,), "images"), ((64, 64, 4), "1 or 3 channels"), ((28, 28, 1), "at least 32 pixels")]
)
def test_samples_that_it_cannot_see_are_refused(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ZooError, match=message):
        efficientnet_lite0(shape)


def test_it_says_what_its_scores_are_measured_by(network: Extractor) -> None:
    assert (network.name, network.sha256) == ("efficientnet-lite0", SHA256)
    assert network.preparation == (
        "clean: antialiased bicubic on floats to 224 px, (x - 127) / 128, gray repeated to RGB, opacity over white"
    )


def test_a_copy_of_the_weights_may_be_named_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    data = bytearray(FILE.read_bytes())
    copy = tmp_path / "copy.pth"
    copy.write_bytes(data)
    assert extractor("clean", copy, Silent()).sha256 == SHA256
    data[len(data) // 2] ^= 1
    copy.write_bytes(data)
    with pytest.raises(ZooError, match=f"damaged or other ones.* expected {SHA256}"):
        extractor("clean", copy, Silent())


def test_another_preparation_is_refused() -> None:
    with pytest.raises(ZooError, match=r"Unknown preparation of efficientnet-lite0: 'tf1'\. Available: clean\."):
        extractor("tf1", None, Silent())
