"""Orthogonal regularization of kernels worked by hand."""

from typing import Any

import keras
import numpy as np
import pytest
from by_hand import number
from zoo_plugins.orthogonal import OrthogonalRecipe, generator_penalty


def penalty(layer: keras.Layer, kernel: Any, shape: tuple[int, ...] = (2,), **settings: Any) -> float:
    inputs = keras.Input(shape)
    model = keras.Model(inputs, keras.layers.ReLU()(layer(inputs)))
    layer.weights[0].assign(np.array(kernel, "float32"))
    return number(generator_penalty(model, OrthogonalRecipe(orthogonal_weight=0.5, **settings)))


def test_orthogonal_filters_of_any_length_cost_nothing() -> None:
    assert penalty(keras.layers.Dense(2), [[3, 0], [0, -7]]) == 0


def test_two_filters_cost_twice_the_square_of_their_product() -> None:
    kernel = [[1, 3], [2, 4]]  # the filters are its columns, whose product is 3 + 8
    assert penalty(keras.layers.Dense(2), kernel) == pytest.approx(0.5 * 2 * 11**2)


def test_lengths_count_where_they_are_to_be_one() -> None:
    kernel = [[3, 0], [0, 1]]
    assert penalty(keras.layers.Dense(2), kernel, orthogonal_lengths=True) == pytest.approx(0.5 * (9 - 1) ** 2)


def test_a_transposed_convolution_has_its_filters_on_another_axis() -> None:
    kernel = np.zeros((1, 1, 2, 3))  # (height, width, output, input)
    kernel[0, 0] = [[1, 2, 0], [3, 4, 0]]
    layer = keras.layers.Conv2DTranspose(2, 1)
    assert penalty(layer, kernel, (4, 4, 3)) == pytest.approx(0.5 * 2 * 11**2)


def test_an_embedding_is_left_out() -> None:
    assert penalty(keras.layers.Embedding(2, 2), [[1, 1], [1, 1]], ()) == 0


@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("shape", [(3, 7), (7, 3)])
def test_wide_and_tall_matrices_cost_what_all_products_of_their_columns_say(
    lengths: bool, shape: tuple[int, int]
) -> None:
    kernel = np.random.default_rng(0).normal(size=shape)
    products = kernel.T @ kernel
    off = products - np.eye(shape[1]) if lengths else products - np.diag(np.diag(products))
    found = penalty(keras.layers.Dense(shape[1]), kernel, shape[:1], orthogonal_lengths=lengths)
    assert found == pytest.approx(0.5 * np.square(off).sum(), rel=1e-5)
