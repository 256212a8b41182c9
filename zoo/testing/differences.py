"""Gradients against finite differences of the loss: a wrong second order shows nowhere else."""

import inspect
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.errors import ZooError
from zoo.hookspecs import Player
from zoo.recipe import Setting
from zoo.stacks.stack import HOOKS_OF_PLAYER, Stack, build_stack
from zoo.testing import keeping
from zoo.testing.subject import NotApplicableError, State, Subject
from zoo.training.trainer import Trainer
from zoo.training.updates import PLAYERS

STEPS = (1e-6, 1e-7, 1e-8)  # of central differences; a shorter one where a longer one steps over an activation's kink
TOLERANCE = 1e-4  # of the gradient, relative
MOST_WEIGHTS = 12  # of a player, each along one random direction
SETTLING = 100  # updates before, in which running vectors such as spectral normalization's find their place
STIR = 0.1  # deviation of what is added to each weight, so that none is at a zero that hides others


def check_gradients(subject: Subject) -> None:
    """Compare every player's gradient where a hook of it names `gradients`, and stops none on purpose."""
    stack = subject.stack
    players = [each for each in PLAYERS if "gradients" in stack.argument_names(*HOOKS_OF_PLAYER[each], "move_latents")]
    if not players:
        raise NotApplicableError("no hook differentiates by `gradients`")
    with computing_in("float64"), stopping_plugins(stack) as stopping:
        if not keeps_float64():
            raise NotApplicableError("differences are taken in float64, which Keras does not keep on this backend")
        trainer = stirred_trainer(subject)
        for player in players:
            stopping.clear()
            settle(trainer, player)
            if stopping:
                raise NotApplicableError(f"{stopping[0]} stops gradients on purpose: no difference is to equal them")
            compare(subject, trainer, player)


def keeps_float64() -> bool:
    """Whether the backend computes in float64 as it is set up, and Keras' operations stay in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mean = ops.mean(ops.ones((1,), dtype="float64"))
    return keras.backend.standardize_dtype(mean.dtype) == "float64"


def stirred_trainer(subject: Subject) -> Trainer:
    """A trainer that moves no weight, each of which is a little off its initial value."""
    with needing_float64():
        trainer = subject.trainer(stack=with_kept_gradients(subject.stack))
    draw = np.random.default_rng(2)
    weights = [weight for player in PLAYERS for weight in trainer.updates.weights(player)]
    for weight in weights:
        weight.assign(ops.convert_to_numpy(weight) + STIR * draw.normal(size=weight.shape))
    trainer.engine.place(weights)
    return trainer


def settle(trainer: Trainer, player: Player) -> None:
    """Let running statistics converge while no weight moves."""
    with needing_float64():
        for _ in range(SETTLING):
            trainer.calls[player](trainer.feed.update(player, trainer.steps, 0))


@contextmanager
def needing_float64() -> Iterator[None]:
    """What trains in float32 and fails here casts to float32, which it may: samples and logits are of that type."""
    try:
        yield
    except (ZooError, TypeError, ValueError) as error:
        raise NotApplicableError(f"differences are taken in float64, in which this can't run: {error}") from error


def compare(subject: Subject, trainer: Trainer, player: Player) -> None:
    """Compare the gradient by each weight with the difference quotient of the loss, along a random direction."""
    names = {id(variable): name for name, variable in trainer.variables().items()}
    before, draw = trainer.state(), np.random.default_rng(1)
    weights, gradients = kept_gradients(trainer, player)
    ours, expected = [], []
    for weight, gradient in zip(weights[:MOST_WEIGHTS], gradients, strict=False):
        direction = draw.normal(size=weight.shape)
        direction /= np.linalg.norm(direction)
        slope, name = float(np.sum(gradient * direction)), names[id(weight)]
        quotients = (quotient(trainer, player, before, name, direction, step) for step in STEPS)
        ours.append(slope)
        expected.append(nearest(slope, quotients))
    errors = np.abs(np.array(ours) - np.array(expected))
    if not np.linalg.norm(errors) <= TOLERANCE * float(np.linalg.norm(expected)):
        worst = int(np.argmax(np.nan_to_num(errors, nan=np.inf)))
        subject.fail(
            f"the {player}'s gradient by {weights[worst].path} to equal the difference quotient of its loss, "
            f"{expected[worst]:.6g} along one direction",
            f"{ours[worst]:.6g}. Some layer or function has a wrong second-order gradient: take the normalizations of "
            "zoo.layers",
        )


def nearest(slope: float, quotients: Iterable[float]) -> float:
    """The quotient that is nearest to the slope; no further one is taken once one agrees."""
    best = np.inf
    for each in quotients:
        best = each if abs(each - slope) < abs(best - slope) else best
        if abs(best - slope) <= TOLERANCE * abs(slope):
            break
    return best


def kept_gradients(trainer: Trainer, player: Player) -> tuple[list[keras.Variable], list[np.ndarray]]:
    """What the player's optimizer moves, and the gradient by each of these weights."""
    optimizer, weights = trainer.updates.optimizers(player)[0]
    loss_of(trainer, player)
    return weights, [ops.convert_to_numpy(each) for each in optimizer.kept]


def quotient(trainer: Trainer, player: Player, before: State, name: str, direction: np.ndarray, step: float) -> float:
    """The loss's change between a weight plus and minus a step in a direction, for each unit of the step."""
    ends = []
    for shift in (step * direction, -step * direction):
        trainer.set_state({**before, name: (before[name] + shift).astype(before[name].dtype)})
        ends.append(loss_of(trainer, player))
    trainer.set_state(before)
    return (ends[0] - ends[1]) / (2 * step)


def loss_of(trainer: Trainer, player: Player) -> float:
    """The player's whole loss, by one update that moves nothing."""
    row = ops.convert_to_numpy(trainer.calls[player](trainer.feed.update(player, trainer.steps, 0)))
    metrics = dict(zip(trainer.updates.metrics[player], row, strict=True))
    return float(
        sum(value for name, value in metrics.items() if name.startswith((f"{player}_loss", f"{player}_penalty/")))
    )


def with_kept_gradients(stack: Stack) -> Stack:
    """The stack with optimizers that move nothing."""
    values = [Setting(name, value, stack.recipe_sources[name]) for name, value in vars(stack.recipe).items()]
    return build_stack(stack.name, {**stack.plugins, "keeping": keeping}, [("", values)])


@contextmanager
def computing_in(floats: str) -> Iterator[None]:
    """Whatever is built meanwhile is of that precision."""
    before, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(floats)
    keras.config.set_dtype_policy(floats)
    try:
        yield
    finally:
        keras.config.set_floatx(before)
        keras.config.set_dtype_policy(policy)


@contextmanager
def stopping_plugins(stack: Stack) -> Iterator[list[str]]:
    """The plugins whose own code stops a gradient meanwhile, so that a value's slope is not its gradient."""
    files = {getattr(plugin, "__file__", None): name for name, plugin in stack.plugins.items()}
    found: list[str] = []
    before = ops.stop_gradient

    def noting(*arguments: Any, **settings: Any) -> Any:
        frame: Any = inspect.currentframe()
        if (name := files.get(frame.f_back.f_code.co_filename)) is not None:
            found.append(f"plugin '{name}'")
        return before(*arguments, **settings)

    ops.stop_gradient = noting
    try:
        yield found
    finally:
        ops.stop_gradient = before
