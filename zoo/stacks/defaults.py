"""What a stack does where none of its plugins answers: the lowest layer of every stack."""

from typing import Any

import keras

from zoo.hookspecs import hookimpl
from zoo.recipe import Recipe


@hookimpl(trylast=True)
def latents(count: int, seed: keras.random.SeedGenerator, recipe: Recipe) -> Any:
    """Draw (count, Z) from N(0, 1)."""
    return keras.random.normal((count, recipe.latent_size), seed=seed)


@hookimpl(trylast=True)
def optimizers(recipe: Recipe) -> tuple[keras.Optimizer, keras.Optimizer]:
    """Adam for both players, at the recipe's learning rates."""
    rates = (recipe.generator_learning_rate, recipe.discriminator_learning_rate)
    generator, discriminator = (
        keras.optimizers.Adam(rate, beta_1=recipe.beta_1, beta_2=recipe.beta_2, epsilon=recipe.epsilon)
        for rate in rates
    )
    return generator, discriminator
