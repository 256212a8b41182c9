"""Cramer GAN (Bellemare et al. 2017), https://arxiv.org/abs/1705.10743

The critic answers a vector h(x), and the generator minimizes the energy distance of real and generated vectors. The
vector takes the place of the logits of the networks below: `dcgan+cramer_gan`, `vanilla+cramer_gan`.

The second batch of generated samples that algorithm 1 draws is here the first one moved by a place: as independent, in
the mean the same, and without another pass of generator and critic. On several devices each share has its own.

When to use it: as a Wasserstein critic whose gradients have no bias on small batches; in time `wgan_gp` is cheaper and
`hinge` learns faster.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, hookimpl, layers, losses, networks
from zoo.recipe import Normalization

LOSS_FAMILY = "cramer"


@dataclass(frozen=True)
class CramerGanRecipe(Recipe):
    """Section 5: a critic to 256 dimensions, penalty 10, five critic updates, Adam at 1e-4."""

    batch_size: int = 64
    critic_steps: int = 5
    generator_learning_rate: float = 1e-4
    discriminator_learning_rate: float = 1e-4
    beta_1: float = 0.5
    beta_2: float = 0.9
    discriminator_normalization: Normalization = "layer"  # the penalty is one of each sample's slope
    cramer_size: int = 256
    cramer_penalty: float = 10.0


@hookimpl
def recipe() -> CramerGanRecipe:
    """The paper's values."""
    return CramerGanRecipe()


@hookimpl(wrapper=True)
def discriminator(recipe: CramerGanRecipe) -> Generator[None, keras.Model, keras.Model]:
    """A vector of the features below in the place of their logit."""
    model = yield
    return networks.vector_critic(model, recipe.cramer_size)


@hookimpl
def check(discriminator: keras.Model, loss_family: str | None) -> None:
    """The penalty holds each sample's slope, and only this loss compares vectors."""
    losses.check_own_loss("cramer_gan", LOSS_FAMILY, loss_family)
    layers.check_slope_penalty("cramer_gan", discriminator)


@hookimpl
def discriminator_loss(real_logits: Any, fake_logits: Any) -> Any:
    """Algorithm 1: E[f(G(z))] - E[f(x)], which compares with 0 in the place of a second real batch."""
    others = second(fake_logits)
    return ops.mean(critic(fake_logits, others)) - ops.mean(critic(real_logits, others))


@hookimpl
def generator_loss(real_logits: Any, fake_logits: Any) -> Any:
    """Algorithm 1: E|h(x) - h(g)| + E|h(x) - h(g')| - E|h(g) - h(g')|, g and g' two generated batches."""
    others = second(fake_logits)
    to_real = losses.norms(real_logits - fake_logits) + losses.norms(real_logits - others)
    return ops.mean(to_real - losses.norms(fake_logits - others))


@hookimpl
def discriminator_penalty(
    real_fields: Mapping[str, Any],
    fake_samples: Any,
    fake_logits: Any,
    discriminate: Callable[..., Any],
    gradients: Callable[..., Any],
    seed: keras.random.SeedGenerator,
    recipe: CramerGanRecipe,
) -> Any:
    """Algorithm 1: weight * E[(|grad f(x)| - 1)^2] at x between real and generated samples."""
    others = second(fake_logits)
    slopes = losses.slopes_between(
        real_fields, fake_samples, lambda fields: critic(discriminate(fields), others), gradients, seed
    )
    return recipe.cramer_penalty * losses.off_unit(slopes)


def critic(vectors: Any, others: Any) -> Any:
    """f(x) = |h(x) - h(g')| - |h(x)|, (B,), of vectors h(x) and h(g')."""
    return losses.norms(vectors - others) - losses.norms(vectors)


def second(fake: Any) -> Any:
    """The next sample of the batch in the place of each."""
    return ops.roll(fake, -1, axis=0)
