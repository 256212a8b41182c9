"""One measurement in a process of its own, which prints its result as a line of JSON.

python -m benchmarks.evaluation.worker images '{"name": "efficientnet-lite0", "count": 512, "shape": [32, 32, 3]}'
"""

import importlib.util
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.meters import bytes_of, measured, peaks
from benchmarks.common.processes import ROOT
from zoo.backend import prepare
from zoo.base.progress import Silent
from zoo.catalogue import read_catalogue
from zoo.evaluation.extractors.contract import Extractor
from zoo.evaluation.extractors.lookup import open_extractor

RANDOM_INCEPTION = "inception, random weights"
RANDOM_WEIGHTS = ROOT / "tests/evaluation/inception_weights.py"
AT_ONCE = 1000  # images written
METRICS = ("fd", "kid")  # metrics of the memory measurements
FACTORS = 64  # latent factors of synthetic features


def images(name: str, count: int, shape: list[int]) -> dict[str, Any]:
    """Images/s of an extractor and what of the cores that takes, without building and compiling it."""
    extractor = by_name(name)
    drawn = np.random.default_rng(0).integers(0, 256, (count, *shape), dtype="uint8")
    extractor.features(drawn[: extractor.batch_size])

    def work() -> int:
        for start in range(0, count, extractor.batch_size):
            extractor.features(drawn[start : start + extractor.batch_size])
        return count

    return measured(work) | {"batch_size": extractor.batch_size, "cores": len(os.sched_getaffinity(0))}


def by_name(name: str) -> Extractor:
    """A registered extractor, or Inception without its published weights: speed does not depend on them."""
    if name != RANDOM_INCEPTION:
        return open_extractor(name, read_catalogue(), None, None, Silent())
    from zoo.evaluation.extractors.inception import BATCHES, DEFAULT, PREPARATIONS, built
    from zoo.evaluation.extractors.network import Network

    found = importlib.util.spec_from_file_location("inception_weights", RANDOM_WEIGHTS)
    if found is None or found.loader is None:
        raise SystemExit(f"{RANDOM_WEIGHTS} can't be imported.")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return Network(name, "", built(module.random_weights()), PREPARATIONS[DEFAULT], BATCHES["cpu"])


def memory(extractor: str, count: int, shape: list[int]) -> dict[str, Any]:
    """Peaks of an evaluation of `count` generated against as many real images, all on disk."""
    from zoo.evaluation.images import Images
    from zoo.evaluation.metrics.selection import every_metric
    from zoo.evaluation.task import EvaluationTask

    network = by_name(extractor)
    network.features(np.zeros((1, *shape), "uint8"))  # builds and compiles the network
    folder = Path(tempfile.mkdtemp())
    sides = {whose: on_disk(folder / f"{whose}.npy", count, shape, seed) for seed, whose in enumerate(("real", "fake"))}
    registered = every_metric(read_catalogue())
    task = EvaluationTask(
        real=Images(sides["real"], {"fingerprint": "drawn", "count": count}),
        metrics={name: registered[name] for name in METRICS},
        extractor=network,
        data_dir=folder,
    )
    before = {"anonymous_before": bytes_of("RssAnon"), "resident_before": bytes_of("VmRSS")}

    def work() -> int:
        task.score(Images(sides["fake"], {"count": count}), folder)
        return 2 * count

    try:
        return peaks(work) | before
    finally:
        shutil.rmtree(folder)


def on_disk(path: Path, count: int, shape: list[int], seed: int) -> np.ndarray:
    """uint8 noise (count, H, W, C), mapped."""
    draw = np.random.default_rng(seed)
    array = np.lib.format.open_memmap(path, "w+", np.uint8, (count, *shape))
    for start in range(0, count, AT_ONCE):
        part = array[start : start + AT_ONCE]
        part[:] = draw.integers(0, 256, part.shape, dtype="uint8")
    array.flush()
    return np.load(path, mmap_mode="r")


def frechet(count: int, width: int, rounds: int) -> dict[str, Any]:
    """The zoo's Fréchet distance and SciPy's way, by turns, each round beginning with the other."""
    from zoo.evaluation.metrics.frechet import frechet_distance

    draw = np.random.default_rng(0)
    mixed = draw.standard_normal((FACTORS, width)).astype("float32") / np.sqrt(FACTORS)
    real, fake = (made_up(draw, count, mixed, shift) for shift in (0.0, 0.05))
    ways: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {"zoo": frechet_distance, "scipy": by_matrix_root}
    found: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for number in range(rounds):
        for way in list(ways) if number % 2 == 0 else reversed(ways):
            began, busy = time.perf_counter(), time.process_time()
            value = ways[way](real, fake)
            spent = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - busy}
            found[way].append({"value": value} | spent)
    return {"count": count, "width": width, "rounds": found}


def made_up(draw: np.random.Generator, count: int, mixed: np.ndarray, shift: float) -> np.ndarray:
    """float32 (count, F), not below 0: a few factors that all features share, and noise, as pooled features have."""
    factors = draw.standard_normal((count, len(mixed))).astype("float32")
    noise = 0.3 * draw.standard_normal((count, mixed.shape[1])).astype("float32")
    return np.maximum(factors @ mixed + noise + np.float32(shift), 0)


def by_matrix_root(real: np.ndarray, fake: np.ndarray) -> float:
    """The distance by the root of a product of covariances, as pytorch-fid computes it."""
    from scipy.linalg import sqrtm

    means = [np.mean(side.astype("float64"), axis=0) for side in (real, fake)]
    covariances = [np.cov(side.astype("float64"), rowvar=False) for side in (real, fake)]
    root = sqrtm(covariances[0] @ covariances[1])
    apart = np.sum(np.square(means[0] - means[1]))
    return float(apart + sum(map(np.trace, covariances)) - 2 * np.trace(np.real(root)))


def main() -> None:
    """Runs the measurement, and prints its result."""
    prepare()
    measurement = {"images": images, "memory": memory, "frechet": frechet}[sys.argv[1]]
    print(json.dumps(measurement(**json.loads(sys.argv[2]))))


if __name__ == "__main__":
    main()
