"""Gradients as updates show them: of a critic whose gradient is known, and against finite differences."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo import layers
from zoo.layers.spectral import kernels
from zoo.training.trainer import Trainer

STEP = 1e-6  # of the central differences
AGREEMENT = 1e-6  # relative, of the whole gradient
DIRECTIONS = 4  # random ones of each weight: an error would have to be orthogonal to all


def linear(tiny_dataset: Callable, make_stack: Callable, penalty: str, *settings: str) -> tuple[Trainer, Any]:
    """A trainer of a linear critic on points, and the critic's kernel (2,)."""
    stack = make_stack(f"linear+{penalty}+descent", "critic_steps=1", *settings, plugins=["linear", "descent"])
    trainer = Trainer(stack, tiny_dataset((2,)))
    kernel = trainer.players.discriminator.trainable_variables[0]
    kernel.assign([[3.0], [-4.0]])  # of norm 5
    return trainer, kernel


def descended(trainer: Trainer, variable: Any) -> Any:
    """The gradient of the discriminator's loss by a variable, as one update at a rate of 1 shows it."""
    before = ops.convert_to_numpy(variable)
    metrics = trainer.update("discriminator", 0, trainer.feed.batch(0))
    return metrics, before - ops.convert_to_numpy(variable)


def relative_error(trainer: Trainer) -> float:
    """How far the discriminator's gradient by each weight is from central differences, relative to their norm."""
    model, draw = trainer.players.discriminator, np.random.default_rng(2)
    randomize(model)
    before = {variable.path: ops.convert_to_numpy(variable) for variable in model.variables}
    update(trainer, before)
    gradients = {each.path: before[each.path] - ops.convert_to_numpy(each) for each in model.trainable_variables}
    ours, expected = [], []
    for path, gradient in gradients.items():
        for _ in range(DIRECTIONS):
            direction = draw.normal(size=gradient.shape)
            direction /= np.linalg.norm(direction)
            ours.append(np.sum(gradient * direction))
            expected.append(difference(trainer, before, path, direction))
    return float(np.linalg.norm(np.array(ours) - expected) / np.linalg.norm(expected))


def difference(trainer: Trainer, before: dict[str, Any], path: str, direction: np.ndarray) -> float:
    """The central difference of the loss by one weight along a direction."""
    shift = STEP * direction
    above, below = (update(trainer, before | {path: before[path] + sign * shift}) for sign in (1, -1))
    return (above - below) / (2 * STEP)


def update(trainer: Trainer, values: dict[str, Any]) -> float:
    """Give the discriminator these values, update it once, and return its whole loss at the values."""
    for variable in trainer.players.discriminator.variables:
        variable.assign(values[variable.path])
    metrics = trainer.update("discriminator", 0, trainer.feed.batch(0))
    parts = ("discriminator_loss", "discriminator_penalty/")
    return sum(float(value) for name, value in metrics.items() if name.startswith(parts))


def randomize(model: keras.Model) -> None:
    """Give every weight a value at which no gradient is small, and every spectral vector the one it converges to."""
    draw = np.random.default_rng(1)
    for variable in model.trainable_variables:
        variable.assign(draw.normal(size=variable.shape) * 0.5)
    for layer in model.layers:
        if isinstance(layer, layers.SpectralNormalization):
            ((kernel, _),) = kernels(layer.layer)
            matrix = ops.convert_to_numpy(kernel).reshape(-1, kernel.shape[-1])
            layer.singular_vector.assign(np.linalg.svd(matrix)[2][:1])
