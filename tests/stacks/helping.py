"""Further networks: a frozen one to measure in, an encoder with an optimizer of its own, a map that shares one."""

from collections.abc import Mapping
from math import prod
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo import Network, Recipe, hookimpl

FROZEN_SEED = 5


def dense(inputs: tuple[int, ...], units: int, name: str) -> keras.Model:
    """One dense layer on flat inputs."""
    taken = keras.Input(inputs)
    return keras.Model(taken, keras.layers.Dense(units)(keras.layers.Flatten()(taken)), name=name)


@hookimpl
def networks(sample_shape: tuple[int, ...], recipe: Recipe) -> dict[str, Network]:
    """Weights of the frozen one are drawn here, as another plugin would read them from a file."""
    frozen = dense(sample_shape, 3, "frozen")
    drawn = np.random.default_rng(FROZEN_SEED)
    for variable in frozen.variables:
        variable.assign(drawn.normal(size=variable.shape) / np.sqrt(prod(sample_shape)))
    encoder = dense(sample_shape, recipe.latent_size, "encoder")
    shared = dense((recipe.latent_size,), recipe.latent_size, "shared")
    return {
        "frozen": Network(frozen),
        "encoder": Network(encoder, "generator", keras.optimizers.SGD(0.1)),
        "shared": Network(shared, "generator"),
    }


@hookimpl
def generator_penalty(fake_samples: Any, latents: Any, networks: Mapping[str, keras.Model]) -> Any:
    """The encoder finds the latents again (as InfoGAN's Q); samples are near 0 in the frozen features."""
    found = networks["shared"](networks["encoder"](fake_samples))
    return ops.mean(ops.square(found - latents)) + 0.1 * ops.mean(ops.square(networks["frozen"](fake_samples)))
