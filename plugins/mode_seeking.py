"""Mode seeking (Mao et al. 2019), https://arxiv.org/abs/1903.05628

The generator is to make samples as far apart as their latents are, on top of any stack: `dcgan+mode_seeking`, and above
all `cgan-projection+mode_seeking`. Labels and whatever else the generator is given stay. The ratio is one of means over
the batch, as in the paper's code; on several devices TensorFlow takes it of each device's share.

When to use it: where a conditional generator ignores its latents and gives one answer to a condition.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from keras import ops

from zoo import Recipe, hookimpl, networks

SMALLEST = 1e-5  # added to the ratio, which is 0 where all samples are equal


@dataclass(frozen=True)
class ModeSeekingRecipe(Recipe):
    """Section 3.2."""

    mode_seeking_weight: float = 1.0


@hookimpl
def recipe() -> ModeSeekingRecipe:
    """The paper's value."""
    return ModeSeekingRecipe()


@hookimpl
def generator_penalty(
    latents: Any,
    fake_samples: Any,
    draw_latents: Callable[..., Any],
    generate: Callable[..., Any],
    fields: Mapping[str, Any],
    recipe: ModeSeekingRecipe,
) -> Any:
    """Equation 4: weight / (mean|G(z) - G(z')| / mean|z - z'|), which is to be small."""
    one, other = (networks.own_latents(each, fields) for each in (latents, draw_latents()))
    samples = generate(networks.with_latents(latents, other))
    apart = [ops.reshape(ops.abs(one[name] - other[name]), (-1,)) for name in one]
    ratio = ops.mean(ops.abs(samples - fake_samples)) / ops.mean(ops.concatenate(apart))
    return recipe.mode_seeking_weight / (ratio + SMALLEST)
