"""MMD GAN (Binkowski et al. 2018), https://arxiv.org/abs/1801.01401; Li et al. 2017, arXiv:1705.08584

The critic answers a vector h(x), and the generator minimizes the maximum mean discrepancy of real and generated vectors
in a kernel, which the critic maximizes, held by a penalty of the witness function's gradient. The vector takes the
place of the logits of the networks below: `dcgan+mmd_gan`, `vanilla+mmd_gan`.

The paper's code clips gradients by a norm of 1: `--set gradient_clip_norm=1`. On several devices TensorFlow takes the
discrepancy of each device's share.

When to use it: as a Wasserstein critic's alternative that works with small critics; on large data sets others are as
good and simpler.

Not here: the rates that the paper halves where a test shows no progress.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import keras
from keras import ops

from zoo import Recipe, hookimpl, layers, losses, networks
from zoo.recipe import Normalization

LOSS_FAMILY = "mmd"


@dataclass(frozen=True)
class MmdGanRecipe(Recipe):
    """Section 4: a critic to 16 dimensions, Adam at 1e-4, five critic updates, both penalties of weight 1."""

    batch_size: int = 64
    critic_steps: int = 5
    generator_learning_rate: float = 1e-4
    discriminator_learning_rate: float = 1e-4
    beta_1: float = 0.5
    beta_2: float = 0.9
    discriminator_normalization: Normalization = "layer"  # the penalty is one of each sample's slope
    mmd_size: int = 16
    mmd_kernel: Literal["rational-quadratic", "gaussian", "distance"] = "rational-quadratic"
    mmd_dot_weight: float = 1.0  # of <a, b> beside the kernel: 1 is the paper's rq*, 0 for the others
    mmd_penalty: float = 1.0
    mmd_activation_penalty: float = 1.0  # of |h|^2: <a, b> has no bound


@hookimpl
def recipe() -> MmdGanRecipe:
    """The paper's values."""
    return MmdGanRecipe()


@hookimpl(wrapper=True)
def discriminator(recipe: MmdGanRecipe) -> Generator[None, keras.Model, keras.Model]:
    """A vector of the features below in the place of their logit."""
    model = yield
    return networks.vector_critic(model, recipe.mmd_size)


@hookimpl
def check(discriminator: keras.Model, loss_family: str | None) -> None:
    """The penalty holds each sample's slope, and only this loss compares vectors."""
    losses.check_own_loss("mmd_gan", LOSS_FAMILY, loss_family)
    layers.check_slope_penalty("mmd_gan", discriminator)


@hookimpl
def discriminator_loss(real_logits: Any, fake_logits: Any, recipe: MmdGanRecipe) -> Any:
    """-MMD^2 and the mean of |h|^2 over both batches; by default k(a, b) = sum_j (1 + |a - b|^2 / 2j)^-j + <a, b>."""
    size = (ops.mean(losses.squared_norms(real_logits)) + ops.mean(losses.squared_norms(fake_logits))) / 2
    return recipe.mmd_activation_penalty * size - discrepancy(real_logits, fake_logits, recipe)


@hookimpl
def generator_loss(real_logits: Any, fake_logits: Any, recipe: MmdGanRecipe) -> Any:
    """MMD^2, on a real batch of its own."""
    return discrepancy(real_logits, fake_logits, recipe)


@hookimpl
def discriminator_penalty(
    real_fields: Mapping[str, Any],
    fake_samples: Any,
    real_logits: Any,
    fake_logits: Any,
    discriminate: Callable[..., Any],
    gradients: Callable[..., Any],
    seed: keras.random.SeedGenerator,
    recipe: MmdGanRecipe,
) -> Any:
    """Equation 5: (|grad w(x)| - 1)^2 between real and generated x, the witness w = E[k(h(x), a)] - E[k(h(x), b)]."""

    def witness(fields: Mapping[str, Any]) -> Any:
        to_real, to_fake = (kernel(discriminate(fields), each, recipe) for each in (real_logits, fake_logits))
        return ops.mean(to_real - to_fake, axis=1)

    slopes = losses.slopes_between(real_fields, fake_samples, witness, gradients, seed)
    return recipe.mmd_penalty * losses.off_unit(slopes)


def kernel(one: Any, other: Any, recipe: MmdGanRecipe) -> Any:
    """k of each vector (B, s) with each of the other batch: (B, B)."""
    return losses.kernel(recipe.mmd_kernel, one, other) + recipe.mmd_dot_weight * ops.matmul(one, ops.transpose(other))


def discrepancy(real: Any, fake: Any, recipe: MmdGanRecipe) -> Any:
    """MMD^2 of vectors (B, s), section 2.1."""
    return losses.squared_discrepancy(real, fake, lambda one, other: kernel(one, other, recipe))
