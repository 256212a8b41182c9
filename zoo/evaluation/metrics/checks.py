"""Checks of the arrays that a metric reads, with errors in sentences; arrays may be memory maps."""

from collections.abc import Iterator

import numpy as np

from zoo.errors import ZooError
from zoo.evaluation.metrics.contract import Compared

VALUES_AT_ONCE = 2**22  # 32 MiB as float64: what is read and turned at once of an array that may not fit in memory


def parts(array: np.ndarray) -> Iterator[slice]:
    """Slices of the first axis, each of about VALUES_AT_ONCE values."""
    rows = max(1, VALUES_AT_ONCE // max(1, array[:1].size))
    for start in range(0, len(array), rows):
        yield slice(start, min(start + rows, len(array)))


def present(array: np.ndarray | None, what: str) -> np.ndarray:
    """The array; raises ZooError where nothing measured it."""
    if array is None:
        raise ZooError(f"This metric needs {what}, and there are none: ask for an extractor or data that have them.")
    return array


def check_vectors(vectors: np.ndarray, what: str, smallest: int = 2, varied: bool = True) -> None:
    """Raises ZooError unless `vectors` is (N, F) of finite numbers, N at least `smallest`; `varied`: not all equal."""
    if vectors.ndim != 2 or vectors.shape[1] == 0:
        raise ZooError(f"Expected {what} of shape (samples, numbers of each); received {vectors.shape}.")
    if len(vectors) < smallest:
        raise ZooError(f"Expected at least {smallest} {what}; received {len(vectors)}: take more samples.")
    varies = False
    for part in parts(vectors):
        values = np.asarray(vectors[part])
        broken = ~np.isfinite(values).all(axis=1)
        if broken.any():
            raise ZooError(f"Row {part.start + int(np.argmax(broken))} of the {what} holds a value that is not finite.")
        varies = varies or bool((values != vectors[0]).any())
    if varied and not varies:
        raise ZooError(f"All {len(vectors):,} {what} are the same one: there is no distribution to compare.")


def check_both(real: np.ndarray, fake: np.ndarray, what: str = "features", smallest: int = 2) -> None:
    """Raises ZooError unless both sides are usable and of one width."""
    check_vectors(real, f"real {what}", smallest)
    check_vectors(fake, f"generated {what}", smallest)
    if real.shape[1] != fake.shape[1]:
        raise ZooError(
            f"Expected real and generated {what} of one width; received {real.shape[1]} and {fake.shape[1]}: "
            "measure both with one extractor."
        )


def features_of(compared: Compared, smallest: int) -> tuple[np.ndarray, np.ndarray]:
    """Real (N, F) and generated (M, F) features; raises ZooError unless usable, and `smallest` of either."""
    real = present(compared.real.features, "features")
    fake = present(compared.fake.features, "features")
    check_both(real, fake, smallest=smallest)
    return real, fake


def check_images(images: np.ndarray, what: str, smallest: int = 2, side: int = 1) -> None:
    """Raises ZooError unless `images` is uint8 (N, H, W, C), N at least `smallest`, H and W at least `side` pixels."""
    if images.ndim != 4 or images.dtype != np.uint8:
        raise ZooError(
            f"Expected {what} as uint8 of shape (samples, height, width, channels); "
            f"received {images.dtype} of shape {images.shape}."
        )
    if len(images) < smallest:
        raise ZooError(f"Expected at least {smallest} {what}; received {len(images)}: take more samples.")
    if min(images.shape[1:3]) < side:
        raise ZooError(f"Expected {what} of at least {side} x {side} pixels; received {images.shape[1:3]}.")


def check_same_shape(real: np.ndarray, fake: np.ndarray) -> None:
    """Raises ZooError unless samples of the two sides are of one shape."""
    if real.shape[1:] != fake.shape[1:]:
        raise ZooError(f"Expected samples of one shape; received {real.shape[1:]} real and {fake.shape[1:]} generated.")
