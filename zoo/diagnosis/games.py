"""The games that a discriminator is retrained in, and the generator's objectives whose gradients are followed.

A game keeps a stack's networks, latents and augmentations, and has a loss, a penalty and an optimizer of its own. The
gradient that an objective L(D) has by a logit D is known in closed form, and what reaches the generator is a product
with it: where it vanishes, nothing that the networks do brings it back.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType, SimpleNamespace
from typing import Any

import keras
import numpy as np

from zoo import losses
from zoo.hookspecs import hookimpl
from zoo.networks import clip_weights
from zoo.recipe import Recipe, Setting
from zoo.stacks.stack import Stack, build_stack

Tensor = Any
GAME = "game"  # the name of the plugin that a game lays on top of a stack
CLIP = 0.01  # Arjovsky et al. 2017, algorithm 1
PENALTY = 10.0  # Gulrajani et al. 2017, algorithm 1
DECAY, ROOT = 0.99, 1e-16  # of RMSprop, and what is added under its root
# What belongs to a stack's own game. An augmentation's controller and a schedule of rates do too.
OWN_GAME = (
    "discriminator_loss", "discriminator_penalty", "generator_loss", "generator_penalty",
    "optimizers", "schedule", "observe", "move_latents", "check", "advice",
)  # fmt: skip


@dataclass(frozen=True)
class Objective:
    """What a generator minimizes, as a function of a fake sample's logit D."""

    name: str
    formula: str
    loss: Callable[[Tensor], Tensor] | None  # None: that of the stack itself, which may be a function of more
    slope: Callable[[np.ndarray], np.ndarray] | None  # dL/dD in closed form
    slope_formula: str = ""


@dataclass(frozen=True)
class Game:
    """How a discriminator is trained, and which objectives are followed meanwhile."""

    name: str
    objectives: tuple[Objective, ...]
    hooks: Mapping[str, Any] = field(default_factory=dict)  # of the plugin on top; none: the stack's own game
    clip: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the recipe

    @property
    def is_own(self) -> bool:
        """Whether it is the stack's own game."""
        return not self.hooks


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), exact to rounding at either end."""
    return np.exp(-np.logaddexp(0.0, -np.asarray(logits, "float64")))


def ones_down(logits: np.ndarray) -> np.ndarray:
    """-1 for each logit."""
    return -np.ones_like(logits, "float64")


def wasserstein_penalty(real_fields: Any, fake_samples: Tensor, discriminate: Any, gradients: Any, seed: Any) -> Tensor:
    """Gulrajani et al. 2017, equation 3, with the paper's weight."""
    return PENALTY * losses.off_unit(losses.slopes_between(real_fields, fake_samples, discriminate, gradients, seed))


def root_mean_square(recipe: Recipe) -> tuple[keras.Optimizer, keras.Optimizer]:
    """RMSprop, since Arjovsky et al. 2017 (section 4.3) found a clipped critic unstable with momentum."""
    rates = (recipe.generator_learning_rate, recipe.discriminator_learning_rate)
    one, other = (keras.optimizers.RMSprop(rate, rho=DECAY, epsilon=ROOT) for rate in rates)
    return one, other


MINIMAX = Objective(
    "minimax", "log(1 - sigmoid(D))", losses.minimax_generator_loss, lambda d: -sigmoid(d), "-sigmoid(D)"
)
NON_SATURATING = Objective(
    "non-saturating",
    "-log sigmoid(D)",
    losses.non_saturating_generator_loss,
    lambda d: -sigmoid(-d),
    "-(1 - sigmoid(D))",
)
LEAST_SQUARES = Objective(
    "least squares", "(D - 1)^2 / 2", losses.least_squares_generator_loss, lambda d: d - 1.0, "D - 1"
)
HINGE = Objective("hinge", "-D", losses.wasserstein_generator_loss, ones_down, "-1")
CLIPPED = Objective("clipped Wasserstein", "-D", losses.wasserstein_generator_loss, ones_down, "-1")
PENALIZED = Objective("penalized Wasserstein", "-D", losses.wasserstein_generator_loss, ones_down, "-1")
OWN = Objective("own", "the stack's own, penalties included", None, None)

GAMES = (
    Game("cross-entropy", (MINIMAX, NON_SATURATING), {"discriminator_loss": losses.cross_entropy_discriminator_loss}),
    Game("least-squares", (LEAST_SQUARES,), {"discriminator_loss": losses.least_squares_discriminator_loss}),
    Game("hinge", (HINGE,), {"discriminator_loss": losses.hinge_discriminator_loss}),
    Game(
        "wasserstein-clipping",
        (CLIPPED,),
        {"discriminator_loss": losses.wasserstein_critic_loss, "optimizers": root_mean_square},
        clip=CLIP,
    ),
    Game(
        "wasserstein-penalty",
        (PENALIZED,),
        {"discriminator_loss": losses.wasserstein_critic_loss, "discriminator_penalty": wasserstein_penalty},
        settings={"discriminator_normalization": "layer"},  # BatchNorm ties the samples of a batch together (section 4)
    ),
    Game("own", (OWN,)),
)
NAMES = tuple(game.name for game in GAMES)
OBJECTIVES = {objective.name: objective for game in GAMES for objective in game.objectives}


def game_stack(
    stack: Stack, game: Game, further: Mapping[str, Any] = MappingProxyType({}), critic_steps: int = 1
) -> Stack:
    """The stack with a game in the place of its own, and `further` plugins by name between them, or on top of its own.

    What a plugin of the stack holds the discriminator's weights to is taken off.
    """
    values = [Setting(name, getattr(stack.recipe, name), source) for name, source in stack.recipe_sources.items()]
    changes = {"critic_steps": critic_steps, **(game.settings if needs_layers(stack.recipe) else {})}
    settings = [*values, *(Setting(name, value, GAME) for name, value in changes.items())]
    if game.is_own:
        return build_stack(stack.name, {**stack.plugins, **further}, [("", settings)])
    plugins = {name: without_game(plugin) for name, plugin in stack.plugins.items()}
    return build_stack(stack.name, {**plugins, **further, GAME: plugin_of(game)}, [("", settings)])


def needs_layers(recipe: Recipe) -> bool:
    """Whether the discriminator normalizes batches, which a penalty of each sample's gradient does not bear."""
    return recipe.discriminator_normalization == "batch"


def without_game(plugin: Any) -> SimpleNamespace:
    """A plugin without the hooks of its own game."""
    return SimpleNamespace(**{name: each for name, each in vars(plugin).items() if name not in OWN_GAME})


def plugin_of(game: Game) -> SimpleNamespace:
    """The plugin that a game lays on top of a stack."""

    @hookimpl(wrapper=True)
    def discriminator() -> Generator[None, keras.Model, keras.Model]:
        model = yield
        for weight in model.trainable_variables:
            weight.constraint = None
        if game.clip is not None:
            clip_weights(model, game.clip)
        return model

    objective = game.objectives[0].loss
    hooks = {name: hookimpl(each) for name, each in {**game.hooks, "generator_loss": objective}.items()}
    return SimpleNamespace(discriminator=discriminator, LOSS_FAMILY=game.name, **hooks)
