"""Spectral normalization for GANs (Miyato et al. 2018), https://arxiv.org/abs/1802.05957

The settings of SNGAN's residual networks: a discriminator whose layers are all normalized by their largest singular
values, five of its updates for one of the generator, which draws two batches, and rates that fall to 0 in a straight
line over `horizon` images. It goes on top of networks and a loss: `resnet+hinge+sngan`, `dcgan+hinge+sngan`.

When to use it: for a discriminator that is held without a second-order gradient: cheap, and steady for many images.
Rates fall to 0 at the `horizon`, so name one that fits the budget.

Deviation: the running singular vectors move in the discriminator's updates alone, in the authors' code in both.
"""

from dataclasses import dataclass

from zoo import Recipe, hookimpl
from zoo.recipe import Normalization, Schedule


@dataclass(frozen=True)
class SnganRecipe(Recipe):
    """The residual networks' settings, appendix B.4: 50,000 generator updates, each on 5 x 64 real images."""

    batch_size: int = 64
    critic_steps: int = 5
    generator_batch_factor: int = 2
    horizon: int = 16_000_000
    generator_learning_rate: float = 2e-4
    discriminator_learning_rate: float = 2e-4
    learning_rate_schedule: Schedule = "linear"  # to 0, as in the authors' code
    beta_1: float = 0.0
    beta_2: float = 0.9
    discriminator_normalization: Normalization = "spectral"


@hookimpl
def recipe() -> SnganRecipe:
    """The paper's values."""
    return SnganRecipe()
