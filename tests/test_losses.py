"""The losses against numbers worked by hand, and their slopes against the closed forms."""

from collections.abc import Callable
from functools import partial
from math import exp, log
from typing import Any

import numpy as np
import pytest
from by_hand import column
from keras import ops

from zoo import backend, losses
from zoo.errors import ZooError

KERNELS = ("rational-quadratic", "gaussian", "distance")
LOGITS = [-3.0, -0.5, 0.0, 2.0]
GENERATOR_LOSSES = (
    losses.non_saturating_generator_loss,
    losses.minimax_generator_loss,
    losses.wasserstein_generator_loss,
)
DISCRIMINATOR_LOSSES = (losses.cross_entropy_discriminator_loss, losses.wasserstein_critic_loss)


def mean(values: Any) -> float:
    """Of a loss that has a value for each logit."""
    assert len(values.shape) == 2
    return float(ops.mean(values))


def sigmoid(logit: float) -> float:
    return 1 / (1 + exp(-logit))


def slopes(loss: Callable[[Any], Any], logits: list[float]) -> Any:
    """The derivative of the loss of each logit alone."""
    total = backend.engine().input_gradients(lambda each: ops.mean(loss(each)) * len(logits), column(*logits))
    return ops.convert_to_numpy(total)[:, 0]


def test_a_discriminator_that_cannot_tell_has_a_loss_of_two_ln_two() -> None:
    zeros = column(0.0, 0.0, 0.0)
    assert float(losses.cross_entropy_discriminator_loss(zeros, zeros)) == pytest.approx(2 * log(2), rel=1e-6)


def test_the_generators_losses_at_zero_logits_are_ln_two_its_negative_and_zero() -> None:
    values = [mean(loss(column(0.0, 0.0))) for loss in GENERATOR_LOSSES]
    assert values == pytest.approx([log(2), -log(2), 0.0], rel=1e-6)


def test_the_critics_loss_is_the_difference_of_the_means() -> None:
    assert float(losses.wasserstein_critic_loss(column(1.0, 3.0), column(-1.0, 6.0))) == pytest.approx(0.5)
    assert mean(losses.wasserstein_generator_loss(column(-1.0, 6.0))) == pytest.approx(-2.5)


def test_cross_entropies_equal_minus_the_log_probabilities() -> None:
    real, fake = [-3.0, 0.5], [1.0, -2.0]
    by_hand = -np.mean([log(sigmoid(each)) for each in real]) - np.mean([log(1 - sigmoid(each)) for each in fake])
    assert float(losses.cross_entropy_discriminator_loss(column(*real), column(*fake))) == pytest.approx(by_hand)
    non_saturating = -np.mean([log(sigmoid(each)) for each in fake])
    assert mean(losses.non_saturating_generator_loss(column(*fake))) == pytest.approx(non_saturating)
    minimax = np.mean([log(1 - sigmoid(each)) for each in fake])
    assert mean(losses.minimax_generator_loss(column(*fake))) == pytest.approx(minimax)


@pytest.mark.parametrize(
    ("loss", "closed_form"),
    [
        (losses.minimax_generator_loss, lambda logit: -sigmoid(logit)),
        (losses.non_saturating_generator_loss, lambda logit: -(1 - sigmoid(logit))),
        (losses.wasserstein_generator_loss, lambda logit: -1.0),
        (lambda each: losses.cross_entropy_discriminator_loss(each, column(0.0)), lambda logit: sigmoid(logit) - 1),
        (lambda each: losses.cross_entropy_discriminator_loss(column(0.0), each), sigmoid),
        (lambda each: losses.wasserstein_critic_loss(each, column(0.0)), lambda logit: -1.0),
        (lambda each: losses.wasserstein_critic_loss(column(0.0), each), lambda logit: 1.0),
    ],
    ids=["minimax", "non-saturating", "wasserstein", "on real", "on fake", "critic on real", "critic on fake"],
)
def test_the_slope_at_a_logit_is_the_closed_form(loss: Callable[..., Any], closed_form: Callable[..., float]) -> None:
    assert slopes(loss, LOGITS) == pytest.approx([closed_form(logit) for logit in LOGITS], rel=1e-5)


def test_only_the_minimax_slope_vanishes_where_the_discriminator_is_sure() -> None:
    sure = [-30.0]  # of a generated sample
    assert abs(slopes(losses.minimax_generator_loss, sure)[0]) < 1e-12
    assert slopes(losses.non_saturating_generator_loss, sure)[0] == pytest.approx(-1)


def test_huge_logits_leave_losses_and_slopes_finite() -> None:
    huge = [-1e4, 1e4]
    for loss in GENERATOR_LOSSES:
        assert np.isfinite(mean(loss(column(*huge))))
        assert np.isfinite(slopes(loss, huge)).all()
    for loss in DISCRIMINATOR_LOSSES:
        assert np.isfinite(float(loss(column(*huge), column(*huge))))
        assert np.isfinite(slopes(lambda each, loss=loss: loss(each, each), huge)).all()
    assert float(losses.cross_entropy_discriminator_loss(column(-1e4), column(1e4))) == pytest.approx(2e4)


def test_kernels_of_two_points_are_those_worked_by_hand() -> None:
    one, other = ops.convert_to_tensor([[0.0, 0.0], [3.0, 0.0]]), ops.convert_to_tensor([[0.0, 4.0]])
    found = {name: ops.convert_to_numpy(losses.kernel(name, one, other))[:, 0] for name in KERNELS}
    squares = np.array([16.0, 25.0])  # of 4 and 5, how far the points are apart
    quadratic = sum((1 + squares / (2 * a)) ** -a for a in (0.2, 0.5, 1, 2, 5))
    gaussian = sum(np.exp(-squares / (2 * width**2)) for width in (2, 5, 10, 20, 40, 80))
    assert found["rational-quadratic"] == pytest.approx(quadratic, rel=1e-6)
    assert found["gaussian"] == pytest.approx(gaussian, rel=1e-6)
    assert found["distance"] == pytest.approx([0 + 4 - 4, 3 + 4 - 5], abs=1e-5)
    with pytest.raises(ZooError, match=r"Unknown kernel: 'gausian'\. Did you mean 'gaussian'"):
        losses.kernel("gausian", one, other)


def test_the_discrepancy_of_the_distance_kernel_is_the_energy_distance() -> None:
    one, other = np.array([[0.0], [2.0]], "float32"), np.array([[1.0], [5.0]], "float32")
    found = losses.squared_discrepancy(one, other, partial(losses.kernel, "distance"))
    apart = 2 * (1 + 5 + 1 + 3) / 4 - 2 - 4  # 2 E|a - b| - E|a - a'| - E|b - b'|
    assert float(found) == pytest.approx(apart, abs=1e-5)
