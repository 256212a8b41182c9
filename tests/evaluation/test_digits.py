"""The classifier of digits: what it reads, in stacks too, the weights that are installed, and the same on JAX."""

import json
import os
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import zoo
from zoo.errors import ZooError
from zoo.evaluation.extractors import digits
from zoo.evaluation.extractors.digits import DigitNetwork, extractor, named_variables, network, opened

BOX = 20  # pixels that a digit of MNIST fills
READ = 0.88  # at least, of another set of digits; an untrained network reads a tenth
NOTES = json.loads(digits.WEIGHTS.with_suffix(".json").read_text())
ON_JAX = """
import sys
import numpy as np
from zoo.evaluation.extractors.digits import WEIGHTS, opened
read = opened(WEIGHTS).features(np.load(sys.argv[1]))
np.savez(sys.argv[2], features=read.features, modes=read.modes)
"""


@pytest.fixture(scope="module")
def installed() -> DigitNetwork:
    return extractor(preparation=None, weights=None)


@pytest.fixture(scope="module")
def others() -> tuple[np.ndarray, np.ndarray]:
    """1,797 digits that other people wrote (Alpaydin and Kaynak 1998), 8 x 8 pixels, as MNIST would have them."""
    found = load_digits()
    images = np.zeros((len(found.images), digits.SIDE, digits.SIDE, 1), "uint8")
    edge = (digits.SIDE - BOX) // 2
    for image, pixels in zip(images, found.images, strict=True):
        small = Image.fromarray((pixels * 255 / 16).astype("uint8"))
        image[edge:-edge, edge:-edge, 0] = small.resize((BOX, BOX), Image.Resampling.BICUBIC)
    return images, found.target


def test_digits_of_another_collection_are_read(installed: DigitNetwork, others: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = others
    read = installed.features(images).modes
    assert np.mean(read == labels) > READ
    assert all(np.mean(read[labels == digit] == digit) > 0.5 for digit in range(10))


def test_logits_say_which_digit_and_features_are_what_they_are_computed_from(
    installed: DigitNetwork, others: tuple[np.ndarray, np.ndarray]
) -> None:
    read = installed.features(others[0][:7])
    assert (read.features.shape, read.logits.shape, read.modes.dtype) == ((7, 96), (7, 10), np.int64)
    kernel, bias = installed.model.get_layer("logits").get_weights()
    np.testing.assert_allclose(read.logits, read.features @ kernel + bias, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(read.modes, read.logits.argmax(axis=1))


def test_the_mode_of_a_stack_is_its_channels_digits_read_as_a_number(
    installed: DigitNetwork, others: tuple[np.ndarray, np.ndarray]
) -> None:
    chosen = np.random.default_rng(0).integers(len(others[0]), size=(100, 3))
    singles = installed.features(others[0])
    stacks = installed.features(np.stack([others[0][column, ..., 0] for column in chosen.T], axis=-1))
    expected = [int("".join(str(singles.modes[row]) for row in rows)) for rows in chosen]
    assert stacks.modes.tolist() == expected
    assert len(set(expected)) > 90
    np.testing.assert_allclose(stacks.features, singles.features[chosen].reshape(100, 3 * 96), rtol=1e-4, atol=1e-5)
    assert stacks.logits is None


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((2, 32, 32, 1), "uint8"),
        ((2, 28, 28, 4), "uint8"),
        ((28, 28, 1), "uint8"),
        ((0, 28, 28, 1), "uint8"),
        ((2, 28, 28, 1), "float32"),
    ],
)
def test_what_is_no_digit_is_refused(shape: tuple[int, ...], dtype: str, installed: DigitNetwork) -> None:
    expected = f"can't measure an array {shape} of {dtype}. Expected uint8 images (N, 28, 28, 1) of a digit, or (N, 28"
    with pytest.raises(ZooError, match=re.escape(expected)):
        installed.features(np.zeros(shape, dtype))


def test_a_resize_is_refused() -> None:
    with pytest.raises(ZooError, match=r"Unknown preparation of digits: 'clean'\. Available: none"):
        extractor(preparation="clean", weights=None)


def test_the_notes_are_those_of_the_installed_weights(installed: DigitNetwork) -> None:
    assert NOTES["sha256"] == installed.sha256 == sha256(digits.WEIGHTS.read_bytes()).hexdigest()
    assert NOTES["architecture"] == digits.ARCHITECTURE
    assert digits.WEIGHTS.stat().st_size < 150_000


def test_the_notes_say_that_the_test_digits_were_read() -> None:
    assert NOTES["test_digits"] == 10_000
    assert NOTES["test_accuracy"] >= 0.992
    assert np.mean(NOTES["test_accuracy_by_digit"]) == pytest.approx(NOTES["test_accuracy"], abs=0.001)


def test_weights_of_a_file_are_used(tmp_path: Path, others: tuple[np.ndarray, np.ndarray]) -> None:
    weights = {name: np.zeros(variable.shape) for name, variable in named_variables(network()).items()}
    weights["logits/bias"][4] = 1
    np.savez(tmp_path / "four.npz", **weights)
    read = extractor(preparation="none", weights=tmp_path / "four.npz").features(others[0][:5])
    assert read.modes.tolist() == [4] * 5


@pytest.mark.parametrize("content", [b"", b"no weights", None])
def test_a_file_without_weights_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ZooError, match=r"weights\.npz can't be read as weights of the extractor 'digits'"):
        opened(path)


def test_an_array_by_itself_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(ZooError, match=r"array\.npy can't be read as weights"):
        opened(tmp_path / "array.npy")


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    weights = {name: np.zeros(variable.shape) for name, variable in named_variables(network()).items()}
    np.savez(tmp_path / "other.npz", **weights | {"logits/bias": np.zeros(47)})
    with pytest.raises(ZooError, match="another network"):
        opened(tmp_path / "other.npz")


def test_a_run_in_bfloat16_leaves_the_network_in_float32(
    installed: DigitNetwork, others: tuple[np.ndarray, np.ndarray]
) -> None:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        inside = opened(digits.WEIGHTS).features(others[0][:10])
    finally:
        keras.config.set_dtype_policy(before)
    np.testing.assert_array_equal(inside.features, installed.features(others[0][:10]).features)


@pytest.mark.parametrize(("channels", "labelled"), [(1, True), (3, True), (1, False)])
def test_unnamed_metrics_are_those_that_its_answers_and_the_data_allow(
    others: tuple[np.ndarray, np.ndarray], tmp_path: Path, channels: int, labelled: bool
) -> None:
    stacks = np.concatenate([np.roll(others[0], shift, axis=0) for shift in range(channels)], axis=-1)
    numbers = np.arange(200) % 10**channels
    numbers[0] = 10**channels - 1
    labels = {"labels": numbers} if labelled else {}
    np.savez(tmp_path / "real.npz", samples=stacks[:200], **labels)
    np.save(tmp_path / "made.npy", stacks[200:400])
    options = zoo.EvaluationOptions(samples=200, extractor="digits")
    [found] = zoo.evaluate(tmp_path / "made.npy", against=tmp_path / "real.npz", options=options, progress=False)
    names = {score["name"] for score in found["scores"]}
    assert "fd_digits" in names
    assert ("is_digits" in names) == (channels == 1)
    assert ("modes" in names) == labelled


def test_a_metric_of_logits_says_that_stacks_have_none(others: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    np.save(tmp_path / "stacks.npy", np.repeat(others[0][:50], 3, axis=-1))
    options = zoo.EvaluationOptions(("is",), samples=50, extractor="digits")
    with pytest.raises(ZooError, match=r"'is' can't be measured here: 'digits' has none of such images\. Possible: f"):
        zoo.evaluate(tmp_path / "stacks.npy", against=tmp_path / "stacks.npy", options=options, progress=False)


@pytest.mark.long
def test_jax_reads_as_tensorflow_does(
    installed: DigitNetwork, others: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    np.save(tmp_path / "images.npy", others[0][:300])
    words = [sys.executable, "-c", ON_JAX, tmp_path / "images.npy", tmp_path / "read.npz"]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "KERAS_BACKEND": "jax"})
    assert done.returncode == 0, done.stderr
    here = installed.features(others[0][:300])
    with np.load(tmp_path / "read.npz") as there:
        np.testing.assert_allclose(there["features"], here.features, rtol=1e-3, atol=1e-4)
        np.testing.assert_array_equal(there["modes"], here.modes)
