"""Losses of the two players as pure functions of logits, in stable forms; schedules, and work every n updates.

Logits are (B, ...) without sigmoid, sigmoid(logit) the probability that a sample is real. A discriminator's loss is a
scalar, its mean over the logits; a generator's has one value for each logit, of which the zoo takes the mean, so that
a plugin above may weigh them.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
from keras import ops

from zoo.errors import ZooError, unknown

Tensor = Any
SHORTEST = 1e-8  # images of a half-life of 0
SMALLEST_SQUARE = 1e-12  # under the root of a norm, whose gradient at 0 would otherwise be NaN


def check_own_loss(plugin: str, family: str, loss_family: str | None) -> None:
    """For the hook `check` of a plugin whose discriminator serves its own loss: raises ZooError where another won."""
    if loss_family != family:
        raise ZooError(
            f"Plugin '{plugin}' brings a discriminator for its own loss (family {family}), and a plugin above it the "
            f"loss of another family ({loss_family}), which means nothing of its answers. Leave one of the two out."
        )


def cross_entropy_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """-log D(x) - log(1 - D(G(z))), in [0, inf), 2 ln 2 where D can't tell (Goodfellow et al. 2014, equation 1)."""
    return ops.mean(ops.softplus(-real_logits)) + ops.mean(ops.softplus(fake_logits))


def non_saturating_generator_loss(fake_logits: Tensor) -> Tensor:
    """-log D(G(z)), in [0, inf), ln 2 where D can't tell (Goodfellow et al. 2014, section 3)."""
    return ops.softplus(-fake_logits)


def minimax_generator_loss(fake_logits: Tensor) -> Tensor:
    """log(1 - D(G(z))), in (-inf, 0], -ln 2 where D can't tell; its gradient vanishes where D is sure (equation 1)."""
    return -ops.softplus(fake_logits)


def wasserstein_critic_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """The critic's E[f(G(z))] - E[f(x)]: minus the estimate of the Wasserstein distance (Arjovsky et al. 2017)."""
    return ops.mean(fake_logits) - ops.mean(real_logits)


def wasserstein_generator_loss(fake_logits: Tensor) -> Tensor:
    """-f(G(z)) (Arjovsky et al. 2017, algorithm 1)."""
    return -fake_logits


def hinge_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """max(0, 1 - D(x)) + max(0, 1 + D(G(z))), in [0, inf), 2 at zero logits (Lim and Ye 2017, equation 6)."""
    return ops.mean(ops.relu(1 - real_logits)) + ops.mean(ops.relu(1 + fake_logits))


def hinge_generator_loss(fake_logits: Tensor) -> Tensor:
    """-D(G(z)): a hinge here would stop teaching where D is fooled (Lim and Ye 2017, section 4.2)."""
    return -fake_logits


def least_squares_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """((D(x) - 1)^2 + D(G(z))^2) / 2, 1/2 at zero logits (Mao et al. 2016, equation 9)."""
    return (ops.mean(ops.square(real_logits - 1)) + ops.mean(ops.square(fake_logits))) / 2


def least_squares_generator_loss(fake_logits: Tensor) -> Tensor:
    """(D(G(z)) - 1)^2 / 2, 1/2 at zero logits (Mao et al. 2016, equation 9)."""
    return ops.square(fake_logits - 1) / 2


def class_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """E[-log p(label)] of logits (B, K) and labels (B,), in [0, inf), log K where all logits are equal."""
    chosen = ops.sum(ops.one_hot(labels, logits.shape[-1], dtype=logits.dtype) * logits, axis=-1)
    return ops.mean(ops.logsumexp(logits, axis=-1) - chosen)


def squared_norms(slopes: Tensor) -> Tensor:
    """|g|^2 of each sample's gradient, (B,): the sum of squares over all axes but the first."""
    return ops.sum(ops.square(slopes), axis=tuple(range(1, len(slopes.shape))))


def norms(vectors: Tensor) -> Tensor:
    """|v| of each sample's gradient or vector, (B,); its gradient is finite where v is 0, too."""
    return ops.sqrt(squared_norms(vectors) + SMALLEST_SQUARE)


def units(vectors: Tensor) -> Tensor:
    """Vectors (B, F) of length 1; the gradient is finite where v is 0, too."""
    return vectors / ops.expand_dims(norms(vectors), -1)


class Cosines(NamedTuple):
    """How near the embeddings of a batch are to each other, and to what stands for their classes."""

    to_proxy: Tensor  # (B,) of each sample to the proxy of its own class
    to_others: Tensor  # (B, B) of all pairs of samples
    same: Tensor  # (B, B), 1 where both samples of a pair are of one class, as on the diagonal


def cosines(embedding: Tensor, proxy: Tensor, labels: Tensor) -> Cosines:
    """Of embeddings (B, F), proxies of their classes (B, F) and labels (B,), each vector scaled to length 1."""
    embedding, proxy = units(embedding), units(proxy)
    same = ops.expand_dims(labels, 0) == ops.expand_dims(labels, 1)
    to_others = ops.matmul(embedding, ops.transpose(embedding))
    return Cosines(ops.sum(embedding * proxy, axis=-1), to_others, ops.cast(same, embedding.dtype))


def slopes(
    fields: Mapping[str, Tensor], discriminate: Callable[..., Tensor], gradients: Callable[..., Tensor]
) -> Tensor:
    """grad D(x), (B, ...), by the samples of `fields`, which are all that the discriminator D takes, D the logits."""
    return gradients(lambda samples: discriminate({**fields, "samples": samples}), fields["samples"])


def squared_slope(
    fields: Mapping[str, Tensor], discriminate: Callable[..., Tensor], gradients: Callable[..., Tensor]
) -> Tensor:
    """E[|grad D(x)|^2] by the samples of `fields`, which are all that the discriminator D takes, D the logits."""
    return ops.mean(squared_norms(slopes(fields, discriminate, gradients)))


def off_unit(slopes: Tensor) -> Tensor:
    """E[(|g| - 1)^2] of gradients (B, ...): how far their norms are from 1 (Gulrajani et al. 2017, equation 3)."""
    return ops.mean(ops.square(norms(slopes) - 1))


def between(one: Tensor, other: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
    """Points drawn uniformly from the lines between the samples of two batches (B, ...), one from each line."""
    shape = (ops.shape(one)[0],) + (1,) * (len(one.shape) - 1)
    share = keras.random.uniform(shape, seed=seed, dtype=one.dtype)
    return share * one + (1 - share) * other


def slopes_between(
    real_fields: Mapping[str, Tensor],
    fake_samples: Tensor,
    discriminate: Callable[..., Tensor],
    gradients: Callable[..., Tensor],
    seed: keras.random.SeedGenerator,
) -> Tensor:
    """grad D(x), (B, ...), at points x `between` real and generated samples, judged under the real ones' labels."""
    points = between(real_fields["samples"], fake_samples, seed)
    return slopes({**real_fields, "samples": points}, discriminate, gradients)


def mean_of_pairs(values: Tensor) -> Tensor:
    """The mean of values (B, B) of all pairs of a batch but those of a sample with itself."""
    count = values.shape[0]
    return (ops.sum(values) - ops.sum(ops.diagonal(values))) / (count * (count - 1))


def kernel(name: str, one: Tensor, other: Tensor) -> Tensor:
    """k of each vector (B, s) of one batch with each of another: (B, B).

    `rational-quadratic` and `gaussian` are sums over exponents and bandwidths as in Binkowski et al. 2018
    (https://arxiv.org/abs/1801.01401), section 3.1 and code; `distance` is |a| + |b| - |a - b|, whose discrepancy is
    the energy distance.
    """
    apart = ops.sum(ops.square(one[:, None] - other[None]), axis=-1)
    if name == "rational-quadratic":
        return sum((1 + apart / (2 * exponent)) ** -exponent for exponent in (0.2, 0.5, 1.0, 2.0, 5.0))
    if name == "gaussian":
        return sum(ops.exp(-apart / (2 * width**2)) for width in (2.0, 5.0, 10.0, 20.0, 40.0, 80.0))
    if name == "distance":
        return norms(one)[:, None] + norms(other)[None] - ops.sqrt(apart + SMALLEST_SQUARE)
    raise unknown("kernel", name, ("rational-quadratic", "gaussian", "distance"))


def squared_discrepancy(one: Tensor, other: Tensor, kernel: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """MMD^2 of two batches of vectors (B, s) without bias: no vector is compared with itself (Gretton et al. 2012)."""
    within = sum(mean_of_pairs(kernel(each, each)) for each in (one, other))
    return within - 2 * ops.mean(kernel(one, other))


def progress_of(images_seen: Tensor, recipe: Any) -> Tensor:
    """The share of the recipe's horizon that is behind, at most 1; raises ZooError without a horizon."""
    if not recipe.horizon:
        raise ZooError("A schedule of this stack needs to know how far it stretches: --set horizon=IMAGES.")
    return ops.minimum(ops.cast(images_seen, "float32") / recipe.horizon, 1.0)


def linear(start: float, end: float, progress: Tensor) -> Tensor:
    """From start to end, as progress goes from 0 to 1."""
    return start + (end - start) * progress


def cosine(start: float, end: float, progress: Tensor) -> Tensor:
    """From start to end along half a cosine: slowly at both ends, their mean at a progress of 1/2."""
    return end + (start - end) * (1 + ops.cos(math.pi * progress)) / 2


def ramped(half_life: float, share: float, images_seen: Tensor) -> Tensor:
    """A half-life in images that grows with those seen, to `share` of them, until it is what is given."""
    return ops.minimum(share * ops.cast(images_seen, "float32"), float(half_life))


def average_decay(batch_size: int, half_life: Tensor) -> Tensor:
    """The decay of an average half of which is renewed in so many images; at 0 it is the newest value."""
    return 0.5 ** (batch_size / (half_life + SHORTEST))


def ramped_average(images_seen: Tensor, recipe: Any) -> dict[str, Tensor]:
    """An average's decay, whose half-life grows with the images seen until it is the recipe's `average_images`.

    What the hook `schedule` returns in StyleGAN2 and those after it; the recipe has `average_ramp`, too.
    """
    half_life = ramped(recipe.average_images, recipe.average_ramp, images_seen)
    return {"average_decay": average_decay(recipe.batch_size, half_life)}


def falling_rates(images_seen: Tensor, recipe: Any) -> dict[str, Tensor]:
    """Both players' learning rates: constant in the first half of the recipe's horizon, then linearly to 0.

    What the hook `schedule` returns in translations (Zhu et al. 2017, arXiv:1703.10593, section 4); nothing without a
    horizon. Beyond it rates are 0.
    """
    if not recipe.horizon:
        return {}
    share = ops.clip(2 - 2 * ops.cast(images_seen, "float32") / recipe.horizon, 0, 1)
    names = ("generator_learning_rate", "discriminator_learning_rate")
    return {name: share * getattr(recipe, name) for name in names}


def every(interval: int, update: Tensor, penalty: Callable[[], Tensor], shape: tuple[int, ...] = ()) -> Tensor:
    """`interval` times the penalty in every `interval`th update, 0 in the others, where it costs nothing.

    Lazy regularization (Karras et al. 2019, arXiv:1912.04958, appendix B): the gradient is the same in the mean.
    `penalty` may differentiate by `gradients`, draws and assigns nothing, and returns a tensor of the shape.
    """
    if interval == 1:
        return penalty()
    zero = ops.zeros(shape, keras.config.floatx())
    return ops.cond(ops.equal(update % interval, 0), lambda: ops.cast(interval * penalty(), zero.dtype), lambda: zero)
