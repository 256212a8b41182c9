"""How near a translation comes to the real image: absolute error, PSNR, SSIM (Wang et al. 2004)"""

from collections.abc import Sequence

import numpy as np

from zoo.base.pictures import as_rgb, grid, stretched
from zoo.errors import ZooError
from zoo.evaluation.metrics.checks import check_images, check_same_shape
from zoo.evaluation.metrics.contract import Better, Compared, Metric, Pairs, Score
from zoo.evaluation.metrics.ms_ssim import SIGMA, WINDOW, similarity
from zoo.hookspecs import hookimpl

LARGEST = 255  # of a pixel's values
MOST_PSNR = 100.0  # dB, of equal images, which have an infinite one
AT_ONCE = 128  # images
SMALLEST = 2
SHOWN = 20  # rows of source, result, target


def absolute_errors(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """float64 (N,) in [0, 1]: the mean difference of pixels of uint8 images (N, H, W, C), of the largest value."""
    return np.asarray(np.abs(one.astype("float64") - other).mean(axis=(1, 2, 3)) / LARGEST)


def signal_to_noise(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """PSNR in dB, float64 (N,), at most 100: 10 log10(255^2 / mean squared difference)."""
    squared = np.square(one.astype("float64") - other).mean(axis=(1, 2, 3))
    with np.errstate(divide="ignore"):
        return np.minimum(10 * np.log10(LARGEST**2 / squared), MOST_PSNR)


def structural_similarities(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """SSIM, float64 (N,), to 1 for equal images: its mean over channels, in a Gaussian window of 11 pixels."""
    channels_first = (np.moveaxis(each, -1, 1).astype("float64") for each in (one, other))
    return np.asarray(similarity(*channels_first)[0].mean(axis=1))


MEASURES = {"l1": absolute_errors, "psnr": signal_to_noise, "ssim": structural_similarities}
BETTER: dict[str, Better] = {"l1": "lower", "psnr": "higher", "ssim": "higher"}


def mean_score(name: str, values: np.ndarray, better: Better) -> Score:
    """The mean over pairs with its standard error."""
    deviation = float(values.std(ddof=1) / np.sqrt(len(values)))
    return Score.normal(name, float(values.mean()), deviation, better)


def pairs_of(compared: Compared) -> Pairs:
    """What was translated, with the real images that belong to it; raises ZooError where they can't be compared."""
    pairs = compared.pairs
    if pairs is None:
        raise ZooError("This generator makes samples that belong to no real ones: there are no pairs to measure.")
    check_images(pairs.made, "translations")
    check_same_shape(pairs.targets, pairs.made)
    return pairs


def measure(compared: Compared) -> Sequence[Score]:
    """`l1`, `psnr`, and `ssim` where images hold its window."""
    pairs = pairs_of(compared)
    names = [name for name in MEASURES if name != "ssim" or min(pairs.made.shape[1:3]) >= WINDOW]
    values: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for start in range(0, len(pairs.made), AT_ONCE):
        one, other = (np.asarray(each[start : start + AT_ONCE]) for each in (pairs.made, pairs.targets))
        for name in names:
            values[name].append(MEASURES[name](one, other))
    return [mean_score(name, np.concatenate(values[name]), BETTER[name]) for name in names]


def picture(compared: Compared) -> object:
    """Rows of source, result and target."""
    pairs = pairs_of(compared)
    columns = [pairs.sources[:SHOWN], pairs.made[:SHOWN], pairs.targets[:SHOWN]]
    shown = np.stack([stretched(as_rgb(each), pairs.made.shape[1:3]) for each in columns], axis=1)
    return grid(shown.reshape(-1, *shown.shape[2:]), columns=3 * 4)


METRIC = Metric(
    needs=frozenset({"images", "pairs"}),
    smallest=SMALLEST,
    settings={"range": LARGEST, "most_psnr": MOST_PSNR, "ssim_window": WINDOW, "ssim_sigma": SIGMA},
    measure=measure,
    in_features=False,
    picture=picture,
)


@hookimpl
def metric() -> Metric:
    """The same for every evaluation."""
    return METRIC
