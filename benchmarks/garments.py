"""Judge runs on Fashion-MNIST by a classifier that never saw a generated image.

    python benchmarks/garments.py RUN... [--data-dir DIR] [--out FILE.json]

Trains a small convolutional classifier on the real training images (about 3 minutes on 2 cores), and prints for each
run, for real test images and for noise: how sure the classifier is, how the samples spread over the ten classes, and
how near a training image each sample lies. Recognisable garments come close to the real images' confidence; noise
shows what the measure says of images that are none.

This is no published metric. A classifier can be sure of an ugly sample, so look at the pictures too.
"""

import argparse
import json
import platform
import time
from pathlib import Path

import numpy as np

import zoo
from zoo.backend import prepare
from zoo.catalogue import read_catalogue
from zoo.data import DataOptions, Dataset, open_dataset

DATASET = "fashion_mnist"
SAMPLES = 5000  # of each run
EPOCHS = 3
SURE = 0.9  # the confidence from which a sample counts as sure


def main() -> None:
    """Train, judge, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()

    prepare()  # before Keras imports TensorFlow, loudly
    runs = [zoo.load(path) for path in arguments.runs]
    train, test = (
        open_dataset(DATASET, read_catalogue(), data_dir=arguments.data_dir, options=DataOptions(split=split))
        for split in ("train", "test")
    )
    classifier, accuracy = trained_classifier(train, test)
    noise = np.random.default_rng(0).integers(0, 256, (SAMPLES, *test.sample_shape), dtype=np.uint8)
    rows = {"real test images": np.asarray(test.samples[:SAMPLES]), "uniform noise": noise}
    rows |= {run.record["stack"]: run.sample(SAMPLES, seed=1) for run in runs}
    report = {
        "command": f"python benchmarks/garments.py {' '.join(map(str, arguments.runs))}",
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{platform.system()} {platform.machine()}",
        "samples": SAMPLES,
        "classifier_test_accuracy": accuracy,
        "classes": list(train.class_names),
        "rows": {name: judged(classifier, images, train) for name, images in rows.items()},
    }
    for name, row in report["rows"].items():
        print(
            f"{name:<18} confidence {row['mean_confidence']:.3f}  sure {row['share_sure']:.1%}  "
            f"classes {row['effective_classes']:.1f}  copies {row['share_copies']:.2%}  {row['histogram']}"
        )
    if arguments.out:
        arguments.out.write_text(json.dumps(report, indent=1) + "\n")


def trained_classifier(train: Dataset, test: Dataset) -> tuple[object, float]:
    """A small CNN trained on the real training images, and its accuracy on the test images."""
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    classifier = keras.Sequential(
        [
            keras.Input(train.sample_shape),
            layers.Rescaling(1 / 255),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.4),
            layers.Dense(128, activation="relu"),
            layers.Dense(len(train.class_names), activation="softmax"),
        ]
    )
    classifier.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    classifier.fit(np.asarray(train.samples), train.labels, batch_size=128, epochs=EPOCHS, verbose=2)
    return classifier, float(classifier.evaluate(np.asarray(test.samples), test.labels, verbose=0)[1])


def judged(classifier: object, images: np.ndarray, train: Dataset) -> dict[str, object]:
    """What the classifier says of uint8 images, and how many are near-copies of training images."""
    probabilities = classifier.predict(images, batch_size=512, verbose=0)  # type: ignore[attr-defined]
    confidence, chosen = probabilities.max(axis=1), probabilities.argmax(axis=1)
    histogram = np.bincount(chosen, minlength=probabilities.shape[1])
    shares = histogram[histogram > 0] / len(images)
    return {
        "mean_confidence": round(float(confidence.mean()), 4),
        "share_sure": round(float((confidence > SURE).mean()), 4),
        "histogram": histogram.tolist(),
        "effective_classes": round(float(np.exp(-(shares * np.log(shares)).sum())), 2),  # 10 where all are equal
        "share_copies": share_of_copies(images[:1000], train),
    }


def share_of_copies(images: np.ndarray, train: Dataset, nearer_than: float = 2.0) -> float:
    """The share of images whose nearest training image is nearer than a pixel distance (L2, pixels in [0, 1])."""
    real = np.asarray(train.samples).reshape(train.count, -1).astype("float32") / 255
    ours = images.reshape(len(images), -1).astype("float32") / 255
    lengths = (ours**2).sum(axis=1)
    chunks = [real[start : start + 5000] for start in range(0, len(real), 5000)]  # to bound memory
    squares = [((chunk**2).sum(axis=1)[:, None] - 2 * chunk @ ours.T + lengths).min(axis=0) for chunk in chunks]
    nearest = np.min(squares, axis=0)
    return round(float((np.sqrt(np.maximum(nearest, 0)) < nearer_than).mean()), 4)


if __name__ == "__main__":
    main()
