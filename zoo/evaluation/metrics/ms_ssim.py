"""Diversity by multi-scale similarity of pairs (Odena et al. 2017, section 4.2), https://arxiv.org/abs/1610.09585"""

from collections.abc import Sequence

import numpy as np

from zoo.evaluation.metrics.checks import check_images
from zoo.evaluation.metrics.contract import Compared, Metric, Score
from zoo.evaluation.metrics.draws import generator
from zoo.hookspecs import hookimpl

WINDOW = 11  # pixels
SIGMA = 1.5  # pixels
STABLE = (0.01 * 255) ** 2, (0.03 * 255) ** 2  # C1 and C2 for values to 255
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of scales, finest first (Wang et al. 2003)
PAIRS = 2000
PAIRS_AT_ONCE = 128
SMALLEST = 20


def scales(height: int, width: int) -> int:
    """How many halvings of an image still hold a window, the whole image counted: at most 5."""
    side, count = min(height, width), 1
    while count < len(WEIGHTS) and (side := (side + 1) // 2) >= WINDOW:
        count += 1
    return count


def window_matrix(side: int) -> np.ndarray:
    """float64 (side - 10, side): each row the Gaussian window at one place, where it fits whole."""
    window = np.exp(-np.square(np.arange(WINDOW) - WINDOW // 2) / (2 * SIGMA**2))
    rows = np.zeros((side - WINDOW + 1, side))
    for place, row in enumerate(rows):
        row[place : place + WINDOW] = window / window.sum()
    return rows


def halved(images: np.ndarray) -> np.ndarray:
    """Means of 2 x 2 pixels of (..., H, W); an odd side repeats its last pixels."""
    height, width = images.shape[-2:]
    padding = [(0, 0)] * (images.ndim - 2) + [(0, height % 2), (0, width % 2)]
    whole = np.pad(images, padding, "edge")
    return np.asarray(whole[..., ::2, ::2] + whole[..., 1::2, ::2] + whole[..., ::2, 1::2] + whole[..., 1::2, 1::2]) / 4


def similarity(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """SSIM (Wang et al. 2004) and its factor of contrast and structure, means over (..., H, W) of values to 255."""
    rows, columns = window_matrix(one.shape[-2]), window_matrix(one.shape[-1]).T

    def local(values: np.ndarray) -> np.ndarray:
        return np.asarray(rows @ values @ columns)

    mean, other_mean = local(one), local(other)
    product, squares = mean * other_mean, np.square(mean) + np.square(other_mean)
    luminance = (2 * product + STABLE[0]) / (squares + STABLE[0])
    spreads = local(np.square(one) + np.square(other)) - squares
    structure = (2 * (local(one * other) - product) + STABLE[1]) / (spreads + STABLE[1])
    return (luminance * structure).mean(axis=(-2, -1)), structure.mean(axis=(-2, -1))


def ms_ssim(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """float64 (N,), to 1 for equal images: MS-SSIM of uint8 images (N, H, W, C) pair by pair, the mean over channels.

    Images too small for five scales have fewer, with the first weights divided by their sum; the published five stay as
    they are, 1.0001 in all. Negative factors are 0, as in TensorFlow's.
    """
    count = scales(*one.shape[1:3])
    weights = np.array(WEIGHTS[:count])
    weights /= weights.sum() if count < len(WEIGHTS) else 1
    one, other = (np.moveaxis(each, -1, 1).astype("float64") for each in (one, other))
    result = np.ones(one.shape[:2])
    for scale, weight in enumerate(weights):
        whole, structure = similarity(one, other)
        result *= np.maximum(whole if scale == count - 1 else structure, 0) ** weight
        one, other = halved(one), halved(other)
    return np.asarray(result.mean(axis=1))


def pair_similarities(images: np.ndarray, seed: int = 0, pairs: int = PAIRS) -> np.ndarray:
    """MS-SSIM of random pairs, float64 (min(pairs, N // 2),); no image is in two, so that pairs are independent."""
    check_images(images, "images", side=WINDOW)
    pairs = min(pairs, len(images) // 2)
    order = generator(seed, "ms-ssim").permutation(len(images))[: 2 * pairs].reshape(pairs, 2)
    chunks = [order[start : start + PAIRS_AT_ONCE].T for start in range(0, pairs, PAIRS_AT_ONCE)]
    return np.concatenate([ms_ssim(images[one], images[other]) for one, other in chunks])


def measure(compared: Compared) -> Sequence[Score]:
    """`ms-ssim` of generated pairs, and `ms-ssim_real` of real ones: alike is right, more is less diverse."""
    sides = {"ms-ssim": compared.fake, "ms-ssim_real": compared.real}
    return [pair_score(name, pair_similarities(side.samples, compared.seed)) for name, side in sides.items()]


def pair_score(name: str, similarities: np.ndarray) -> Score:
    """The mean over pairs with its standard error."""
    deviation = float(similarities.std(ddof=1) / np.sqrt(len(similarities))) if len(similarities) > 1 else None
    value = float(similarities.mean())
    return (
        Score(name, value) if deviation is None else Score.normal(name, value, deviation, None, lowest=0.0, highest=1.0)
    )


METRIC = Metric(
    needs=frozenset({"images"}),
    smallest=SMALLEST,
    settings={"pairs": PAIRS},
    measure=measure,
    in_features=False,
)


@hookimpl
def metric() -> Metric:
    """The same for every evaluation."""
    return METRIC
