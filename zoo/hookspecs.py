"""The contract between the zoo and a plugin: the one file that a plugin's author reads.

A plugin is a module whose functions, marked `@hookimpl`, answer some of the hooks below. A run is a *stack* of
plugins, and later plugins override earlier ones hook by hook. A hook asks for what it needs by naming it among its
arguments, and only what some hook of the stack names is computed.

Sizes, everywhere in the zoo:
    B           samples in a batch (on several devices TensorFlow shows each hook its device's share)
    H, W, C     height, width and channels of an image, channels last
    D           coordinates of a point
    Z           latent dimensions, `recipe.latent_size`
Samples are float32 in any precision, images (B, H, W, C) in [-1, 1], points (B, D) in the dataset's scaled units.

How the answers of a stack's plugins combine:
    joined      every plugin's answer counts
    first       the last plugin of the stack that answers wins; `@hookimpl(wrapper=True)` may transform its answer
    chained     each plugin receives what the one before returned
    summed      the scalars of all plugins are added, and each is logged under its plugin's name

The terms that loss and penalty hooks may name (each is computed only when a hook of that player names it):
    real_samples, fake_samples      (B, ...) before augmentation
    real_labels, fake_labels        (B,) int32, or None where the dataset or the models have none
    real_outputs, fake_outputs      the discriminator's whole answer: logits, or a dict with `logits` and further heads
    real_logits, fake_logits        (B, 1), without sigmoid
    latents                         what the generator was given: a tensor or a dict
    generator, discriminator        the keras models
    discriminate(samples, labels=None)  the logits of samples, augmentation included
    generate(latents)               samples of latents
    gradients(function, inputs)     d sum(function(inputs)) / d inputs, differentiable again; discards all writes
    seed                            a keras.random.SeedGenerator; give it to every keras.random function
    step                            the number of finished steps, int32 scalar tensor
    variables                       dict of the variables that the stack's plugins declared
    recipe                          the stack's recipe

The order of hooks here is the order in which a run calls them. Use `keras.ops`, `keras.layers`, `keras.random` and the
front of `zoo`: a plugin then runs on every backend. Hooks run while the step is traced, once, never per step: decide
about tensors with `keras.ops.where` or `keras.ops.cond`, not with `if`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import keras

    from zoo.recipe import Recipe

PROJECT = "zoo"  # the name that ties markers, entry points and managers together
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

Tensor = Any  # a tensor of whichever backend runs
Outputs = Any  # a tensor, or a dict of tensors
SampleShape = tuple[int, ...]  # (H, W, C) of images or (D,) of points


@hookspec
def recipe() -> Recipe:
    """Return the plugin's hyperparameters, an instance of its own frozen subclass of `zoo.Recipe` (joined).

    The stack's recipe holds every plugin's fields. Where two plugins of a stack set one field, the later one wins.
    """
    raise NotImplementedError


@hookspec
def check(
    sample_shape: SampleShape,
    classes: int | None,
    recipe: Recipe,
    generator: keras.Model,
    discriminator: keras.Model,
    plugins: Mapping[str, Any],
    loss_family: str | None,
) -> None:
    """Raise `zoo.ZooError` where the stack can't work (all run, before training).

    `plugins` maps the names of the stack's plugins to their modules, in the stack's order. `loss_family` is the
    constant `LOSS_FAMILY`, such as "cross-entropy", of the plugin whose `discriminator_loss` wins, None without one.
    """


@hookspec
def variables(sample_shape: SampleShape, recipe: Recipe) -> dict[str, keras.Variable]:
    """Return non-trainable variables by name, unique in the stack (joined); hooks read and assign them.

    They are saved with every checkpoint: a running statistic or an adaptive probability lives here.
    """
    raise NotImplementedError


@hookspec(firstresult=True)
def latents(
    real_batch: Mapping[str, Tensor],
    count: int,
    classes: int | None,
    seed: keras.random.SeedGenerator,
    recipe: Recipe,
) -> Outputs:
    """Return `count` inputs of the generator: a tensor or a dict (first; default: N(0, 1) of (count, Z)).

    `real_batch` holds `samples` and, where there are any, `labels`. Labels of a conditional generator are added by
    the zoo, drawn uniformly from the classes, under the key `labels`.
    """


@hookspec(firstresult=True)
def generator(sample_shape: SampleShape, classes: int | None, recipe: Recipe) -> keras.Model:
    """Return the untrained model from latents to samples, or to a dict with `samples` and extras (first).

    A model with an input named `labels` is conditional; its other input is then named `latents`.
    """


@hookspec(firstresult=True)
def discriminator(sample_shape: SampleShape, classes: int | None, recipe: Recipe) -> keras.Model:
    """Return the untrained model from samples to logits (B, 1), or to a dict with `logits` and more heads (first).

    Its penultimate layer is named `features`. A model with an input named `labels` is conditional; its other input is
    then named `samples`.
    """


@hookspec(firstresult=True)
def optimizers(recipe: Recipe) -> tuple[keras.Optimizer, keras.Optimizer]:
    """Return the generator's and the discriminator's optimizer (first; default: Adam from the recipe)."""


@hookspec
def augment(
    samples: Tensor,
    seed: keras.random.SeedGenerator,
    step: Tensor,
    variables: Mapping[str, keras.Variable],
    recipe: Recipe,
) -> Tensor:
    """Return samples of the same shape, changed differentiably, before the discriminator sees them (chained).

    Real and fake samples pass alike, each with fresh random draws.
    """


@hookspec(firstresult=True)
def discriminator_loss(
    real_samples: Tensor,
    fake_samples: Tensor,
    real_labels: Tensor,
    fake_labels: Tensor,
    real_outputs: Outputs,
    fake_outputs: Outputs,
    real_logits: Tensor,
    fake_logits: Tensor,
    latents: Outputs,
    generator: keras.Model,
    discriminator: keras.Model,
    discriminate: Callable[..., Tensor],
    generate: Callable[[Outputs], Tensor],
    gradients: Callable[[Callable[[Tensor], Tensor], Tensor], Tensor],
    seed: keras.random.SeedGenerator,
    step: Tensor,
    variables: Mapping[str, keras.Variable],
    recipe: Recipe,
) -> Tensor:
    """Return the scalar that the discriminator (or critic) minimizes, without penalties (first)."""


@hookspec
def discriminator_penalty(
    real_samples: Tensor,
    fake_samples: Tensor,
    real_labels: Tensor,
    fake_labels: Tensor,
    real_outputs: Outputs,
    fake_outputs: Outputs,
    real_logits: Tensor,
    fake_logits: Tensor,
    latents: Outputs,
    generator: keras.Model,
    discriminator: keras.Model,
    discriminate: Callable[..., Tensor],
    generate: Callable[[Outputs], Tensor],
    gradients: Callable[[Callable[[Tensor], Tensor], Tensor], Tensor],
    seed: keras.random.SeedGenerator,
    step: Tensor,
    variables: Mapping[str, keras.Variable],
    recipe: Recipe,
) -> Tensor:
    """Return a scalar, already weighted, to add to the discriminator's loss (summed)."""


@hookspec(firstresult=True)
def generator_loss(
    real_samples: Tensor,
    fake_samples: Tensor,
    real_labels: Tensor,
    fake_labels: Tensor,
    real_outputs: Outputs,
    fake_outputs: Outputs,
    real_logits: Tensor,
    fake_logits: Tensor,
    latents: Outputs,
    generator: keras.Model,
    discriminator: keras.Model,
    discriminate: Callable[..., Tensor],
    generate: Callable[[Outputs], Tensor],
    gradients: Callable[[Callable[[Tensor], Tensor], Tensor], Tensor],
    seed: keras.random.SeedGenerator,
    step: Tensor,
    variables: Mapping[str, keras.Variable],
    recipe: Recipe,
) -> Tensor:
    """Return the scalar that the generator minimizes, without penalties (first).

    A stack whose generator names `real_samples`, `real_labels`, `real_outputs` or `real_logits` is given a real
    batch of its own for the generator's update.
    """


@hookspec
def generator_penalty(
    real_samples: Tensor,
    fake_samples: Tensor,
    real_labels: Tensor,
    fake_labels: Tensor,
    real_outputs: Outputs,
    fake_outputs: Outputs,
    real_logits: Tensor,
    fake_logits: Tensor,
    latents: Outputs,
    generator: keras.Model,
    discriminator: keras.Model,
    discriminate: Callable[..., Tensor],
    generate: Callable[[Outputs], Tensor],
    gradients: Callable[[Callable[[Tensor], Tensor], Tensor], Tensor],
    seed: keras.random.SeedGenerator,
    step: Tensor,
    variables: Mapping[str, keras.Variable],
    recipe: Recipe,
) -> Tensor:
    """Return a scalar, already weighted, to add to the generator's loss (summed)."""
