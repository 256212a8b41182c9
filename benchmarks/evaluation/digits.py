"""Train the classifier of digits that evaluation reads MNIST and Stacked MNIST with, and judge it on the test digits.

    python -m benchmarks.evaluation.digits [--data-dir DIR] [--out FILE.npz]

Takes about 4 minutes on 2 cores. Writes the weights, by default those that the zoo ships, and beside them as JSON how
they were made and how well they read. What is judged is the file as written, its weights rounded to 16 bits.
"""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np

from benchmarks.common.machine import processor
from zoo.backend import chosen, prepare
from zoo.catalogue import read_catalogue
from zoo.data import DataOptions, Dataset, open_dataset
from zoo.evaluation.extractors.contract import Extractor

SEED = 0
EPOCHS = 10
BATCH = 128  # images
LEARNING_RATE = 4e-3  # Adam's initial rate, which decays to 0 along a cosine
SHIFT = 2  # pixels, in either direction, at most


def main() -> None:
    """Trains the classifier, writes its weights, evaluates it, and records its origin."""
    prepare()  # imports TensorFlow quietly, before Keras would do so
    from zoo.evaluation.extractors.digits import WEIGHTS, opened

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    arguments = parser.parse_args()

    train, test = (
        open_dataset("mnist", read_catalogue(), data_dir=arguments.data_dir, options=DataOptions(split=split))
        for split in ("train", "test")
    )
    began = time.monotonic()
    write_trained(train, arguments.out)
    seconds = round(time.monotonic() - began)
    extractor = opened(arguments.out)
    report = judged(extractor, test) | made_of(train, test, seconds) | {"sha256": extractor.sha256}
    arguments.out.with_suffix(".json").write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


def write_trained(train: Dataset, path: Path) -> None:
    """Trains the classifier on digits that are shifted anew in each epoch, and writes its weights."""
    import keras

    from zoo.evaluation.extractors.digits import PREPARATION, named_variables, network

    keras.utils.set_random_seed(SEED)
    whole = network()
    classifier = keras.Model(whole.input, whole.outputs[1])
    steps = EPOCHS * -(-train.count // BATCH)
    classifier.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    draw = np.random.default_rng(SEED)
    for epoch in range(EPOCHS):
        images = keras.ops.convert_to_numpy(PREPARATION.prepared(shifted(np.asarray(train.samples), draw)))
        classifier.fit(images, train.labels, batch_size=BATCH, initial_epoch=epoch, epochs=epoch + 1, verbose=2)
    weights = {name: np.asarray(variable).astype("float16") for name, variable in named_variables(whole).items()}
    np.savez_compressed(path, **weights)


def shifted(images: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Images (N, H, W, 1), each moved by up to SHIFT pixels along both axes, over black."""
    padded = np.pad(images[..., 0], ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, images.shape[1:3], axis=(1, 2))
    down, right = draw.integers(0, 2 * SHIFT + 1, (2, len(images)))
    return windows[np.arange(len(images)), down, right][..., None]


def judged(extractor: Extractor, test: Dataset) -> dict[str, object]:
    """The share of test digits that are read right, of all and of each digit."""
    read = extractor.features(np.asarray(test.samples)).modes
    right = read == test.labels
    return {
        "test_digits": test.count,
        "test_accuracy": round(float(right.mean()), 4),
        "test_accuracy_by_digit": [round(float(right[test.labels == digit].mean()), 4) for digit in range(10)],
    }


def made_of(train: Dataset, test: Dataset, seconds: int) -> dict[str, object]:
    """The versions that the weights depend on, and where and when they were made."""
    import keras

    from zoo.evaluation.extractors.digits import ARCHITECTURE

    return {
        "architecture": ARCHITECTURE,
        "training_digits": train.count,
        "data_fingerprints": {"train": train.fingerprint, "test": test.fingerprint},
        "command": "python -m benchmarks.evaluation.digits",
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores of {processor()}",
        "versions": f"Keras {keras.__version__} on {chosen()}",
        "training_seconds": seconds,
    }


if __name__ == "__main__":
    main()
