"""Latent consistency regularization (Zhao et al. 2020), https://arxiv.org/abs/2002.04724

zCR: where latents move a little the discriminator is to see no change, and the generator to make one, on top of any
stack: `dcgan+hinge+zcr`, and with `bcr` the paper's ICR. Labels and whatever else the generator is given stay. Changes
of samples are means over pixels and channels.

When to use it: with `bcr`; alone it makes samples more various where a generator ignores small steps of its latents.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, hookimpl, networks


@dataclass(frozen=True)
class ZcrRecipe(Recipe):
    """Section 3, within the ranges that it searches."""

    zcr_deviation: float = 0.05  # of the move
    zcr_generator_weight: float = 0.5
    zcr_discriminator_weight: float = 20.0


@hookimpl
def recipe() -> ZcrRecipe:
    """Those of a known implementation (StudioGAN's), within what the paper searches."""
    return ZcrRecipe()


@hookimpl
def discriminator_penalty(
    latents: Any,
    fake_fields: Mapping[str, Any],
    fake_logits: Any,
    generate: Callable[..., Any],
    discriminate: Callable[..., Any],
    fields: Mapping[str, Any],
    seed: keras.random.SeedGenerator,
    recipe: ZcrRecipe,
) -> Any:
    """Algorithm 2: weight * E[(D(G(z)) - D(G(z + dz)))^2]."""
    others = generate(moved(latents, fields, seed, recipe.zcr_deviation))
    logits = discriminate({**fake_fields, "samples": others})
    return recipe.zcr_discriminator_weight * ops.mean(ops.square(fake_logits - logits))


@hookimpl
def generator_penalty(
    latents: Any,
    fake_samples: Any,
    generate: Callable[..., Any],
    fields: Mapping[str, Any],
    seed: keras.random.SeedGenerator,
    recipe: ZcrRecipe,
) -> Any:
    """Algorithm 2: -weight * E[(G(z) - G(z + dz))^2]."""
    others = generate(moved(latents, fields, seed, recipe.zcr_deviation))
    return -recipe.zcr_generator_weight * ops.mean(ops.square(fake_samples - others))


def moved(given: Any, fields: Mapping[str, Any], seed: keras.random.SeedGenerator, deviation: float) -> Any:
    """z + dz with dz from N(0, deviation^2)."""
    latents = networks.own_latents(given, fields)
    noise = {name: keras.random.normal(ops.shape(each), seed=seed, dtype=each.dtype) for name, each in latents.items()}
    return networks.with_latents(given, {name: each + deviation * noise[name] for name, each in latents.items()})
