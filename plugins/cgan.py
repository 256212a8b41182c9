"""Conditional GAN (Mirza and Osindero 2014), https://arxiv.org/abs/1411.1784

The label is joined to what either player is given: to the generator's latents, and to the samples that the
discriminator judges, which so learns what a sample of that class looks like. Both are built once more, a little wider,
and keep their loss: E[log D(x|y)] + E[log(1 - D(G(z|y)))] (equation 2) on `vanilla+cgan` or `dcgan+cgan`, any other on
`dcgan+hinge+cgan`.

Labels are vectors of zeros and a one; for convolutions these become maps beside the image's channels. The paper's
maxout networks and its momentum SGD are those below, and Adam.

When to use it: where a label is easily told from a sample and the networks are small; `projection` and `reacgan` judge
more sharply.
"""

from collections.abc import Generator, Mapping
from typing import Any

import keras

from zoo import hookimpl, layers


@hookimpl(wrapper=True)
def generator(classes: int | None) -> Generator[None, keras.Model, keras.Model]:
    """G(z|y), the generator below with the label (B,) beside its latents."""
    model = yield
    return layers.labels_with_latents("cgan", model, classes)


@hookimpl(wrapper=True)
def discriminator(classes: int | None, fields: Mapping[str, Any]) -> Generator[None, keras.Model, keras.Model]:
    """D(x|y), the discriminator below with the label (B,) beside the samples."""
    model = yield
    return layers.labels_with_samples(model, layers.classes_to_judge("cgan", classes, fields, model))
