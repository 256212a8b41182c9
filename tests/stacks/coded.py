"""Custom latents: a dict of noise and a one-hot code, of which a penalty wants to see something in the samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import keras
from keras import ops

from zoo import Recipe, hookimpl


@dataclass(frozen=True)
class CodedRecipe(Recipe):
    """How many codes there are."""

    codes: int = 4


@hookimpl
def recipe() -> CodedRecipe:
    """Four."""
    return CodedRecipe()


@hookimpl
def latents(count: int, seed: keras.random.SeedGenerator, recipe: CodedRecipe) -> dict[str, Any]:
    """Noise (count, Z) and a one-hot code (count, codes)."""
    drawn = keras.random.randint((count,), 0, recipe.codes, seed=seed)
    noise = keras.random.normal((count, recipe.latent_size), seed=seed)
    return {"noise": noise, "code": ops.one_hot(drawn, recipe.codes)}


@hookimpl
def generator(sample_shape: tuple[int, ...], recipe: CodedRecipe) -> keras.Model:
    """Noise and code to a dict of samples and an extra."""
    inputs = {
        "noise": keras.Input((recipe.latent_size,), name="noise"),
        "code": keras.Input((recipe.codes,), name="code"),
    }
    x = keras.layers.Dense(8, activation="relu")(keras.layers.Concatenate()(list(inputs.values())))
    x = keras.layers.Dense(prod(sample_shape), activation="tanh")(x)
    samples = keras.layers.Reshape(sample_shape)(x)
    return keras.Model(inputs, {"samples": samples, "hidden": x})


@hookimpl
def generator_penalty(latents: Mapping[str, Any], fake_samples: Any) -> Any:
    """Samples of different codes should differ: minus the distance of their means."""
    flat = ops.reshape(fake_samples, (ops.shape(fake_samples)[0], -1))
    means = ops.matmul(ops.transpose(latents["code"]), flat)
    return -0.01 * ops.mean(ops.square(means - ops.mean(means, axis=0, keepdims=True)))
