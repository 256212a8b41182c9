"""Orthogonal regularization (Brock et al. 2018), https://arxiv.org/abs/1809.11096; 2016, arXiv:1609.07093

The filters of each of the generator's layers are to be orthogonal, of whatever length, which makes room for truncation,
on top of any stack: `dcgan+orthogonal`. Embeddings are left out. `orthogonal_lengths` also holds the filters' lengths
at 1, the form of 2016. The gradient is the penalty's; the authors' code, which writes it by hand, has half of it.

When to use it: where samples are to be drawn by truncated latents, above all with `biggan`; elsewhere it changes
little.
"""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, hookimpl, layers


@dataclass(frozen=True)
class OrthogonalRecipe(Recipe):
    """Section 3.1."""

    orthogonal_weight: float = 1e-4  # beta
    orthogonal_lengths: bool = False


@hookimpl
def recipe() -> OrthogonalRecipe:
    """The paper's value."""
    return OrthogonalRecipe()


@hookimpl
def generator_penalty(generator: keras.Model, recipe: OrthogonalRecipe) -> Any:
    """Equation 3: beta |W'W * (1 - I)|_F^2 over all layers, a column of W for each output channel; or |W'W - I|_F^2."""
    total = ops.zeros((), keras.config.floatx())
    for layer in layers.every_layer(generator, itself=False):
        if isinstance(layer, keras.layers.Embedding) or not (
            hasattr(layer, "kernel") or "Separable" in type(layer).__name__
        ):
            continue
        for matrix in layers.kernel_matrices(layer):
            total = total + off_orthogonal(matrix, recipe.orthogonal_lengths)
    return recipe.orthogonal_weight * total


def off_orthogonal(matrix: Any, lengths: bool) -> Any:
    """|W'W * (1 - I)|_F^2 of a matrix, or |W'W - I|_F^2, by the smaller one of W'W and WW', whose norms are equal: a
    dense layer to a map has many more columns than rows.
    """
    rows, columns = matrix.shape
    if columns <= rows:
        products = ops.matmul(ops.transpose(matrix), matrix)
        unit = ops.eye(columns, dtype=products.dtype)
        return ops.sum(ops.square(products - unit if lengths else products * (1 - unit)))
    whole = ops.sum(ops.square(ops.matmul(matrix, ops.transpose(matrix))))
    squares = ops.sum(ops.square(matrix), axis=0)
    return whole - 2 * ops.sum(squares) + columns if lengths else whole - ops.sum(ops.square(squares))
