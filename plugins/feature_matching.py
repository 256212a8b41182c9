"""Feature matching (Salimans et al. 2016, section 3.1), https://arxiv.org/abs/1606.03498

The generator is to make the mean of the discriminator's features over a batch that of real samples, in the place of its
own loss; the discriminator keeps its loss. On top of any stack: `dcgan+feature_matching`, `vanilla+feature_matching`.
The square is a sum over features, as in the paper; its code takes their mean. On several devices TensorFlow compares
the means of each device's share.

When to use it: where a generator and a strong discriminator do not come to terms, or for semi-supervised
classification, its origin. Samples are blurred where features of a batch's mean say little.
"""

from collections.abc import Generator
from typing import Any

from keras import ops

from zoo import hookimpl


@hookimpl(wrapper=True)
def generator_loss(real_features: Any, fake_features: Any) -> Generator[None, Any, Any]:
    """|E[f(x)] - E[f(G(z))]|_2^2, f the discriminator's layer `features`, on a real batch of its own."""
    yield
    return ops.sum(ops.square(ops.mean(real_features, axis=0) - ops.mean(fake_features, axis=0)))
