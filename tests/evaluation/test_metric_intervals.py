"""An interval ends where the range of its score ends."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from zoo.evaluation.metrics import density_coverage, inception_score, kernel, modes, ms_ssim, precision_recall
from zoo.evaluation.metrics.contract import Compared, Score, Side
from zoo.evaluation.metrics.intervals import of_ten

RANGES = {
    "precision": (0, 1), "recall": (0, 1), "coverage": (0, 1), "density": (0, np.inf), "is": (1, 3),
    "ms-ssim": (0, 1), "ms-ssim_real": (0, 1), "modes": (0, 12), "kl": (0, np.log(12)), "kid": (-np.inf, np.inf),
}  # fmt: skip


def few(seed: int) -> Compared:
    """So few samples that intervals are wide."""
    draw = np.random.default_rng(seed)
    images = draw.integers(0, 256, (24, 16, 16, 1), dtype=np.uint8)
    images[:, 2:] = images[:1, 2:]  # nearly alike
    logits = 9 * np.eye(3, dtype="float32")[draw.integers(0, 3, 24)]
    real = draw.normal(size=(24, 3)).astype("float32")
    near = (real[:22] + 1e-3).astype("float32")
    return Compared(
        Side(images, features=real),
        Side(images, features=np.concatenate([near, near[:2] + 9]), logits=logits, modes=draw.integers(0, 12, 24)),
        mode_count=12,
        seed=seed,
    )


@pytest.mark.parametrize("measure", [each.measure for each in (
    precision_recall, density_coverage, inception_score, ms_ssim, modes, kernel,
)])  # fmt: skip
def test_no_interval_leaves_the_range_of_its_score(measure: Callable[[Any], Sequence[Score]]) -> None:
    for seed in range(5):
        for score in measure(few(seed)):
            lowest, highest = RANGES[score.name]
            assert score.interval is not None
            assert lowest <= score.interval[0] <= score.value <= score.interval[1] <= highest, score


def test_an_interval_within_its_range_is_students() -> None:
    score = of_ten("recall", 0.5, 0.01, "higher", lowest=0, highest=1)
    assert score.interval == pytest.approx((0.477378, 0.522622), abs=1e-6)  # 2.2622 deviations to either side
    assert of_ten("recall", 0.99, 0.01, "higher", lowest=0, highest=1).interval == pytest.approx(
        (0.967378, 1), abs=1e-6
    )
