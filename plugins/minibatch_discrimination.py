"""Minibatch discrimination (Salimans et al. 2016, section 3.2), https://arxiv.org/abs/1606.03498

The discriminator sees how near each sample's features are to those of the others of its batch, on top of any stack:
`dcgan+minibatch_discrimination`. On several devices TensorFlow compares the samples of each device's share.

When to use it: against a collapse that shows within a batch. `stylegan2`'s deviation of a minibatch is the cheaper
form, `pacgan` the one with a theory.
"""

from collections.abc import Generator
from dataclasses import dataclass

import keras

from zoo import Recipe, ZooError, hookimpl, layers, networks


@dataclass(frozen=True)
class MinibatchDiscriminationRecipe(Recipe):
    """The paper's code."""

    minibatch_kernels: int = 100  # B
    minibatch_size: int = 5  # C


@hookimpl
def recipe() -> MinibatchDiscriminationRecipe:
    """The paper's values."""
    return MinibatchDiscriminationRecipe()


@hookimpl
def check(discriminator: keras.Model) -> None:
    """Refuse a plugin above that reads the features below once more and leaves this one's layer out."""
    if not any(isinstance(layer, layers.MinibatchDiscrimination) for layer in discriminator.layers):
        raise ZooError(
            "Plugin 'minibatch_discrimination' has lost its layer: a plugin above it brings logits of its own. Put it "
            "last, or leave it out."
        )


@hookimpl(wrapper=True)
def discriminator(recipe: MinibatchDiscriminationRecipe) -> Generator[None, keras.Model, keras.Model]:
    """A logit of the features below and of how near they are to others', in the place of the one below."""
    model = yield
    networks.check_tells_apart("minibatch_discrimination", model)
    [features] = networks.branches(model)
    compared = layers.MinibatchDiscrimination(recipe.minibatch_kernels, recipe.minibatch_size)(features)
    logits = layers.normalized(keras.layers.Dense(1), layers.at_ends(recipe.discriminator_normalization))(compared)
    return networks.extended(model, outputs={"logits": logits})
