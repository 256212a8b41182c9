"""How strong the noise is, when it is gone, and that each call has its own."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import ops
from zoo_plugins.instance_noise import InstanceNoiseRecipe, augment

from zoo import ZooError
from zoo.training.trainer import Trainer


def noise(progress: float, seed: keras.random.SeedGenerator) -> np.ndarray:
    samples = ops.ones((1000, 2))
    made = augment(samples, ops.convert_to_tensor(progress), seed, InstanceNoiseRecipe(instance_noise=0.4))
    return ops.convert_to_numpy(made - samples)


def test_it_fades_along_a_line() -> None:
    seed = keras.random.SeedGenerator(0)
    assert [noise(each, seed).std() for each in (0.0, 0.5)] == pytest.approx([0.4, 0.2], rel=0.1)
    assert (noise(1.0, seed) == 0).all()


def test_each_call_has_other_noise() -> None:
    seed = keras.random.SeedGenerator(0)
    assert abs(np.corrcoef(noise(0.0, seed).ravel(), noise(0.0, seed).ravel())[0, 1]) < 0.1


def test_a_stack_that_does_not_say_when_it_is_gone_is_refused(tiny_dataset: Callable, make_stack: Callable) -> None:
    with pytest.raises(ZooError, match="fades its noise over a horizon: --set horizon=IMAGES"):
        Trainer(make_stack("vanilla+instance_noise"), tiny_dataset((2,)))


def test_of_two_points_the_best_logit_is_linear_and_finite() -> None:
    """Real samples all at 0 and generated ones at d, told apart by logistic regression (Newton's method) of noisy ones:
    log N(x; 0, s) - log N(x; d, s) = (d^2 - 2 x d) / (2 s^2).
    """
    distance, scale = 0.5, 0.4
    noisy = noise(0.0, keras.random.SeedGenerator(0)).reshape(2, -1) + np.array([[0.0], [distance]])
    points, real = np.stack([np.ones(noisy.size), noisy.ravel()], axis=1), np.repeat([1.0, 0.0], noisy.shape[1])
    weights = np.zeros(2)
    for _ in range(20):
        told = 1 / (1 + np.exp(-points @ weights))
        slope, curvature = points.T @ (real - told), (points * (told * (1 - told))[:, None]).T @ points
        weights += np.linalg.solve(curvature, slope)
    assert weights == pytest.approx([distance**2 / (2 * scale**2), -distance / scale**2], rel=0.15)
