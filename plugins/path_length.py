"""Path length regularization (Karras et al. 2019), https://arxiv.org/abs/1912.04958

A step of the generator's input is to change its samples by an amount that is the same everywhere, on top of any stack:
`dcgan+path_length`. The input is the styles where the generator returns an extra `styles`, (B, ...), and has a layer
named `synthesis` that makes samples of them alone; its latents elsewhere.

When to use it: with `stylegan2`, where a smooth latent space matters: interpolation, inversion and edits (`zoo
explore`). Scores hardly gain.

Deviations: the penalty is added to the loss of its update, and has no step of Adam of its own. The batch's share of the
running mean has no gradient. The mean is assigned in the loss, which TensorFlow refuses on several devices.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod, sqrt
from typing import Any

import keras
from keras import ops

from zoo import Recipe, hookimpl, losses, networks


@dataclass(frozen=True)
class PathLengthRecipe(Recipe):
    """Appendix B."""

    path_length_weight: float = 2.0
    path_length_decay: float = 0.01  # of the running mean
    path_length_interval: int = 4  # generator updates
    path_length_shrink: int = 2  # so many times fewer samples than in a batch


@hookimpl
def recipe() -> PathLengthRecipe:
    """The paper's values."""
    return PathLengthRecipe()


@hookimpl
def variables() -> dict[str, keras.Variable]:
    """The running mean of lengths, a."""
    return {"path_length": keras.Variable(0.0, trainable=False, name="path_length")}


@hookimpl
def generator_penalty(
    fake_samples: Any,
    draw_latents: Callable[..., Any],
    generator: keras.Model,
    generate: Callable[..., Any],
    gradients: Callable[..., Any],
    variables: Mapping[str, keras.Variable],
    fields: Mapping[str, Any],
    update: Any,
    seed: keras.random.SeedGenerator,
    recipe: PathLengthRecipe,
) -> Any:
    """Section 3.2: weight * E[(|J' y| - a)^2] with y of N(0, 1), J the samples' derivative by the generator's input."""
    count = max(1, fake_samples.shape[0] // recipe.path_length_shrink)
    given = draw_latents(count=count)
    pixels = prod(fake_samples.shape[1:-1])
    noise = keras.random.normal((count, *fake_samples.shape[1:]), seed=seed, dtype=fake_samples.dtype) / sqrt(pixels)
    mean = ops.convert_to_tensor(variables["path_length"])

    def lengths_and_mean() -> Any:
        lengths = path_lengths(given, noise, generator, generate, gradients, fields)
        moved = mean + recipe.path_length_decay * (ops.stop_gradient(ops.mean(lengths)) - mean)
        return ops.stack([recipe.path_length_weight * ops.mean(ops.square(lengths - moved)), moved])

    lazy = losses.every(recipe.path_length_interval, update, lengths_and_mean, shape=(2,))
    is_due = ops.equal(update % recipe.path_length_interval, 0)
    kept = ops.where(is_due, ops.stop_gradient(lazy[1]) / recipe.path_length_interval, mean)
    variables["path_length"].assign(kept)
    return lazy[0]


def path_lengths(
    given: Any, noise: Any, generator: keras.Model, generate: Any, gradients: Any, fields: Mapping[str, Any]
) -> Any:
    """|J' y| of each sample, (B,); where there are several inputs or styles, the root of the mean of their squares."""
    outputs = networks.outputs_of(generator, "samples")
    if "styles" in outputs:
        inputs = generator(given, training=True)["styles"]
        slopes = [gradients(lambda styles: noise * generator.get_layer("synthesis")(styles, training=True), inputs)]
        rows = prod(inputs.shape[1:-1])
    else:
        inputs = networks.own_latents(given, fields)
        by_name = gradients(lambda moved: noise * generate(networks.with_latents(given, moved)), inputs)
        slopes, rows = list(by_name.values()), len(inputs)
    return ops.sqrt(sum(losses.squared_norms(each) for each in slopes) / rows + losses.SMALLEST_SQUARE)
