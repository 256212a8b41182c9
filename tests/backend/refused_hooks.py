"""Hooks that assign or make a variable where it can't be kept, each in a plugin of its own; traced, never run."""

from pathlib import Path

from tiny import POINTS, SETTINGS, Case

from zoo import ZooError
from zoo.backend.contract import Engine
from zoo.catalogue import read_catalogue
from zoo.stacks.resolving import resolve_stack
from zoo.training.trainer import Trainer
from zoo.training.updates import PLAYERS

ABOVE = """\
import keras
import zoo
from keras import ops
from zoo import hookimpl

LOSS_FAMILY = "cross-entropy"


@hookimpl
def variables():
    return {"level": keras.Variable(0.0, trainable=False)}


@hookimpl
"""
LINE = len(ABOVE.splitlines()) + 2  # of the hook's only statement
NEVER = "ops.mean(real_logits) > 1e9"
PENALTY = "def discriminator_penalty(real_logits, variables, seed):\n    return "
OBSERVE = "def observe(real_logits, step, variables):\n    return {} if "
ASSIGNING = {
    "a constant in a penalty": f"{PENALTY}ops.cond({NEVER}, lambda: variables['level'].assign(1.0), lambda: 0.0)",
    "a tensor of outside in a penalty": f"{PENALTY}(lambda outer: ops.cond({NEVER}, lambda: "
    "variables['level'].assign(outer), lambda: 0.0))(ops.mean(real_logits))",
    "a tensor of inside in a penalty": f"{PENALTY}ops.cond({NEVER}, lambda: "
    "variables['level'].assign(variables['level'] + 1.0), lambda: 0.0)",
    "in a loop in a penalty": f"{PENALTY}ops.while_loop(lambda turn: turn < 3, lambda turn: "
    "(variables['level'].assign(2.0), (turn + 1,))[1], (0,))[0] * 0.0",
    "in a loss": "def discriminator_loss(real_logits, variables):\n    return ops.mean(real_logits) + "
    f"ops.cond({NEVER}, lambda: variables['level'].assign(1.0), lambda: 0.0)",
    "a constant in observe": f"{OBSERVE}ops.cond(step > 10**6, lambda: variables['level'].assign(7.0), lambda: 0.0) "
    "is None else None",
    "a tensor of outside in observe": f"{OBSERVE}(lambda outer: ops.cond(step > 10**6, lambda: "
    "variables['level'].assign(outer), lambda: 0.0))(ops.cast(step, 'float32')) is None else None",
    "a tensor of inside in observe": f"{OBSERVE}ops.cond(step > 10**6, lambda: "
    "variables['level'].assign(variables['level'] + 7.0), lambda: 0.0) is None else None",
}
"""All of the variable that the plugin declares as `level`."""
SHARED = f"{PENALTY}0.0 * variables['level'].assign(ops.mean(real_logits))"
"""A value that on several devices TensorFlow would have several of."""
NOTHING = f"{PENALTY}0.0"
OTHERS = {
    "a draw in a branch": f"{PENALTY}ops.cond({NEVER}, lambda: keras.random.normal((), seed=seed), lambda: 0.0)",
    "a layer in a hook": "def augment(samples):\n    return keras.layers.Dense(2)(samples)",
    "a dict for a tensor": "def discriminator_penalty(generated):\n    return 0.0 * ops.shape(generated)[0]",
}


def told(folder: Path) -> dict[str, str]:
    """What is raised while the two updates are traced, by case; empty where nothing is."""
    return {name: refusal(text, folder) for name, text in {**ASSIGNING, **OTHERS}.items()}


def trainer_of(text: str, folder: Path, engine: Engine | None = None) -> Trainer:
    """A trainer of a stack with a hook of this text."""
    path = folder / "mine.py"
    path.write_text(f"{ABOVE}{text}\n")
    settings = [f"{name}={SETTINGS[name]}" for name in ("batch_size", "generator_units", "discriminator_units")]
    stack = resolve_stack("vanilla+mine", read_catalogue([path]), None, settings)
    return Trainer(stack, Case("vanilla", shape=POINTS).dataset(), engine=engine)


def refusal(text: str, folder: Path, engine: Engine | None = None) -> str:
    """The error's text."""
    try:
        trainer = trainer_of(text, folder, engine)
        updates = trainer.updates
        for player in PLAYERS:
            inputs = trainer.feed.update(player, 0, 0)
            with trainer.stack.blaming_plugins():
                updates.engine.outline(
                    updates.update_of(player), inputs, updates.owned(player), updates.read_by(player)
                )
    except ZooError as error:
        return str(error)
    return ""
