"""Networks beside the two players, and models that a plugin extends: what hooks that build models work with."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from typing import Any, Literal

import keras
from keras import ops

from zoo.backend.scopes import Scope
from zoo.errors import ZooError

FEATURES = "features"  # the name of the discriminator's penultimate layer
BRANCH = "features_of_head_"  # and of what further heads read
SMALLEST_SIDE = 4  # pixels of the shorter side of the smallest map; it has fewer than twice as many
FEWEST_HALVINGS = 2
WIDEST_AT = 32  # pixels of the shorter side, above which channels halve with each doubling
BUILT = "build_config"  # of a layer inside another one's configuration
VECTOR = "vector_in_place_of_logits"
SOURCE = "source"  # the field that a translation starts from
TRUNCATION = "truncation"  # a generator's input that is 1 in training


@dataclass(frozen=True)
class Network:
    """A further network of a stack, as the hook `networks` declares it."""

    model: keras.Model
    trained_with: Literal["generator", "discriminator"] | None = None
    """The player whose loss moves its weights; None freezes them: no checkpoint holds them."""
    optimizer: keras.Optimizer | None = None
    """Its own; None lets its player's optimizer move it."""

    @property
    def weights(self) -> list[keras.Variable]:
        """What training moves."""
        return list(self.model.trainable_variables) if self.trained_with else []


def smallest_map(plugin: str, sample_shape: tuple[int, ...], largest: int = 1024) -> tuple[int, int, int]:
    """Height and width of the map from which images (H, W, C) are doubled, and how often: 4, 4 and 3 of 32 pixels.

    The map's shorter side has 4 to 7 pixels. Raises ZooError, which names the plugin, for points, and for images that
    don't halve to such a map in two steps or more, or whose longer side has more than `largest` pixels.
    """
    height, width = sample_shape[:2] if len(sample_shape) == 3 else (0, 0)
    halvings = 0
    while min(height, width) >= 2 * SMALLEST_SIDE and height % 2 == width % 2 == 0:
        height, width, halvings = height // 2, width // 2, halvings + 1
    too_large = max(height, width) * 2**halvings > largest
    if halvings < FEWEST_HALVINGS or min(height, width) >= 2 * SMALLEST_SIDE or too_large:
        raise ZooError(
            f"Plugin '{plugin}' makes images of up to {largest} pixels whose sides can be halved until the shorter one "
            f"has {SMALLEST_SIDE} to {2 * SMALLEST_SIDE - 1}: 16, 28, 32, 48, 64, 96, 128, 64 x 128. Received samples "
            f"of shape {sample_shape}. Choose a size with --image-size, or for points "
            "a variant that makes them: zoo list."
        )
    return height, width, halvings


def given_source(plugin: str, fields: Mapping[str, Any], task: str) -> tuple[int, ...]:
    """The shape of the field `source`, which a translation starts from.

    Raises ZooError, which names the plugin, where there is none; `task` is a plugin that derives it.
    """
    if SOURCE not in fields:
        raise ZooError(
            f"Plugin '{plugin}' translates from the field '{SOURCE}', which this dataset has not. Read it with "
            f"--source-from or from an .npz, or put a task that derives it on top, as in {plugin}+{task}."
        )
    return tuple(fields[SOURCE].shape)


def uniform_latents(count: int, seed: keras.random.SeedGenerator, recipe: Any) -> Any:
    """Latents (count, Z) from U(-1, 1): what the hook `latents` returns in papers before the normal distribution."""
    return keras.random.uniform((count, recipe.latent_size), -1.0, 1.0, seed=seed)


def width_at(side: int, width: int) -> int:
    """Channels of a map whose shorter side has so many pixels: the width up to 32, an eighth of it at 256.

    So in StyleGAN2 (Karras et al. 2019, arXiv:1912.04958) and R3GAN (Huang et al. 2024, arXiv:2501.05441).
    """
    return max(1, min(width, width * WIDEST_AT // side))


@keras.saving.register_keras_serializable(package="zoo")
class Clip(keras.constraints.Constraint):
    """Keeps every weight in [-limit, limit]."""

    def __init__(self, limit: float) -> None:
        self.limit = limit

    def __call__(self, weight: Any) -> Any:
        """The weight, clipped."""
        return keras.ops.clip(weight, -self.limit, self.limit)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the constraint."""
        return {"limit": self.limit}


def clip_weights(model: keras.Model, limit: float) -> None:
    """Keep every weight of a model in [-limit, limit], now and after every update."""
    for weight in model.trainable_variables:
        weight.constraint = Clip(limit)
        weight.assign(weight.constraint(weight))


def weights_hash(model: keras.Model) -> str:
    """sha256 of the values of all of a model's variables, in their order."""
    digest = hashlib.sha256()
    for variable in model.variables:
        array = keras.ops.convert_to_numpy(variable)
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def inputs_of(model: keras.Model, alone: str) -> dict[str, Any]:
    """A model's symbolic inputs by name; a single input that has no name of its own is called `alone`."""
    if isinstance(model.input, dict):
        return dict(model.input)
    if len(model.inputs) == 1 and str(model.inputs[0].name).startswith("keras_tensor"):
        return {alone: model.inputs[0]}
    return {str(each.name): each for each in model.inputs}


def called(model: keras.Model, values: Mapping[str, Any], alone: str, **options: Any) -> Any:
    """What a model answers, its inputs taken from `values` by their names."""
    names = list(inputs_of(model, alone))
    if isinstance(model.input, dict):
        return model({name: values[name] for name in names}, **options)
    inputs = [values[name] for name in names]
    return model(inputs[0] if len(inputs) == 1 and not isinstance(model.input, list) else inputs, **options)


def outputs_of(model: keras.Model, alone: str) -> dict[str, Any]:
    """A model's symbolic outputs by name; a single output that is in no dict is called `alone`."""
    return dict(model.output) if isinstance(model.output, dict) else {alone: model.output}


def features_of(model: keras.Model) -> Any:
    """The symbolic output of the discriminator's layer `features`; raises ZooError where it has none."""
    if FEATURES not in [layer.name for layer in model.layers]:
        raise ZooError(
            f"The discriminator '{model.name}' has no layer named '{FEATURES}', on which a plugin of this stack "
            "builds. "
            "Name its penultimate layer so, or put the plugin on other networks."
        )
    return model.get_layer(FEATURES).output


def named_inputs(model: keras.Model) -> dict[str, Any]:
    """A discriminator's symbolic inputs by name, of which a single one without a name becomes `samples`."""
    found = inputs_of(model, "samples")
    for name, tensor in found.items():
        tensor.name = name  # Keras wants them equal
    return found


def extended(
    model: keras.Model, inputs: Mapping[str, Any] | None = None, outputs: Mapping[str, Any] | None = None
) -> keras.Model:
    """A discriminator with further symbolic inputs, and further or other outputs; what it had stays.

    So heads and inputs of several plugins stack on one model. `outputs` by the name `logits` replaces the logits.
    Its first input is called `samples`, its own output `logits`, unless they have names already.
    """
    own_inputs = named_inputs(model)
    if doubled := [name for name, each in (inputs or {}).items() if own_inputs.get(name, each) is not each]:
        raise ZooError(
            f"The model '{model.name}' has an input '{min(doubled)}' already: extend it with "
            "zoo.networks.input_of(model, name, ...), which takes the one that is there."
        )
    return keras.Model(
        {**own_inputs, **(inputs or {})}, {**outputs_of(model, "logits"), **(outputs or {})}, name=model.name
    )


def input_of(model: keras.Model, name: str, shape: tuple[int, ...] = (), dtype: str = "float32") -> Any:
    """The model's symbolic input of that name, or a new one to extend it with."""
    own = named_inputs(model)
    return own[name] if name in own else keras.Input(shape, name=name, dtype=dtype)


def branches(model: keras.Model, count: int = 1) -> list[Any]:
    """The discriminator's symbolic features (B, F), flattened, once for each of `count` heads that are to read them.

    Each branches off the one before, also of plugins below, so that no tensor is read three times: TensorFlow adds the
    gradients of three readers in another order, and so to other bits, whenever a step is compiled.
    """
    numbers = [int(each.name.removeprefix(BRANCH)) for each in model.layers if each.name.startswith(BRANCH)]
    first = max(numbers, default=0) + 1
    features = model.get_layer(f"{BRANCH}{first - 1}").output if numbers else features_of(model)
    found = []
    for number in range(first, first + count):
        features = keras.layers.Flatten(name=f"{BRANCH}{number}")(features)
        found.append(features)
    return found


def vector_critic(model: keras.Model, dimensions: int) -> keras.Model:
    """The discriminator with a linear vector (B, dimensions) of its features in the place of its logits."""
    [features] = branches(model)
    return extended(model, outputs={"logits": keras.layers.Dense(dimensions, name=VECTOR)(features)})


def check_tells_apart(plugin: str, discriminator: keras.Model) -> None:
    """For the hook `check` of a plugin that takes logits for how real a sample is: raises ZooError where they are the
    numbers of a `vector_critic`, whose sum or order means nothing.
    """
    if any(layer.name == VECTOR for layer in discriminator.layers):
        raise ZooError(
            f"Plugin '{plugin}' needs logits that tell real from generated samples; this stack's critic answers "
            "vectors, which its loss compares. Put it on a stack with another loss."
        )


def fresh_inputs(model: keras.Model, alone: str, further: Mapping[str, Any]) -> dict[str, Any]:
    """New symbolic inputs like the model's, by name, and those `further` ones whose names it does not have."""
    own = inputs_of(model, alone)
    fresh = {name: keras.Input(each.shape[1:], name=name, dtype=each.dtype) for name, each in own.items()}
    return {**fresh, **{name: each for name, each in further.items() if name not in fresh}}


def rebuilt(
    model: keras.Model,
    alone: str,
    inputs: Mapping[str, Any],
    made: Callable[[keras.Layer], keras.Layer],
    called: Callable[..., Any],
) -> keras.Model:
    """The model once more, layer by layer, with new weights, on `fresh_inputs`.

    `made(layer)` is what stands in a layer's place, `called(layer, *tensors, **settings)` what it answers. Raises
    ZooError for a model that holds a frozen network, whose weights would be lost.
    """
    for layer in model.layers:
        if isinstance(layer, keras.Model) and not layer.trainable:
            raise ZooError(
                f"The model '{model.name}' holds a frozen network, '{layer.name}', and can't be built with other "
                "inputs. Put the plugin that adds some on other networks."
            )
    own = inputs_of(model, alone)
    known = keras.Model([own.get(name, each) for name, each in inputs.items()], model.output)
    copy = keras.models.clone_model(known, list(inputs.values()), made, called)
    return keras.Model(dict(inputs), copy.output, name=model.name)


def for_shape(model: keras.Model, shape: tuple[int, ...]) -> keras.Model:
    """An inner model of one input, built once more where it was made for another shape."""
    if len(model.inputs) != 1 or tuple(model.inputs[0].shape[1:]) == tuple(shape):
        return model
    return keras.models.clone_model(model, keras.Input(shape), again)


def again(layer: keras.Layer) -> keras.Layer:
    """A layer with the same settings and weights of its own, which it makes for the first shape that it meets."""
    return type(layer).from_config(unbuilt(layer.get_config()))


def unbuilt(config: Any) -> Any:
    """A layer's configuration without the shapes that layers inside it, as in a wrapper, were built for."""
    if isinstance(config, list | tuple):
        return type(config)(map(unbuilt, config))
    if not isinstance(config, Mapping):
        return config
    return {name: unbuilt(each) for name, each in config.items() if name != BUILT}


def own_latents(given: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What the generator was given that varies continuously: neither codes nor labels, fields or truncation.

    By name; a tensor that is all it was given is called `latents`.
    """
    if not isinstance(given, Mapping):
        return {"latents": given}
    return {
        name: each
        for name, each in given.items()
        if name not in (*fields, TRUNCATION) and "float" in keras.backend.standardize_dtype(each.dtype)
    }


def with_latents(given: Any, latents: Mapping[str, Any]) -> Any:
    """What the generator was given with other latents, as `own_latents` names them."""
    return {**given, **latents} if isinstance(given, Mapping) else latents["latents"]


def substituted(values: Iterable[tuple[keras.Variable, Any]]) -> AbstractContextManager[Any]:
    """A context in which models compute with these values of their variables; what is assigned inside is lost."""
    return Scope(values)


def flattened(tensors: Iterable[Any]) -> Any:
    """All values of several tensors, one after the other: (N,)."""
    return ops.concatenate([ops.reshape(each, (-1,)) for each in tensors])


def unflattened(values: Any, alike: Sequence[Any]) -> list[Any]:
    """Tensors of the shapes of `alike`, from as many values (N,) as they have."""
    ends = list(accumulate(prod(each.shape) for each in alike))
    parts = ops.split(values, ends[:-1])
    return [ops.reshape(part, each.shape) for part, each in zip(parts, alike, strict=True)]
