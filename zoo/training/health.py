"""The health of a run: what its gradients, weights and samples are like, measured beside the step, never inside it.

Nothing that training depends on is read in another order or written: a run with these figures has the same bits as one
without.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from keras import ops

from zoo.health import PREFIX
from zoo.hookspecs import Player
from zoo.training.terms import Terms
from zoo.training.trainer import Trainer
from zoo.training.updates import PLAYERS

Tensor = Any
COUNTER = re.compile(r"_\d+$")  # Keras numbers names by what else the process has built
COUNT = 64  # samples whose variety is measured
SEED = 0x4EA1  # of the latents of these samples, the same in every run
LARGEST = 3  # kernels of each player whose spectral norm is measured
ITERATIONS = 8  # of the power method
SATURATED = 0.99  # of tanh's range, beyond which an output's gradient is below 2%
TINY = 1e-12  # under a quotient


def layer_names(weights: Sequence[Any]) -> list[str]:
    """The name of the layer that each weight belongs to, `01 dense`, in the order of the weights; not its counter."""
    layers: dict[str, str] = {}
    for weight in weights:
        owner = layer_of(weight)
        layers.setdefault(owner, f"{len(layers) + 1:02d} {COUNTER.sub('', owner.rpartition('/')[2])}")
    return [layers[layer_of(weight)] for weight in weights]


def layer_of(weight: Any) -> str:
    """`generator/dense_1` of `generator/dense_1/kernel`."""
    return str(weight.path.rpartition("/")[0] or weight.path)


class HealthMeter:
    """Measures a trainer's health after steps of one's choice."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.before: dict[Player, list[np.ndarray]] = {}

    def begin(self) -> None:
        """Note the weights from which the next step moves away."""
        self.before = {player: self.weights(player) for player in PLAYERS}

    def end(self) -> dict[str, float]:
        """The figures after that step, by their names in metrics.jsonl."""
        found: dict[str, float] = {}
        for player in PLAYERS:
            squares, seen = self.gradients(player)
            found |= self.figures_of(player, squares)
            if player == "discriminator":
                found |= logit_figures(*seen)
        found |= self.sample_figures()
        self.before = {}
        return {f"{PREFIX}{name}": float(value) for name, value in found.items()}

    def gradients(self, player: Player, number: int = 0) -> tuple[np.ndarray, list[np.ndarray]]:
        """The squared norm of the player's gradient by each weight, and of the discriminator both kinds of logits.

        They are of the batch of that number among those of the step that comes next.
        """
        feed = replace(self.trainer.feed, on_device=bool(self.trainer.updates.resident))
        squares, logits = self.calls[player](feed.update(player, self.trainer.steps, number))
        return ops.convert_to_numpy(squares), [ops.convert_to_numpy(each).ravel() for each in logits]

    def weights(self, player: Player) -> list[np.ndarray]:
        """Copies of what the player's loss moves."""
        return [np.array(ops.convert_to_numpy(each)) for each in self.trainer.updates.weights(player)]

    @cached_property
    def calls(self) -> dict[Player, Any]:
        """Of each player the compiled function from an update's inputs to gradient norms and logits."""
        updates, engine = self.trainer.updates, self.trainer.engine
        policy = replace(self.trainer.policy, xla=False)  # it is called too seldom for XLA to be worth its seconds
        data = [*self.trainer.frozen_variables, *updates.resident.values()]
        return {
            player: engine.compiled(
                self.traced(player), policy, (), [*updates.owned(player), *updates.read_by(player), *data]
            )
            for player in PLAYERS
        }

    def traced(self, player: Player) -> Any:
        """The squared norm of the player's gradient by each weight, and, of the discriminator, both kinds of logits."""
        updates = self.trainer.updates

        def seen(terms: Terms) -> dict[str, Tensor]:
            if player == "generator":
                return {}
            return {"real": terms.real_logits, "fake": terms.fake_logits}

        def health(inputs: Mapping[str, Any]) -> tuple[Tensor, list[Tensor]]:
            moment = updates.moment(player, inputs)
            (_, logits), gradients, _ = updates.gradients(player, inputs, moment, seen=seen)
            squares = ops.stack([ops.cast(ops.sum(ops.square(each)), "float32") for each in gradients])
            return squares, [logits[name] for name in ("real", "fake") if name in logits]

        return health

    def figures_of(self, player: Player, squares: np.ndarray) -> dict[str, float]:
        """Norms of gradients and weights and the last step's size by layer, and the largest kernels' spectral norms."""
        weights = self.weights(player)
        names = layer_names(self.trainer.updates.weights(player))
        sums: dict[str, np.ndarray] = {}
        for name, square, weight, before in zip(names, squares, weights, self.before[player], strict=True):
            each = (square, np.sum(np.square(weight)), np.sum(np.square(weight - before)))
            sums[name] = sums.get(name, np.zeros(3)) + each
        found: dict[str, float] = {}
        for name, (gradient, weight, move) in sums.items():
            found[f"{player}/gradient/{name}"] = gradient**0.5
            found[f"{player}/weight/{name}"] = weight**0.5
            found[f"{player}/update/{name}"] = move**0.5 / max(weight**0.5, TINY)
        kernels = [(each.size, name, each) for name, each in zip(names, weights, strict=True) if each.ndim > 1]
        for _, name, kernel in sorted(kernels, key=lambda each: -each[0])[:LARGEST]:
            found[f"{player}/spectral/{name}"] = spectral_norm(kernel.reshape(-1, kernel.shape[-1]))
        return found

    def sample_figures(self) -> dict[str, float]:
        """How varied samples are, and of images how much contrast they have, relative to as many real ones."""
        if not self.trainer.engine.processes.writes_files:
            return {}
        sampler = self.trainer.sampler
        samples = sampler.samples(sampler.latents(COUNT, SEED), SEED)
        if not self.comparable(samples):
            return {}
        return compared(sample_statistics(np.asarray(samples, "float64"), self.trainer.dataset.is_image), self.real)

    def comparable(self, samples: Any) -> bool:
        """Whether samples have the shape of the dataset's."""
        return tuple(samples.shape[1:]) == tuple(self.trainer.dataset.sample_shape)

    @cached_property
    def real(self) -> dict[str, float]:
        """The statistics of as many real samples, spread evenly over the dataset."""
        dataset = self.trainer.dataset
        return sample_statistics(dataset.scaled(dataset.spread(COUNT), "float64"), dataset.is_image)


def logit_figures(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    """What logits say of the discriminator; accuracy has a meaning where their threshold is 0."""
    return {
        "discriminator/separation": separation(real, fake),
        "discriminator/accuracy": float(((real > 0).mean() + (fake < 0).mean()) / 2),
        "discriminator/margin": float(real.mean() - fake.mean()),
        "discriminator/real_logit": float(real.mean()),
        "discriminator/fake_logit": float(fake.mean()),
    }


def separation(real: np.ndarray, fake: np.ndarray) -> float:
    """The share of pairs (real, fake) of which the real one's logit is larger; ties count half."""
    ordered = np.sort(fake)
    below, upto = np.searchsorted(ordered, real, "left"), np.searchsorted(ordered, real, "right")
    return float((below + upto).mean() / (2 * len(fake)))


def sample_statistics(samples: np.ndarray, is_image: bool) -> dict[str, float]:
    """Root mean square distance of two samples (N, ...); of images their standard deviation and share at the ends."""
    flat = samples.reshape(len(samples), -1)
    found = {"diversity": float(np.sqrt(2 * flat.var(axis=0, ddof=1).sum())) if len(flat) > 1 else 0.0}
    if is_image:
        found["contrast"] = float(flat.std(axis=1).mean())
        found["saturated"] = float((np.abs(flat) > SATURATED).mean())
    return found


def compared(made: Mapping[str, float], real: Mapping[str, float]) -> dict[str, float]:
    """Variety and contrast of samples relative to real ones'; the share of saturated outputs beside theirs."""
    found = {
        f"samples/{name}": made[name] / max(real[name], TINY) for name in ("diversity", "contrast") if name in made
    }
    if "saturated" in made:
        found |= {"samples/saturated": made["saturated"], "real/saturated": real["saturated"]}
    return found


def spectral_norm(matrix: np.ndarray) -> float:
    """The largest singular value, from below, by a few steps of the power method from one vector for every run."""
    vector = np.asarray(np.random.default_rng(SEED).normal(size=matrix.shape[1]), matrix.dtype)
    image = matrix @ vector
    for _ in range(ITERATIONS):
        image = matrix @ (vector / max(float(np.linalg.norm(vector)), TINY))
        vector = matrix.T @ image
    return float(np.linalg.norm(image))
