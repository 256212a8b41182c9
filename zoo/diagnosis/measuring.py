"""What reaches a generator through a discriminator: its gradient over batches, and the logits it came by."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from keras import ops

from zoo.diagnosis.games import Objective
from zoo.training.health import layer_names, separation
from zoo.training.terms import Terms
from zoo.training.trainer import Trainer

Tensor = Any


class Probe:
    """Measures the gradient of one objective in a game, and changes nothing of it."""

    def __init__(self, trainer: Trainer, objective: Objective) -> None:
        self.trainer = trainer
        self.objective = objective
        self.feed = replace(trainer.feed, generator_sees_real=True)
        updates = trainer.updates
        read = [*updates.owned("generator"), *updates.read_by("generator")]
        self.layers = layer_names(updates.weights("generator"))
        policy = replace(trainer.policy, xla=False)  # its seconds of compiling are not worth some hundred calls
        self.call = trainer.engine.compiled(self.traced, policy, (), read)

    def traced(self, inputs: Mapping[str, Any]) -> tuple[list[Tensor], dict[str, Tensor]]:
        """The gradient by each of the generator's weights, and the logits, in a function to be traced."""
        updates = self.trainer.updates
        moment = updates.moment("generator", inputs)
        (_, seen), gradients, _ = updates.gradients("generator", inputs, moment, self.loss, self.seen)
        return gradients, seen

    def loss(self, terms: Terms) -> tuple[Tensor, dict[str, Tensor]]:
        """The objective's mean over a batch; of the stack's own game its whole loss."""
        if self.objective.loss is None:
            return terms.loss()
        total = ops.mean(self.objective.loss(terms.fake_logits))
        return total, {"loss": total}

    def seen(self, terms: Terms) -> dict[str, Tensor]:
        """The logits of both kinds of samples, and the objective's slope at those of the fakes."""
        found = {"real_logits": terms.real_logits, "fake_logits": terms.fake_logits}
        if self.objective.loss is not None:
            found["slopes"] = terms.gradients(self.objective.loss, terms.fake_logits)
        return found

    def measured(self, update: int, batches: int) -> dict[str, Any]:
        """What is true before that update of the discriminator, over so many batches of their own."""
        answers = [self.call(self.feed.update("generator", update, number)) for number in range(batches)]
        gradients = [[ops.convert_to_numpy(each).astype("float64") for each in found] for found, _ in answers]
        seen = {
            name: np.concatenate([ops.convert_to_numpy(each[name]).astype("float64").ravel() for _, each in answers])
            for name in answers[0][1]
        }
        return {**gradient_figures(gradients, self.layers), **logit_figures(seen, self.objective)}


def gradient_figures(gradients: Sequence[Sequence[np.ndarray]], layers: Sequence[str]) -> dict[str, Any]:
    """Figures of the gradients (batches, weights) of several batches.

    `norm` is the mean over batches of a gradient's norm, `norms` holds that of each batch, `mean_norm` is the norm of
    the batches' mean, and `noise` the standard deviation of a batch's gradient relative to it, None for one batch.
    `layers` are the root mean squares over batches of the norm of each layer's gradient.
    """
    squares = np.array([[np.sum(np.square(each)) for each in batch] for batch in gradients])  # (batches, weights)
    norms = np.sqrt(squares.sum(axis=1))
    means = [np.mean([batch[place] for batch in gradients], axis=0) for place in range(len(layers))]
    mean_square = float(sum(np.sum(np.square(each)) for each in means))
    count = len(gradients)
    variance = max(0.0, float(squares.sum(axis=1).mean()) - mean_square) * count / max(1, count - 1)
    by_layer: dict[str, float] = {}
    for name, square in zip(layers, squares.mean(axis=0), strict=True):
        by_layer[name] = by_layer.get(name, 0.0) + float(square)
    return {
        "norm": float(norms.mean()),
        "norms": norms.tolist(),
        "mean_norm": mean_square**0.5,
        "noise": (variance / mean_square) ** 0.5 if count > 1 and mean_square > 0 else None,
        "layers": {name: square**0.5 for name, square in by_layer.items()},
    }


def logit_figures(seen: Mapping[str, np.ndarray], objective: Objective) -> dict[str, Any]:
    """Figures of logits: their means, how well they tell samples apart, and the objective's slope, measured and exact.

    `separation` is the chance that a real sample's logit is above a fake one's: 1/2 where the discriminator is blind.
    """
    real, fake = seen["real_logits"], seen["fake_logits"]
    found = {
        "real_logit": float(real.mean()),
        "fake_logit": float(fake.mean()),
        "separation": separation(real, fake),
    }
    if objective.slope is not None:
        # the mean over a batch divides each logit's share by their number; here it is that of one logit
        found["slope"] = float(np.abs(seen["slopes"]).mean())
        found["closed_slope"] = float(np.abs(objective.slope(fake)).mean())
    return found
