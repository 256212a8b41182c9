"""Wasserstein GAN (Arjovsky et al. 2017), https://arxiv.org/abs/1701.07875

A critic whose weights are clipped, five critic updates a step, RMSprop (algorithm 1). It brings no networks: they come
from the plugin below, as in `dcgan+wgan` for images or `vanilla+wgan` for points.

When to use it: to follow the history, or for a loss that falls as samples get better. `wgan_gp` is better in nearly
every respect but time a step.
"""

from collections.abc import Generator
from dataclasses import dataclass

import keras

from zoo import Recipe, hookimpl, losses, networks

LOSS_FAMILY = "wasserstein"


@dataclass(frozen=True)
class WganRecipe(Recipe):
    """Algorithm 1: learning rate 5e-5, clipping at .01, batches of 64, five critic updates."""

    batch_size: int = 64
    critic_steps: int = 5
    generator_learning_rate: float = 5e-5
    discriminator_learning_rate: float = 5e-5
    epsilon: float = (
        1e-16  # Keras adds it under the root, where 1e-7 would freeze the generator; torch adds 1e-8 after it
    )
    rho: float = 0.99  # of RMSprop, as in the paper's code
    clip: float = 0.01


@hookimpl
def recipe() -> WganRecipe:
    """The paper's values."""
    return WganRecipe()


@hookimpl(wrapper=True)
def discriminator(recipe: WganRecipe) -> Generator[None, keras.Model, keras.Model]:
    """Clip the critic's weights now and after every update, BatchNorm's included, as the paper's code does."""
    critic = yield
    networks.clip_weights(critic, recipe.clip)
    return critic


@hookimpl
def optimizers(recipe: WganRecipe) -> tuple[keras.Optimizer, keras.Optimizer]:
    """RMSprop: section 4.3 found momentum-based optimizers unstable."""
    rates = (recipe.generator_learning_rate, recipe.discriminator_learning_rate)
    generator, critic = (keras.optimizers.RMSprop(rate, rho=recipe.rho, epsilon=recipe.epsilon) for rate in rates)
    return generator, critic


discriminator_loss = hookimpl(losses.wasserstein_critic_loss)
generator_loss = hookimpl(losses.wasserstein_generator_loss)
