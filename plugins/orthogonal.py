"""Orthogonal regularization (Brock et al. 2018), https://arxiv.org/abs/1809.11096; 2016, arXiv:1609.07093

The filters of each of the generator's layers are to be orthogonal, of whatever length, which makes room for truncation,
on top of any stack: `dcgan+orthogonal`. Embeddings are left out. `orthogonal_lengths` also holds the filters' lengths
at 1, the form of 2016. The gradient is the penalty's; the authors' code, which writes it by hand, has half of it.
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
            products = ops.matmul(ops.transpose(matrix), matrix)
            unit = ops.eye(products.shape[0], dtype=products.dtype)
            off = products - unit if recipe.orthogonal_lengths else products * (1 - unit)
            total = total + ops.sum(ops.square(off))
    return recipe.orthogonal_weight * total
