"""The experiment of Gulrajani et al. 2017, https://arxiv.org/abs/1704.00028, section 3.2 and figure 1, on any data.

A Wasserstein game is played with a deep critic, whose weights are clipped or whose gradient is penalized. How large is
the gradient by each layer's activations after a while, and how are the weights distributed?
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal

from zoo import backend
from zoo.backend.options import DEFAULT_ENGINE, EngineOptions
from zoo.base.files import read_json, write_json
from zoo.base.interrupts import Interrupted, StopRequest, stop_requests
from zoo.base.plain_data import plain
from zoo.base.progress import Progress, as_progress
from zoo.data.options import DataOptions
from zoo.diagnosis.opening import at_work, folder_of, opened
from zoo.errors import ZooError
from zoo.hookspecs import hookimpl
from zoo.pipeline import DATA_OPTIONS, check_seed
from zoo.recipe import Normalization

if TYPE_CHECKING:
    from zoo.data import Dataset
    from zoo.stacks.stack import Stack
    from zoo.training.trainer import Trainer

STEPS = 500
LAYERS = 12  # the paper's
UNITS = 128
CLIPS = (0.1, 0.01, 0.001)  # the paper's
SAMPLES = 256  # of either kind, over which gradients are averaged
BINS = 41  # of a histogram of weights
DECAYS = 0.5  # orders of magnitude over all layers that count as a change


@dataclass(frozen=True)
class Depth:
    """The critics that are compared."""

    steps: int = STEPS  # of training, each with the stack's critic_steps
    layers: int = LAYERS  # hidden ones
    units: int = UNITS
    activation: Literal["relu", "tanh", "sigmoid"] = "relu"
    normalization: Normalization = "none"  # of the critic's hidden layers but the first
    clips: Sequence[float] = CLIPS

    def __post_init__(self) -> None:
        """Refuse what is no critic."""
        for name in ("steps", "layers", "units"):
            if getattr(self, name) < 1:
                raise ZooError(f"--{name} must be at least 1; received {getattr(self, name)}.")
        if any(not each > 0 for each in self.clips):
            raise ZooError(f"--clip must be above 0; received {min(self.clips):g}.")

    @property
    def critics(self) -> dict[str, float | None]:
        """The limit of clipping by the critic's name; None of the penalized one."""
        return {**{f"clipped at {clip:g}": clip for clip in self.clips}, "penalized": None}


def deep_critic(shape: Sequence[int], depth: Depth) -> Any:
    """An MLP (B, ...) -> (B, 1) with `depth.layers` hidden layers, each followed by its activation."""
    import keras

    from zoo.layers import at_ends, normalized

    samples = keras.Input(tuple(shape))
    x: Any = keras.layers.Flatten()(samples)
    for index in range(depth.layers):
        dense = keras.layers.Dense(depth.units, kernel_initializer="he_normal")  # keeps the size through ReLUs
        x = normalized(dense, depth.normalization if index else at_ends(depth.normalization))(x)
        x = keras.layers.Activation(depth.activation)(x)
    x = keras.layers.Identity(name="features")(x)
    logits = normalized(keras.layers.Dense(1), at_ends(depth.normalization))(x)
    return keras.Model(samples, logits, name="discriminator")


def critic_stack(stack: "Stack", depth: Depth, clip: float | None) -> "Stack":
    """The stack's generator against a deep critic in one of both Wasserstein games."""
    from zoo.diagnosis.games import GAMES, game_stack

    def discriminator(sample_shape: tuple[int, ...]) -> Any:
        return deep_critic(sample_shape, depth)

    games = {game.name: game for game in GAMES}
    game = games["wasserstein-penalty"] if clip is None else replace(games["wasserstein-clipping"], clip=clip)
    over = SimpleNamespace(discriminator=hookimpl(discriminator))
    return game_stack(stack, game, {"critic": over}, stack.recipe.critic_steps)


def gradient_by_layer(trainer: "Trainer", count: int = SAMPLES) -> list[float]:
    """The mean norm of the gradient of the critic's output by each layer's activations, the first layer's first.

    The means are over `count` real and as many generated samples. The critic's loss is a difference of two mean
    outputs, so that its own gradient is this one but for a sign and the number of samples.
    """
    import numpy as np
    from keras import ops

    real = trainer.dataset.scaled(trainer.dataset.spread(count))
    made = np.asarray(trainer.sampler.samples(trainer.sampler.latents(count, 0), 0), "float32")
    layers = trainer.players.discriminator.layers[1:]  # behind the input
    activations, places = [], []
    x: Any = ops.convert_to_tensor(np.concatenate([real, made]))
    for place, layer in enumerate(layers):
        x = layer(x, training=False)
        if type(layer).__name__ == "Activation":
            activations.append(x)
            places.append(place + 1)

    def above(place: int) -> Any:
        def through(values: Any) -> Any:
            for layer in layers[place:]:
                values = layer(values, training=False)
            return values

        return through

    norms = []
    for place, values in zip(places, activations, strict=True):
        slopes = ops.convert_to_numpy(trainer.engine.input_gradients(above(place), values)).astype("float64")
        norms.append(float(np.linalg.norm(slopes, axis=-1).mean()))
    return norms


def weights_of(trainer: "Trainer") -> dict[str, Any]:
    """A histogram of all of the critic's kernels, and the share of weights within 1% of the two ends of their range."""
    import numpy as np
    from keras import ops

    kernels = [each for each in trainer.players.discriminator.trainable_variables if len(each.shape) > 1]
    flat = np.concatenate([ops.convert_to_numpy(each).ravel() for each in kernels]).astype("float64")
    counts, edges = np.histogram(flat, bins=BINS)
    largest = float(np.abs(flat).max())
    return {
        "counts": counts.tolist(),
        "edges": edges.tolist(),
        "at_ends": float((np.abs(flat) >= 0.99 * largest).mean()),
    }


def verdict_of(norms: Sequence[float], most: float = DECAYS) -> tuple[str, float | None]:
    """Whether the gradient explodes, vanishes or stays on its way from the output to the input; orders of magnitude.

    It stays where it changes by at most so many.
    """
    first, last = norms[0], norms[-1]
    if first <= 0:
        return "vanishes", None
    change = math.log10(first / last) if last > 0 else math.inf
    word = "explodes" if change > most else "vanishes" if change < -most else "stays"
    return word, change if math.isfinite(change) else None


def depth(
    stack: str,
    *,
    dataset: str | Path = "swissroll",
    critics: Depth | None = None,
    data: DataOptions = DATA_OPTIONS,
    data_dir: Path | str | None = None,
    seed: int = 0,
    settings: Sequence[str] | Mapping[str, Any] = (),
    plugins: Sequence[Path | str] = (),
    out: Path | str | None = None,
    engine: EngineOptions = DEFAULT_ENGINE,
    progress: Progress | bool = True,
) -> dict[str, Any]:
    """Play Wasserstein games against deep critics, and measure the gradient by each of their layers' activations.

    `stack` brings the generator. Critics that are measured already are not trained again. Writes depth.json, plots and
    a page into `out` (diagnoses/<stack>/<dataset>/<seed>-depth), and returns what was found, JSON-ready.
    """
    check_seed(seed)
    chosen = critics or Depth()
    shown = as_progress(progress)
    resolved, rows, _ = opened(stack, dataset, data, data_dir, settings, plugins, engine, shown)
    path = folder_of(resolved, rows, f"{seed}-depth", out)
    with at_work(path, resolved, rows, engine):
        return measured_critics(resolved, rows, seed, chosen, engine, path, shown)


def measured_critics(
    stack: "Stack", rows: "Dataset", seed: int, chosen: Depth, options: EngineOptions, path: Path, progress: Progress
) -> dict[str, Any]:
    """Every critic, as far as depth.json does not hold it; what is measured is kept also where a signal comes."""
    from zoo.diagnosis.report.depth import write_depth_report

    recipe = {name: getattr(stack.recipe, name) for name in stack.recipe_sources}
    network = {name: getattr(chosen, name) for name in ("steps", "layers", "units", "activation", "normalization")}
    head = plain({
        "stack": stack.name, "dataset": rows.name, "fingerprint": rows.fingerprint, "seed": seed, "recipe": recipe,
        **network,
    })  # fmt: skip
    before = read_json(path / "depth.json") or {}
    same = all(before.get(name) == value for name, value in head.items())
    found: dict[str, Any] = {**head, "folder": str(path), "critics": dict(before["critics"]) if same else {}}
    with backend.fixed(), stop_requests() as stop_request:
        for name, clip in chosen.critics.items():
            if name not in found["critics"]:
                found["critics"][name] = played(stack, rows, seed, chosen, clip, options, name, progress, stop_request)
                write_json(path / "depth.json", found)
    write_json(path / "depth.json", found)
    write_depth_report(found, path)
    return found


def train(trainer: "Trainer", steps: int, name: str, progress: Progress, stop_request: StopRequest) -> None:
    """Take so many steps; raises Interrupted after a signal."""
    while True:
        if stop_request.number is not None:
            raise Interrupted(stop_request.number, "Stopped. What was measured is kept; the same command goes on.")
        progress.counting(name, trainer.steps, steps)
        if trainer.steps >= steps:
            return
        trainer.step_by_calls()  # `train` would refuse a generator whose gradient is 0, which is a result here
        trainer.steps += 1


def played(
    stack: "Stack", rows: "Dataset", seed: int, chosen: Depth, clip: float | None, options: EngineOptions, name: str,
    progress: Progress, stop_request: StopRequest,
) -> dict[str, Any]:  # fmt: skip
    """One critic, trained with the generator from scratch and measured."""
    from zoo.training.trainer import Trainer

    trainer = Trainer(critic_stack(stack, chosen, clip), rows, seed, backend.engine(options))
    train(trainer, chosen.steps, name, progress, stop_request)
    norms = gradient_by_layer(trainer)
    word, change = verdict_of(norms)
    return {"clip": clip, "norms": norms, "word": word, "change": change, "weights": weights_of(trainer)}
