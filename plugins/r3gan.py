"""R3GAN (Huang et al. 2024), https://arxiv.org/abs/2501.05441

The settings and the schedules of R3GAN: rates, penalties and average follow half a cosine over `horizon` images, and
stay where they end. It goes on top of its loss and penalties on any networks; the paper's are the plugin resnext:
`resnext+rpgan+r1+r2+r3gan`. The penalties begin at r1_gamma and r2_gamma, which are one number in the paper and suit
the images: .05 for CIFAR-10 and .5 for ImageNet at 32 pixels, 1 for ImageNet and 2 for FFHQ at 64.

The paper's augmentation is the plugin ada without its controller, `ada_probability` of which is reached at the horizon:
`resnext+rpgan+r1+r2+ada+r3gan --set ada_target=0 --set ada_probability=0.55 --set ada_color=0.5 --set ada_cutout=1`.
Its flipped images are `--set mirror=true`.

When to use it: as a modern recipe without tricks, on any networks: slow to begin, steady to the end. Name a `horizon`
that you will reach.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo import Recipe, hookimpl, losses
from zoo.recipe import Normalization


@dataclass(frozen=True)
class R3GanRecipe(Recipe):
    """What the paper's code trains CIFAR-10 with."""

    batch_size: int = 512
    latent_size: int = 64
    horizon: int = 20_000_000
    generator_learning_rate: float = 2e-4
    discriminator_learning_rate: float = 2e-4
    beta_1: float = 0.0
    beta_2: float = 0.9
    epsilon: float = 1e-8
    average_decay: float = 0.999  # that there is an average; its decay comes from its half-life
    discriminator_normalization: Normalization = "none"
    final_learning_rate: float = 5e-5  # of both players
    final_beta_2: float = 0.99
    final_gamma_share: float = 0.1  # of what r1_gamma and r2_gamma begin at
    average_half_life: int = 5_000_000  # images, at the horizon; it begins at 0


@hookimpl
def recipe() -> R3GanRecipe:
    """The paper's values."""
    return R3GanRecipe()


@hookimpl
def schedule(progress: Any, recipe: R3GanRecipe) -> Mapping[str, Any]:
    """Everything that changes while a run trains."""
    half_life = losses.cosine(0.0, recipe.average_half_life, progress)
    starts = {name: getattr(recipe, name, None) for name in ("r1_gamma", "r2_gamma")}
    probability = getattr(recipe, "ada_probability", None)
    return {
        "generator_learning_rate": losses.cosine(recipe.generator_learning_rate, recipe.final_learning_rate, progress),
        "discriminator_learning_rate": losses.cosine(
            recipe.discriminator_learning_rate, recipe.final_learning_rate, progress
        ),
        "beta_2": losses.cosine(recipe.beta_2, recipe.final_beta_2, progress),
        "average_decay": losses.average_decay(recipe.batch_size, half_life),
        **{
            name: losses.cosine(gamma, gamma * recipe.final_gamma_share, progress)
            for name, gamma in starts.items()
            if gamma is not None
        },
        **({} if probability is None else {"ada_probability": losses.cosine(0.0, probability, progress)}),
    }
