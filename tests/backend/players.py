"""Measures one update of each player of many stacks, from weights, inputs and draws that are equal on every backend.

A program: its arguments are the .npz file to write and the names of the cases, KERAS_BACKEND says on which backend.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from draws import substitute_draws
from keras import ops
from keras.src import backend
from tiny import POINTS, Case

from zoo.diagnosis.games import GAMES, game_stack
from zoo.diagnosis.measuring import Probe
from zoo.feature_networks import efficientnet, folding
from zoo.testing.subject import op_by_op
from zoo.training.trainer import Trainer

PLAYERS = ("discriminator", "generator")
WRITTEN = ("moving", "singular_vector", "seed")  # what an update writes beside the weights
OF_VARIANTS = [
    Case("vanilla"),
    Case("wgan-gp"),
    Case("cgan-projection", classes=3),
    Case("r3gan"),
    Case("r3gan-resnext", ("residual_blocks=1",)),
    Case("sngan"),
    Case("sagan", ("critic_steps=1",), classes=3),
    Case("biggan", classes=3),
    Case("stylegan2", ("mapping_layers=1",)),
    Case("gat"),
    Case("pix2pix-edges"),
    Case("cyclegan-negative"),
    Case("cut-negative"),
    Case("stargan", classes=3),
    Case("fastgan", ("reconstruction=pixels",)),  # as srgan
    Case("srgan", ("feature_weight=0", "pixel_weight=1"), (16, 16, 3)),  # the frozen network has a test of its own
    *[Case(variant, shape=POINTS) for variant in ("wgan-mlp", "wgan-gp-mlp", "pacgan-mlp")],
    *[
        Case(f"vanilla+{plugin}", shape=POINTS, classes=3)
        for plugin in ("cgan", "acgan", "infogan", "tacgan", "contragan", "reacgan")
    ],
]
LONG = (
    *("r3gan-resnext", "sngan", "sagan", "biggan", "stylegan2", "gat", "cut-negative", "fastgan", "srgan"),
    *(f"vanilla+{plugin}" for plugin in ("cgan", "acgan", "tacgan", "contragan")),
)
"""Whose networks take several seconds to compile, or whose parts others have too; `make test-all` tries them."""
PENALIZED = Case("dcgan+r1")  # a gradient differentiated through batch normalization
FURTHER = [
    Case("vanilla+r1", ("generator_objective=minimax",)),
    Case("vanilla+wgan_gp+coded", ("discriminator_normalization=spectral",), POINTS),
    Case("wgan-gp", ("discriminator_normalization=spectral",)),
    Case("conditional+r1", classes=3),
    Case("translating", shape=(8, 8, 3)),
    Case("vanilla+helping+moving", ("generator_normalization=none", "dropout=0"), POINTS),
    Case("vanilla+scheduled+observing", ("average_decay=0.5",), POINTS),
]
CASES = [*OF_VARIANTS, PENALIZED, *FURTHER]
PROBED = Case("vanilla", shape=POINTS)  # in a diagnosis
PROBED_GAMES = ("cross-entropy", "wasserstein-clipping", "wasserstein-penalty", "own")
# What is measured of which cases; "mended" is float64 with others in the place of Keras' ops that drop to float32.
MEASURED = {
    "float32": [Case("vanilla"), Case("wgan-gp"), Case("cgan-projection", classes=3), PENALIZED],
    "float64": [Case("wgan-gp-mlp", shape=POINTS), PENALIZED],
    "mended": CASES,
}
NUMPY: dict[str, tuple[Callable[[Any], Any], Callable[[np.ndarray], np.ndarray]]] = {
    "mean": (ops.mean, np.mean),
    "tanh": (ops.tanh, np.tanh),
    "var": (ops.var, np.var),
    "sum": (ops.sum, np.sum),
    "square": (ops.square, np.square),
    "sqrt": (lambda x: ops.sqrt(ops.square(x)), np.abs),
    "rsqrt": (lambda x: ops.rsqrt(ops.square(x) + 1), lambda x: 1 / np.sqrt(x**2 + 1)),
    "softplus": (ops.softplus, lambda x: np.log1p(np.exp(x))),
    "relu": (ops.relu, lambda x: np.maximum(x, 0)),
    "leaky_relu": (lambda x: ops.leaky_relu(x, 0.2), lambda x: np.where(x > 0, x, 0.2 * x)),
    "rescaling": (lambda x: keras.layers.Rescaling(0.3)(x), lambda x: 0.3 * x),
    "matmul": (lambda x: ops.matmul(x, ops.transpose(x)), lambda x: x @ x.T),
    "clip": (lambda x: ops.clip(x, -0.5, 0.5), lambda x: np.clip(x, -0.5, 0.5)),
    "where": (lambda x: ops.where(x > 0, x, 1.0), lambda x: np.where(x > 0, x, 1.0)),
}


def main(path: str, *names: str) -> None:
    """Measure these cases and write it."""
    substitute_draws()
    results: dict[str, Any] = {}
    for precision, cases in MEASURED.items():
        compute_in(precision)
        if precision == "float64":
            results.update({f"op|{name}": deviation(*pair) for name, pair in NUMPY.items()})
        for case in [each for each in cases if each.name in names]:
            found = measured(case, graph=precision != "mended")  # in float32 and float64 TensorFlow makes graphs
            results.update({f"{precision}|{case.name}|{key}": value for key, value in found.items()})
    results.update({f"probe|{key}": value for key, value in probed().items()})
    np.savez(path, **results)


def compute_in(precision: str) -> None:
    """Whatever is built from now on is of that precision."""
    floats = "float32" if precision == "float32" else "float64"
    if floats == "float64" and keras.backend.backend() == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)
    keras.config.set_floatx(floats)
    keras.config.set_dtype_policy(floats)
    if precision == "mended":
        mend_keras()


def mend_keras() -> None:
    """Put ops that keep float64 in the place of those of Keras' that don't and that the stacks use."""

    def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        total, count = (ops.sum(each, axis=axis, keepdims=keepdims) for each in (x, ops.ones_like(x)))
        return total / count

    def tanh(x: Any) -> Any:
        return 2 * ops.sigmoid(2 * x) - 1

    def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
        return ops.where(x > 0, x, negative_slope * x)

    def rescaled(layer: keras.layers.Rescaling, inputs: Any) -> Any:
        return inputs * layer.scale + layer.offset

    efficientnet.EXACT = folding.EXACT = "float64"
    keras.layers.Rescaling.call = rescaled  # type: ignore[method-assign]
    backend.numpy.mean = mean
    backend.numpy.tanh = backend.nn.tanh = tanh
    backend.nn.leaky_relu = leaky_relu


def probed() -> dict[str, np.ndarray]:
    """What a diagnosis measures before and after an update of the discriminator in each game, in float64."""
    results: dict[str, np.ndarray] = {}
    for game in [each for each in GAMES if each.name in PROBED_GAMES]:
        trainer = Trainer(game_stack(PROBED.made(), game), PROBED.dataset(), seed=3)
        trainer.compile(op_by_op())
        trainer.set_state(drawn_weights(trainer.state()))
        probes = [Probe(trainer, objective) for objective in game.objectives]
        for update in (0, 1):
            for probe in probes:
                figures = probe.measured(update, 2)
                names = ("norms", "noise", "fake_logit", "real_logit", "separation")
                results |= {f"{game.name}|{probe.objective.name}|{update}|{name}": figures[name] for name in names}
            trainer.call("discriminator", 0)
            trainer.steps += 1
    return results


def measured(case: Case, graph: bool) -> dict[str, np.ndarray]:
    """Losses, penalties and gradients of both players' first updates, and what these write."""
    trainer = Trainer(case.made("keeping"), case.dataset(), seed=3)
    if not graph:
        trainer.compile(op_by_op())
    loaded = {name for name, each in trainer.variables().items() if each.path.startswith("_")}  # of a feature network
    state = trainer.state()
    state = {**drawn_weights(state), **{name: state[name] for name in loaded}}
    results: dict[str, np.ndarray] = {}
    for player in PLAYERS:
        trainer.set_state(state)
        metrics = trainer.update(player, 0, trainer.feed.update(player, 0, 0)["batch"])
        results |= {f"{player}|metric|{name}": value for name, value in metrics.items()}
        for name, array in trainer.state().items():
            if name.startswith(f"{player}_optimizer/") and name.endswith("_gradient"):
                results[f"{player}|gradient|{name}"] = array
            elif name.startswith(f"{player}/") and any(word in name for word in WRITTEN):
                results[f"{player}|written|{name}"] = array
    return results


def drawn_weights(state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """New values for both models, functions of their order alone; optimizers and plugins stay as they are."""
    draw = np.random.default_rng(7)
    fresh = {}
    for name, array in state.items():
        if name.partition("/")[0] in PLAYERS:
            array = drawn(draw, name, array.shape).astype(array.dtype)
        fresh[name] = array
    return fresh


def drawn(draw: np.random.Generator, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Values that suit the variable."""
    if "seed" in name:
        return draw.integers(0, 2**31, shape)
    if "variance" in name:
        return draw.uniform(0.5, 2, shape)
    if "gamma" in name:
        return draw.normal(1, 0.2, shape)
    return draw.normal(0, 1, shape) / np.sqrt(np.prod(shape[:-1]))


def deviation(operation: Callable[[Any], Any], reference: Callable[[np.ndarray], np.ndarray]) -> float:
    """How far Keras' operation is from NumPy's in float64."""
    values = np.random.default_rng(0).normal(size=(6, 5))
    made = ops.convert_to_numpy(operation(ops.convert_to_tensor(values)))
    return float(np.abs(made - reference(values)).max())


if __name__ == "__main__":
    main(*sys.argv[1:])
