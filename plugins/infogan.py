"""InfoGAN (Chen et al. 2016), https://arxiv.org/abs/1606.03657

Some of the latents are codes: one of `codes` kinds, and `continuous_codes` numbers in [-1, 1]. A network Q on the
discriminator's body is to read them from the samples, and both players learn so that it can: the codes come to mean
what varies in the data, without any label. On any loss: `dcgan+infogan`.

The log shows the lower bounds of the mutual information between codes and samples in nats (equation 5):
`information_code`, at most log(codes), and `information_continuous`, of a Gaussian as wide as Q's error is.

When to use it: to find kinds and directions where nobody named them; with labels at hand `acgan` and `projection` need
no luck. `zoo sample RUN --condition code=3` asks for a kind, `--condition continuous=0.5,-1` for directions.

Deviations: latents are those of the stack below, N(0, 1), the paper's U(-1, 1). Q moves with the discriminator and at
its rate, as in the authors' code.
"""

import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, ZooError, hookimpl, layers, losses, networks

CODE, CONTINUOUS = "code", "continuous"
HIDDEN = 128  # units of Q's own layer, appendix C
SLOPE = 0.1  # of its leaky ReLU
SMALLEST_ERROR = 1e-12  # whose logarithm is finite


@dataclass(frozen=True)
class InfoganRecipe(Recipe):
    """Appendix C.1, MNIST: 62 latents, a code of ten kinds, two continuous ones; batches and rates of the code."""

    batch_size: int = 128
    latent_size: int = 62
    generator_learning_rate: float = 1e-3
    discriminator_learning_rate: float = 2e-4
    beta_1: float = 0.5
    codes: int = 10
    continuous_codes: int = 2
    code_weight: float = 1.0  # lambda
    continuous_weight: float = 0.1  # section 6: smaller than lambda for continuous codes

    def __post_init__(self) -> None:
        """Refuse codes that can't be."""
        super().__post_init__()
        if self.codes < 2 or self.continuous_codes < 0:
            raise ZooError(
                "InfoGAN needs codes of 2 kinds or more, and 0 continuous ones or more; received "
                f"codes={self.codes} and continuous_codes={self.continuous_codes}."
            )


@hookimpl
def recipe() -> InfoganRecipe:
    """The paper's values."""
    return InfoganRecipe()


@hookimpl(wrapper=True)
def latents(count: int, seed: keras.random.SeedGenerator, recipe: InfoganRecipe) -> Generator[None, Any, Any]:
    """The latents below, kinds (B,) with equal chances, and numbers (B, N) from U(-1, 1)."""
    below = yield
    drawn = dict(below) if isinstance(below, Mapping) else {"latents": below}
    drawn[CODE] = keras.random.randint((count,), 0, recipe.codes, seed=seed)
    if recipe.continuous_codes:
        drawn[CONTINUOUS] = keras.random.uniform((count, recipe.continuous_codes), -1.0, 1.0, seed=seed)
    return drawn


@hookimpl(wrapper=True)
def generator(recipe: InfoganRecipe) -> Generator[None, keras.Model, keras.Model]:
    """The generator below with the codes beside its latents."""
    model = yield
    further = {CODE: keras.Input((), name=CODE, dtype="int32")}
    if recipe.continuous_codes:
        further[CONTINUOUS] = keras.Input((recipe.continuous_codes,), name=CONTINUOUS)

    def vector(inputs: Mapping[str, Any]) -> Any:
        """(B, codes + N)."""
        kinds = layers.one_hot(recipe.codes, inputs[CODE])
        return keras.layers.Concatenate()([kinds, inputs[CONTINUOUS]]) if recipe.continuous_codes else kinds

    return layers.joined_latents("infogan", model, further, vector)


@hookimpl(wrapper=True)
def discriminator(recipe: InfoganRecipe) -> Generator[None, keras.Model, keras.Model]:
    """The discriminator below with Q: logits of the kinds, and the means of the continuous codes."""
    model = yield
    [features] = networks.branches(model)
    hidden = layers.normalized(keras.layers.Dense(HIDDEN), recipe.discriminator_normalization)
    read: Any = keras.layers.LeakyReLU(SLOPE)(hidden(features))
    heads = {CODE: keras.layers.Dense(recipe.codes)(read)}
    if recipe.continuous_codes:
        heads[CONTINUOUS] = keras.layers.Dense(recipe.continuous_codes)(read)
    return networks.extended(model, outputs=heads)


@hookimpl
def discriminator_penalty(fake_outputs: Mapping[str, Any], latents: Mapping[str, Any], recipe: InfoganRecipe) -> Any:
    """Equation 6: -lambda L_I(G, Q) without the codes' own entropy, which is constant."""
    return unread(fake_outputs, latents, recipe)


@hookimpl
def generator_penalty(fake_outputs: Mapping[str, Any], latents: Mapping[str, Any], recipe: InfoganRecipe) -> Any:
    """Equation 6: -lambda L_I(G, Q) without the codes' own entropy, which is constant."""
    return unread(fake_outputs, latents, recipe)


@hookimpl
def observe(player: str, fake_outputs: Mapping[str, Any], latents: Mapping[str, Any]) -> dict[str, Any]:
    """The bounds on the mutual information, in nats, after the generator's update."""
    return information(fake_outputs, latents) if player == "generator" else {}


def unread(outputs: Mapping[str, Any], latents: Mapping[str, Any], recipe: InfoganRecipe) -> Any:
    """E[-log Q(c|x)], weighted: cross-entropy of kinds, half the squared errors of Gaussians of variance 1."""
    penalty = recipe.code_weight * losses.class_cross_entropy(outputs[CODE], latents[CODE])
    if CONTINUOUS in latents:
        errors = ops.sum(ops.square(latents[CONTINUOUS] - outputs[CONTINUOUS]), axis=-1)
        penalty = penalty + recipe.continuous_weight * ops.mean(errors) / 2
    return penalty


def information(outputs: Mapping[str, Any], latents: Mapping[str, Any]) -> dict[str, Any]:
    """Equation 5: H(c) - E[-log Q(c|x)]: log K - cross-entropy; sum of log 2 - log(2 pi e V) / 2, V the mean error."""
    kinds = outputs[CODE].shape[-1]
    found = {"information_code": math.log(kinds) - losses.class_cross_entropy(outputs[CODE], latents[CODE])}
    if CONTINUOUS in latents:
        errors = ops.mean(ops.square(latents[CONTINUOUS] - outputs[CONTINUOUS]), axis=0)
        entropies = ops.log(2 * math.pi * math.e * (errors + SMALLEST_ERROR)) / 2
        found["information_continuous"] = ops.sum(math.log(2) - entropies)
    return found
