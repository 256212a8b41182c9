"""Every layer of the zoo on small inputs, and what is measured of each on either backend."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo import backend, layers
from zoo.backend.contract import GradientTask
from zoo.backend.scopes import Scope
from zoo.layers.spectral import kernels

IMAGES, POINTS = (4, 4, 6, 8), (5, 6)
CLASSES, LATENTS = 3, 5


@dataclass(frozen=True)
class Case:
    make: Callable[[], keras.Layer]
    shape: tuple[int, ...] = IMAGES
    second: str = ""  # "labels", "vector" or "reference": the other input
    step: float = 1e-3  # of finite differences: wide, as Keras on JAX rounds means to float32 in float64 too

    def inputs(self, seed: int = 0) -> list[np.ndarray]:
        draw = np.random.default_rng(seed)
        count = self.shape[0]
        others = {
            "labels": lambda: [draw.integers(0, CLASSES, count).astype("int32")],
            "vector": lambda: [draw.normal(size=(count, LATENTS))],
            "reference": lambda: [draw.normal(size=(count - 1, *self.shape[1:]))],
            "": list,
        }
        return [draw.normal(0.5, 1.0, self.shape), *others[self.second]()]


CASES = {
    "batch": Case(layers.BatchNormalization),
    "batch, no scale": Case(lambda: layers.BatchNormalization(affine=False)),
    "layer": Case(layers.LayerNormalization, POINTS),
    "group": Case(lambda: layers.GroupNormalization(4)),
    "instance, no scale": Case(lambda: layers.InstanceNormalization(affine=False)),
    "pixel": Case(layers.PixelNormalization),
    "conditional": Case(lambda: layers.ConditionalBatchNormalization(CLASSES), second="labels"),
    "modulated": Case(lambda: layers.ModulatedBatchNormalization(spectral=True), second="vector"),
    "modulation": Case(lambda: layers.ChannelModulation(use_bias=True), POINTS, second="vector"),
    "adaptive": Case(layers.AdaptiveInstanceNormalization, second="vector"),
    "virtual": Case(layers.VirtualBatchNormalization, second="reference"),
    "spectral dense": Case(lambda: layers.SpectralNormalization(keras.layers.Dense(4)), POINTS),
    "spectral transposed": Case(
        lambda: layers.SpectralNormalization(keras.layers.Conv2DTranspose(3, 4, strides=2, padding="same"))
    ),
    "spectral separable": Case(lambda: layers.SpectralNormalization(keras.layers.SeparableConv2D(3, 2), 2)),
    "equalized dense": Case(lambda: layers.EqualizedDense(4, rate_multiplier=0.1, initial_bias=1.0), POINTS),
    "equalized": Case(lambda: layers.EqualizedConv2D(3, gain=2.0)),
    "equalized down": Case(lambda: layers.EqualizedConv2D(3, resampling="down")),
    "style": Case(lambda: layers.ModulatedConv2D(3), second="vector"),
    "style up": Case(lambda: layers.ModulatedConv2D(3, resampling="up"), second="vector"),
    "style to RGB": Case(lambda: layers.ModulatedConv2D(3, kernel_size=1, demodulate=False), second="vector"),
    "noise": Case(lambda: layers.NoiseInjection(seed=1)),
    "grouped": Case(lambda: layers.GroupedConv2D(4, 3, groups=2, padding="same", activation="tanh")),
    "learned": Case(lambda: layers.LearnedMap((2, 3, 4), 0.5)),
    "attention": Case(lambda: layers.SelfAttention(spectral=True), step=1e-5),  # as maxima change
    "rotary": Case(lambda: layers.RotaryAttention(2, (2, 1)), (4, 3, 8), step=3e-4),
    "sines": Case(lambda: layers.SinePositions((2, 3), 8)),
    "deviation": Case(lambda: layers.MinibatchDeviation(2), (7, 2, 3, 2)),
    "discrimination": Case(lambda: layers.MinibatchDiscrimination(3, 2), POINTS),
    "up": Case(layers.Upsample),
    "down": Case(lambda: layers.Downsample((1, 2, 1), border="reflect")),
    "reflection": Case(lambda: layers.ReflectionPadding2D(2)),
    "shuffle": Case(layers.PixelShuffle),
    "aligned": Case(layers.AlignedUpsample),
    "range": Case(layers.PixelRange),
}
RANDOM = ("noise",)  # whose values differ between backends


def as_given(inputs: list[Any]) -> Any:
    """What the layer is called with: a list where it takes two."""
    return inputs if len(inputs) > 1 else inputs[0]


def built(case: Case) -> keras.Layer:
    """The layer, all its weights drawn but singular vectors, which are those of its kernels."""
    layer = case.make()
    layer.build(as_given([each.shape for each in case.inputs()]))
    draw = np.random.default_rng(7)
    for variable in layer.trainable_variables:
        variable.assign(draw.normal(0.5, 0.5, variable.shape))
    for each in layer._flatten_layers():
        if isinstance(each, layers.SpectralNormalization):
            for (kernel, axes), vector in zip(kernels(each.layer), each.singular_vectors, strict=True):
                axes = tuple(kernel.ndim + axis for axis in axes)
                matrix = np.moveaxis(ops.convert_to_numpy(kernel), axes, range(len(axes)))
                left, _, _ = np.linalg.svd(matrix.reshape(vector.shape[1], -1))
                vector.assign(left[:, :1].T)
    return layer


def measure(case: Case) -> tuple[Callable[[], tuple[list[Any], list[Any]]], list[keras.Variable]]:
    """A compiled function, and the variables that it depends on: the layer's inputs and its weights.

    It gives the layer's outputs, in training and in inference, and a penalty of the layer's slopes with the penalty's
    gradient by each variable.
    """
    engine = backend.engine()
    layer = built(case)
    inputs = [ops.convert_to_tensor(each) for each in case.inputs()]
    moved = [number for number, each in enumerate(inputs) if "float" in str(each.dtype)]
    probes = {number: keras.Variable(inputs[number], dtype="float64") for number in moved}
    variables = [*probes.values(), *layer.trainable_variables]
    weights = np.random.default_rng(3).normal(size=10_000)

    def outputs(samples: Any, training: bool) -> list[Any]:
        bent = samples * ops.sigmoid(samples)  # or slopes would lie where a stopped mean changes nothing
        given = [bent, *(probes[n].value if n in probes else inputs[n] for n in range(1, len(inputs)))]
        found = layer(as_given(given), training=training)
        return [ops.reshape(each, (-1,)) for each in (found if isinstance(found, list) else [found])]

    def judged(samples: Any) -> Any:
        return sum(ops.sum(ops.sigmoid(each) * weights[: each.shape[0]]) for each in outputs(samples, training=True))

    def penalty() -> tuple[Any, Any]:
        value = ops.sum(ops.square(engine.input_gradients(judged, probes[0].value)))
        return value, value

    def computed() -> tuple[list[Any], list[Any]]:
        value, gradients, _ = engine.player_gradients(penalty, GradientTask(variables, [], case.shape[0]))
        with Scope():
            samples = probes[0].value + 0.0  # a tensor
            found = [*outputs(samples, training=True), *outputs(samples, training=False)]
        return found, [value, *gradients]

    return engine.compiled_here(computed, read=[*probes.values(), *layer.variables]), variables


def outcome(case: Case) -> tuple[list[list[float]], dict[str, float]]:
    """The layer's outputs and the penalty's gradients, flat; and how far each gradient is from finite differences.

    These go in one direction, and are relative to what is found there.
    """
    compute, variables = measure(case)
    outputs, (_, *gradients) = compute()
    draw = np.random.default_rng(5)
    errors = {}
    gradients = [ops.convert_to_numpy(each) for each in gradients]
    for variable, gradient in zip(variables, gradients, strict=True):
        start = ops.convert_to_numpy(variable)
        direction = draw.normal(size=start.shape)
        direction = direction / np.linalg.norm(direction) + gradient / max(np.linalg.norm(gradient), 1e-12)
        values = []
        for sign in (1, -1):
            variable.assign(start + sign * case.step * direction)
            values.append(float(compute()[1][0]))
        variable.assign(start)
        measured = (values[0] - values[1]) / (2 * case.step)
        expected = float(np.sum(gradient * direction))
        errors[variable.path] = abs(measured - expected) / max(abs(measured), abs(expected), 1e-4)
    return [ops.convert_to_numpy(each).ravel().tolist() for each in (*outputs, *gradients)], errors


def symbolic_shapes(case: Case) -> list[list[int | None]]:
    """What Keras says of the outputs for batches whose size it does not know."""
    inputs = [keras.Input(each.shape[1:], dtype=str(each.dtype)) for each in case.inputs()]
    found = case.make()(as_given(inputs))
    return [list(each.shape) for each in (found if isinstance(found, list) else [found])]
