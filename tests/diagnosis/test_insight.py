"""Where a discriminator looks and where latents lead, against functions whose answers are known by hand."""

import numpy as np
import pytest
from keras import ops

from zoo import backend
from zoo.diagnosis.insight import input_gradients, integrated_gradients, occlusion
from zoo.training.direction_formulas import (
    conditioning,
    ganspace,
    jacobian,
    label_direction,
    sefa,
    singular_directions,
    strip,
)

DRAW = np.random.default_rng(0)
IMAGES = DRAW.normal(size=(3, 6, 6, 1)).astype("float32")
WEIGHTS = DRAW.normal(size=(6, 6, 1)).astype("float32")


def linear(images: object) -> object:
    return ops.sum(ops.convert_to_tensor(images) * WEIGHTS, axis=(1, 2, 3))


def curved(images: object) -> object:
    return ops.sum(ops.square(ops.convert_to_tensor(images)) * WEIGHTS, axis=(1, 2, 3))


def gradients(function: object, inputs: np.ndarray) -> np.ndarray:
    found = backend.engine().input_gradients(function, ops.convert_to_tensor(inputs))
    return ops.convert_to_numpy(found)


def test_a_linear_critics_gradient_is_its_weights() -> None:
    np.testing.assert_allclose(input_gradients(linear, gradients, IMAGES), np.stack([WEIGHTS] * 3), rtol=1e-6)


def test_integrated_gradients_add_up_to_the_difference_of_logits() -> None:
    baseline = np.full((6, 6, 1), 0.3, "float32")
    found = integrated_gradients(curved, gradients, IMAGES, baseline)
    expected = ops.convert_to_numpy(curved(IMAGES)) - ops.convert_to_numpy(curved(baseline[None]))
    np.testing.assert_allclose(found.sum(axis=(1, 2, 3)), expected, rtol=1e-4)
    np.testing.assert_allclose(found, (IMAGES**2 - baseline**2) * WEIGHTS, atol=1e-4)


def test_occlusion_tells_what_the_window_held() -> None:
    found = occlusion(linear, IMAGES, window=2, stride=2)
    held = (IMAGES * WEIGHTS)[..., 0].reshape(3, 3, 2, 3, 2).sum(axis=(2, 4))
    np.testing.assert_allclose(found, held, atol=1e-5)


def test_a_jacobian_and_its_directions_are_those_of_the_matrix() -> None:
    matrix = DRAW.normal(size=(20, 4))
    found = jacobian(lambda latents: np.tanh(latents @ matrix.T), np.zeros(4))
    np.testing.assert_allclose(found, matrix, rtol=1e-2, atol=1e-3)
    values, directions = singular_directions(matrix)
    assert conditioning(values) == pytest.approx(np.linalg.cond(matrix))
    np.testing.assert_allclose(np.linalg.norm(matrix @ directions.T, axis=0), values)


def test_sefa_finds_the_directions_that_a_kernel_stretches_most() -> None:
    rotation, _ = np.linalg.qr(DRAW.normal(size=(5, 5)))
    kernel = rotation @ np.diag([1.0, 9, 3, 2, 0.5]) @ np.linalg.qr(DRAW.normal(size=(8, 5)))[0].T
    values, directions = sefa(kernel)
    np.testing.assert_allclose(values, [81, 9, 4, 1, 0.25], rtol=1e-9)
    assert abs(directions[0] @ rotation[:, 1]) == pytest.approx(1)


def test_ganspace_finds_the_latents_behind_the_principal_components() -> None:
    latents = DRAW.normal(size=(400, 4))
    rotation, _ = np.linalg.qr(DRAW.normal(size=(4, 4)))
    activations = latents @ rotation @ np.diag([10.0, 3, 1, 0.1]) @ np.linalg.qr(DRAW.normal(size=(9, 4)))[0].T
    shares, directions = ganspace(latents, activations, 2)
    assert shares[0] == pytest.approx(100 / 110.01, abs=0.03)
    assert abs(directions[0] @ rotation[:, 0]) == pytest.approx(1, abs=0.01)
    assert abs(directions[1] @ rotation[:, 1]) == pytest.approx(1, abs=0.03)


def test_a_labels_direction_is_that_which_separates_it() -> None:
    latents = DRAW.normal(size=(3000, 6))
    direction = np.array([3.0, 0, -4, 0, 0, 0]) / 5
    found = label_direction(latents, latents @ direction > 0.2)
    assert found @ direction == pytest.approx(1, abs=0.01)


def test_a_strip_goes_from_one_side_to_the_other() -> None:
    latent, direction = np.array([1.0, 2.0]), np.array([0.0, 1.0])
    np.testing.assert_allclose(strip(latent, direction, 3, 3), [[1, -1], [1, 2], [1, 5]])
