"""Top-k Training of GANs (Sinha et al. 2020), https://arxiv.org/abs/2002.06224

The generator learns from those samples of its batch alone that the discriminator finds most realistic, at first from
all, with each epoch from fewer, on top of any stack whose generator's loss has a value a logit: `dcgan+top_k`,
`vanilla+top_k`. The discriminator is not changed. On several devices TensorFlow ranks each device's share.

When to use it: late in a training, on top of what works: it sharpens samples by ignoring the worst. Early it throws
gradients away, which is why k begins at the whole batch.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, ZooError, hookimpl, networks


@dataclass(frozen=True)
class TopKRecipe(Recipe):
    """Section 3: k falls by a hundredth with each epoch, to half of the batch."""

    top_k_decay: float = 0.99  # gamma, an epoch
    top_k_least: float = 0.5  # nu, of the batch
    top_k_epoch: int = 50_000  # images, CIFAR-10's


@hookimpl
def recipe() -> TopKRecipe:
    """The paper's values."""
    return TopKRecipe()


@hookimpl
def check(discriminator: keras.Model) -> None:
    """Only logits that tell real from generated samples have an order."""
    networks.check_tells_apart("top_k", discriminator)


@hookimpl(wrapper=True)
def generator_loss(fake_logits: Any, images_seen: Any, recipe: TopKRecipe) -> Generator[None, Any, Any]:
    """The mean of the loss below over the k samples of the highest logits."""
    values = yield
    if not len(ops.shape(values)):
        raise ZooError(
            "Plugin 'top_k' needs a generator's loss with a value a logit; the one below has a single value for the "
            "whole batch."
        )
    each, scores = of_samples(values), of_samples(fake_logits)
    count = each.shape[0]
    kept = kept_of(count, images_seen, recipe)
    ahead = ops.logical_or(scores[None] > scores[:, None], ops.logical_and(*ties(scores)))
    rank = ops.sum(ops.cast(ahead, "int32"), axis=1)
    return ops.where(rank < kept, each, 0.0) * count / ops.cast(kept, each.dtype)


@hookimpl
def observe(player: str, images_seen: Any, recipe: TopKRecipe) -> Mapping[str, Any]:
    """Log k, of a whole batch."""
    count = recipe.batch_size * recipe.generator_batch_factor
    return {"k": kept_of(count, images_seen, recipe)} if player == "generator" else {}


def kept_of(count: int, images_seen: Any, recipe: TopKRecipe) -> Any:
    """k of a batch of that many samples, at least 1."""
    epochs = ops.cast(images_seen // recipe.top_k_epoch, "float32")
    share = ops.maximum(recipe.top_k_decay**epochs, recipe.top_k_least)
    return ops.cast(ops.maximum(ops.floor(share * count), 1), "int32")


def of_samples(values: Any) -> Any:
    """The mean of each sample's values, (B,)."""
    return ops.mean(ops.reshape(values, (values.shape[0], -1)), axis=1)


def ties(scores: Any) -> tuple[Any, Any]:
    """(B, B): whether a score is equal to another, and the other comes before it in the batch."""
    places = ops.arange(scores.shape[0])
    return ops.equal(scores[None], scores[:, None]), places[None] < places[:, None]
