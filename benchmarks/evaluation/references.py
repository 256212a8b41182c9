"""Scores of real images and of noise on a dataset's test split, between which a generator's scores lie.

    python -m benchmarks.evaluation.references [--dataset fashion_mnist] [--data-dir DIR] [--out FOLDER]

Writes `training_images.json` (as many of the training images, of which every one is a copy by definition) and
`noise.json` (uniform noise), as `zoo evaluate` writes them.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

import zoo
from zoo.catalogue import read_catalogue
from zoo.cli.evaluation_printing import evaluated
from zoo.data import open_dataset
from zoo.evaluation.evaluation_file import EvaluationFile
from zoo.evaluation.options import SAMPLES

NOISE_SEED = 1


def main() -> None:
    """Scores both, prints and writes the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="fashion_mnist")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/evaluation"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    training = open_dataset(arguments.dataset, read_catalogue(), data_dir=arguments.data_dir)
    noise = np.random.default_rng(NOISE_SEED).integers(0, 256, (arguments.samples, *training.sample_shape), np.uint8)
    options = zoo.EvaluationOptions(samples=arguments.samples, data_dir=arguments.data_dir)
    for name, samples in (("training_images", training.samples), ("noise", noise)):
        with tempfile.TemporaryDirectory() as folder:
            np.save(Path(folder) / f"{name}.npy", samples)
            found = zoo.evaluate(Path(folder) / f"{name}.npy", dataset=arguments.dataset, options=options)
        found[0]["scored"] = (
            f"{name.replace('_', ' ')} of {arguments.dataset}"  # replaces the temporary folder, which is gone
        )
        EvaluationFile(arguments.out / f"{name}.json").write(found)
        print(evaluated(found))


if __name__ == "__main__":
    main()
