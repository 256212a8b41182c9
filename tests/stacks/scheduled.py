"""Schedules of everything that the zoo heeds itself, and of a recipe field that a penalty reads."""

from dataclasses import dataclass
from typing import Any

from keras import ops

from zoo import Recipe, hookimpl, losses


@dataclass(frozen=True)
class ScheduledRecipe(Recipe):
    """A pull that fades over ten thousand images."""

    horizon: int = 40
    pull: float = 2.0


@hookimpl
def recipe() -> ScheduledRecipe:
    """Forty images: ten steps of the tests."""
    return ScheduledRecipe()


@hookimpl
def schedule(progress: Any, recipe: ScheduledRecipe) -> dict[str, Any]:
    """Rates and beta_2 along half a cosine, the pull and the average's decay on a line."""
    return {
        "generator_learning_rate": losses.cosine(1e-2, 1e-3, progress),
        "discriminator_learning_rate": losses.cosine(1e-2, 1e-3, progress),
        "beta_2": losses.cosine(0.9, 0.99, progress),
        "average_decay": losses.linear(0.0, 0.5, progress),
        "pull": losses.linear(2.0, 0.0, progress),
    }


@hookimpl
def discriminator_penalty(real_logits: Any, recipe: ScheduledRecipe) -> Any:
    """pull / 1000 * E[l^2]."""
    return recipe.pull / 1000 * ops.mean(ops.square(real_logits))
