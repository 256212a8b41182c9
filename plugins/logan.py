"""LOGAN: Latent Optimisation for GANs (Wu et al. 2019), https://arxiv.org/abs/1912.00953

Most of the latents first take a step towards what the discriminator likes, a damped natural gradient, and both players
train on where they arrive; gradients flow through the step. On top of any stack: `dcgan+logan`, `vanilla+logan`.
Samples are drawn without the step, from U(-1, 1).

When to use it: to study how far better latents lead: its updates cost twice the time. Its gain was measured on BigGAN
at ImageNet's scale, not on small networks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, ZooError, hookimpl, losses, networks


@dataclass(frozen=True)
class LoganRecipe(Recipe):
    """Section 4 and appendix B, natural gradients."""

    logan_rate: float = 0.9  # alpha
    logan_damping: float = 5.0  # beta
    logan_share: float = 0.8  # c, of the latents that are moved
    logan_weight: float = 300.0  # w_r, of the squared length of a step


@hookimpl
def recipe() -> LoganRecipe:
    """The paper's values."""
    return LoganRecipe()


latents = hookimpl(networks.uniform_latents)  # where the step is clipped, too


@hookimpl
def check(generator: keras.Model, discriminator: keras.Model) -> None:
    """Refuse a discriminator that needs to know more than what the generator is given, or answers vectors."""
    networks.check_tells_apart("logan", discriminator)
    given = networks.inputs_of(generator, "latents")
    if missing := [name for name in networks.inputs_of(discriminator, "samples") if name not in ("samples", *given)]:
        raise ZooError(
            f"Plugin 'logan' judges samples before there is a batch of them, and this stack's discriminator also takes "
            f"'{missing[0]}', which its generator is not given. Use it where both are, or neither."
        )


@hookimpl
def move_latents(
    latents: Any,
    generate: Callable[..., Any],
    discriminate: Callable[..., Any],
    gradients: Callable[..., Any],
    fields: Mapping[str, Any],
    seed: keras.random.SeedGenerator,
    recipe: LoganRecipe,
) -> Any:
    """Equation 10: z + alpha / (beta + |g|^2) g, g = dD(G(z)) / dz, within [-1, 1], for a share c of the latents."""

    def realism(moved: Mapping[str, Any]) -> Any:
        given = networks.with_latents(latents, moved)
        return discriminate({**(given if isinstance(given, Mapping) else {}), "samples": generate(given)})

    own = networks.own_latents(latents, fields)
    slopes = gradients(realism, own)
    count = next(iter(own.values())).shape[0]
    chosen = keras.random.uniform((count, 1), seed=seed) < recipe.logan_share
    squares = sum(losses.squared_norms(each) for each in slopes.values())[:, None]
    rate = ops.where(chosen, recipe.logan_rate / (recipe.logan_damping + squares), 0.0)
    return networks.with_latents(latents, {name: ops.clip(own[name] + rate * slopes[name], -1.0, 1.0) for name in own})


@hookimpl
def discriminator_penalty(latents: Any, drawn_latents: Any, fields: Mapping[str, Any], recipe: LoganRecipe) -> Any:
    """w_r E[|dz|^2]: the step itself is a function of both players."""
    ends, starts = (networks.own_latents(each, fields) for each in (latents, drawn_latents))
    return recipe.logan_weight * ops.mean(sum(losses.squared_norms(ends[name] - starts[name]) for name in ends))


generator_penalty = hookimpl(discriminator_penalty)
