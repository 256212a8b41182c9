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

**Fields** are the named tensors of a dataset's rows: `samples`, `labels` where it has classes, and whatever else it
holds or a plugin derives (hook `derive`), such as `source`, what a translation starts from. Models are matched to them
by the names of their inputs:
    a generator's input     named after a field receives it; `labels` are drawn as `recipe.fake_labels` says;
                            `targets` (B, K) are the values of the field `attributes` that an image is to get;
                            `truncation` (B, 1) receives psi, which is 1 in training; any other input is a latent
    a discriminator's       receives, judging real samples, the real batch's field of that name; judging fakes, what
    input                   the generator returned under that name, else what it was given, else the batch's field
A plugin that compares samples with what is made of the `source` of their rows declares `NEEDS_PAIRS = True`, a constant
of its module: it is refused where the field has an order of its own.
A model with a single input need not name it: it is the generator's `latents`, the discriminator's `samples`.

How the answers of a stack's plugins combine:
    joined      every plugin's answer counts
    first       the last plugin of the stack that answers wins; `@hookimpl(wrapper=True)` may transform its answer
    chained     each plugin receives what the one before returned
    summed      the scalars of all plugins are added, and each is logged under its plugin's name

The order of hooks here is the order in which a run calls them. Use `keras.ops`, `keras.layers`, `keras.random` and the
front of `zoo`: a plugin then runs on every backend. Hooks run while the step is traced, once, never per step: decide
about tensors with `keras.ops.where` or `keras.ops.cond`, not with `if`. docs/plugins has an example of every hook.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pluggy

if TYPE_CHECKING:
    import keras

    from zoo.networks import Network
    from zoo.recipe import Recipe

PROJECT = "zoo"  # the name that ties markers, entry points and managers together
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

Tensor = Any  # a tensor of whichever backend runs
Tensors = Mapping[str, Tensor]
Shape = tuple[int, ...]  # of a sample: (H, W, C) of an image or (D,) of a point
Player = Literal["discriminator", "generator"]
Fields = Mapping[str, Any]  # name to zoo.data.fields.Field: kind, shape, classes


class Moment(Protocol):
    """When an update happens, and what is at hand at any time."""

    player: Player  # whose update it is
    step: Tensor  # finished steps, int32 scalar
    update: Tensor  # finished updates of this player, int32 scalar: `zoo.losses.every(n, update, ...)` is lazy work
    images_seen: Tensor  # real images that the discriminator has consumed, int32 scalar
    progress: Tensor  # images_seen / recipe.horizon, at most 1: a horizon must be set where a hook names it
    variables: Mapping[str, keras.Variable]  # what the stack's plugins declared
    networks: Mapping[str, keras.Model]  # the further networks that they declared
    generator: keras.Model
    discriminator: keras.Model
    classes: int | None  # of the dataset's labels
    fields: Fields  # of the data, by name
    recipe: Recipe  # with the values of now, where the hook `schedule` changes some


class Terms(Moment, Protocol):
    """What loss and penalty hooks may name; each is computed only when a hook of that player names it.

    The generator's update has a real batch of its own where one of its hooks names a term that needs one.
    """

    real_samples: Tensor  # (B, ...) before augmentation
    fake_samples: Tensor
    real_labels: Tensor | None  # (B,) int32, None where the dataset has none
    fake_labels: Tensor | None  # what the generator was given, else the real ones for a discriminator that takes labels
    real_fields: Tensors  # all that the discriminator is given, by the names of its inputs, before augmentation
    fake_fields: Tensors
    real_outputs: Tensors  # its whole answer: `logits`, `features` where a layer is named so, further heads
    fake_outputs: Tensors
    real_logits: Tensor  # (B, ...) without sigmoid: (B, 1), or patches (B, h, w, 1), or a vector (B, K)
    fake_logits: Tensor
    real_features: Tensor  # of the discriminator's layer `features`
    fake_features: Tensor
    batch: Tensors  # every field of the real batch
    latents: Any  # what the generator was given: a tensor, or a dict by its inputs' names
    drawn_latents: Any  # the same before the hook `move_latents`
    generated: Tensors  # all that the generator returned: `samples` and extras
    discriminate: Callable[..., Tensor]  # samples, or the discriminator's inputs by name, to logits; augments
    judge: Callable[..., Tensors]  # the same to its whole answer; judge(fields, augmented=False) does not augment
    generate: Callable[[Any], Tensor]  # samples of latents; `generator(latents, training=True)` gives the extras too
    draw_latents: Callable[..., Any]  # draw_latents(count=B): further latents from the stack's own distribution
    averaged: Callable[[Any], Tensor]  # samples of latents by the averaged generator, in inference mode
    gradients: Callable[[Callable[[Any], Tensor], Any], Any]
    """gradients(function, inputs): d sum(function(inputs)) / d inputs, differentiable again; discards all writes.
    The inputs are a tensor, or a list or dict of tensors."""
    seed: keras.random.SeedGenerator  # give it to every keras.random function


class Observed(Moment, Protocol):
    """What `observe` may name: the tensors of the update that has just been made, over the batch of all devices.

    Nothing is computed for it alone: a term that the update did not need is None.
    """

    real_samples: Tensor
    fake_samples: Tensor
    real_labels: Tensor
    fake_labels: Tensor
    real_outputs: Tensors
    fake_outputs: Tensors
    real_logits: Tensor
    fake_logits: Tensor
    batch: Tensors
    latents: Any
    generated: Tensors
    weights: list[keras.Variable]  # of the player, as they are now
    weight_gradients: list[Tensor]  # by these weights, of the update


def naming(*protocols: type, leaving_out: tuple[str, ...] = ()) -> Callable[[Any], Any]:
    """Let implementations of a hook name whatever the protocols do, beside the hook's own arguments."""

    def named(function: Any) -> Any:
        own = list(inspect.signature(function).parameters)
        names = [name for each in protocols for base in reversed(each.__mro__) for name in own_names(base)]
        function.argument_names = tuple(each for each in dict.fromkeys([*own, *names]) if each not in leaving_out)
        return function

    return named


def own_names(protocol: type) -> list[str]:
    """The attributes that a protocol itself annotates."""
    return list(inspect.get_annotations(protocol))


@hookspec
def recipe() -> Recipe:
    """Return the plugin's hyperparameters, an instance of its own frozen subclass of `zoo.Recipe` (joined).

    The stack's recipe holds every plugin's fields. Where two plugins of a stack set one field, the later one wins.
    """
    raise NotImplementedError


@hookspec
def derive(
    batch: Tensors, other_batch: Tensors, classes: int | None, seed: keras.random.SeedGenerator, recipe: Recipe
) -> Tensors:
    """Return further fields of a batch, by name, computed on the device from those that it has (chained).

    Edges, gray or smaller pictures, masks: any dataset then serves a translation. Images are (B, H, W, C) in [-1, 1].
    `other_batch` holds the same fields of other rows, in an order of their own: what is derived from it is unpaired.
    """
    raise NotImplementedError


@hookspec
def judged_shape(sample_shape: Shape, recipe: Recipe) -> Shape:
    """Return the shape of the samples that the discriminator judges (chained; default: the dataset's).

    A plugin that answers makes samples of that shape in its `augment`. The discriminator's `sample_shape` is this one.
    """
    raise NotImplementedError


@hookspec(firstresult=True)
def generator(sample_shape: Shape, classes: int | None, fields: Fields, recipe: Recipe) -> keras.Model:
    """Return the untrained model from latents to samples, or to a dict with `samples` and extras (first).

    One that returns `styles` (B, rows, K) too, and has a layer `synthesis`, a model from them to samples, is
    style-based: `zoo sample --mix` mixes its styles.
    """


@hookspec(firstresult=True)
def discriminator(sample_shape: Shape, classes: int | None, fields: Fields, recipe: Recipe) -> keras.Model:
    """Return the untrained model from samples to logits (B, ...), or to a dict with `logits` and more heads (first).

    Its penultimate layer is named `features`. A plugin above adds a head or an input to the model below by a wrapper
    and `zoo.networks.extended`.
    """


@hookspec
def networks(sample_shape: Shape, classes: int | None, fields: Fields, recipe: Recipe) -> Mapping[str, Network]:
    """Return further networks by name, unique in the stack, as `zoo.Network`: an encoder, a frozen network (joined).

    A trained one belongs to a player: its weights move with that player's loss, by the player's optimizer or one of
    its own. A frozen one is in no checkpoint; run.yaml keeps the hash of its weights, which must be the same again.
    """
    raise NotImplementedError


@hookspec
def check(
    sample_shape: Shape,
    classes: int | None,
    fields: Fields,
    recipe: Recipe,
    generator: keras.Model,
    discriminator: keras.Model,
    networks: Mapping[str, keras.Model],
    plugins: Mapping[str, Any],
    loss_family: str | None,
) -> None:
    """Raise `zoo.ZooError` where the stack can't work (all run, before training).

    `plugins` maps the names of the stack's plugins to their modules, in the stack's order. `loss_family` is the
    constant `LOSS_FAMILY`, such as "cross-entropy", of the plugin whose `discriminator_loss` wins, None without one.
    """


@hookspec
def advice(loss_family: str | None, recipe: Recipe) -> str:
    """Return what to try where training diverges, as it would follow "Try" in a sentence (joined)."""
    raise NotImplementedError


@hookspec
def variables(
    sample_shape: Shape,
    classes: int | None,
    fields: Fields,
    generator: keras.Model,
    discriminator: keras.Model,
    recipe: Recipe,
) -> dict[str, keras.Variable]:
    """Return non-trainable variables by name, unique in the stack (joined); hooks read and assign them.

    They are saved with every checkpoint: a running statistic or an adaptive probability lives here.
    """
    raise NotImplementedError


@hookspec(firstresult=True)
def optimizers(recipe: Recipe) -> tuple[keras.Optimizer, keras.Optimizer]:
    """Return the generator's and the discriminator's optimizer (first; default: Adam from the recipe)."""


@hookspec
def schedule(progress: Tensor, images_seen: Tensor, step: Tensor, recipe: Recipe) -> Mapping[str, Tensor]:
    """Return values of recipe fields by name that change while a run trains (joined; the later plugin wins).

    Every hook of the update then sees them in `recipe`. `generator_learning_rate`, `discriminator_learning_rate`,
    `beta_1`, `beta_2` and `average_decay` are heeded by the zoo itself. `zoo.losses.cosine` and `zoo.losses.linear` go
    from one value to another.
    """
    raise NotImplementedError


@hookspec(firstresult=True)
def latents(
    real_batch: Tensors,
    count: int,
    classes: int | None,
    truncation: float | None,
    seed: keras.random.SeedGenerator,
    recipe: Recipe,
) -> Any:
    """Return `count` inputs of the generator: a tensor, or a dict by the inputs' names (first; default: N(0, 1)).

    What it leaves out is added: labels, and the fields that the generator's inputs are named after. `real_batch` holds
    every field of a batch, of held-out rows where samples are drawn. `truncation` is None in training; a number below 1
    asks for samples that are more typical and less varied.
    """


@hookspec
@naming(Terms, leaving_out=("averaged", "draw_latents", "drawn_latents", "generated", "fake_samples"))
def move_latents() -> Any:
    """Return the latents, changed with the models in hand, before anything is generated of them (chained).

    May name the terms of the real batch, the moment and the functions; every later term sees the moved latents.
    """


@hookspec
@naming(Moment)
def augment(samples: Tensor, others: Tensors, is_real: bool | None, seed: keras.random.SeedGenerator) -> Any:
    """Return samples, changed differentiably, before the discriminator sees them (chained).

    `others` are the discriminator's other inputs by name; an answer that is a dict changes those too. `is_real` says
    whose samples they are: True, False, or None for samples that a hook gave to `discriminate` or `judge` itself. Each
    call has fresh random draws. Also names what every hook of an update may name: the player, the step, the variables.
    """


@hookspec(firstresult=True)
@naming(Terms)
def discriminator_loss() -> Tensor:
    """Return what the discriminator (or critic) minimizes, without penalties: a scalar, or a value a logit (first).

    The zoo takes the mean of values. Both losses of a stack come from one plugin, or from two that declare the same
    `LOSS_FAMILY`: they are one game.
    """


@hookspec
@naming(Terms)
def discriminator_penalty() -> Tensor:
    """Return a scalar, already weighted, to add to the discriminator's loss (summed)."""


@hookspec(firstresult=True)
@naming(Terms)
def generator_loss() -> Tensor:
    """Return what the generator minimizes, without penalties: a scalar, or a value a logit (first).

    A plugin above may weigh values of single samples in a wrapper, as top-k training does.
    """


@hookspec
@naming(Terms)
def generator_penalty() -> Tensor:
    """Return a scalar, already weighted, to add to the generator's loss (summed)."""


@hookspec
@naming(Observed)
def observe() -> Mapping[str, Tensor]:
    """Return scalars to log by name, once an update is made; assign `variables` or the player's weights (joined).

    It runs after each player's updates; `player` says whose. What it assigns counts, once a batch on any number of
    devices: controllers, running means and moved weights belong here.
    """
