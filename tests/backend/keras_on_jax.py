"""Keras' convolutions on JAX, plain and under the cure, compared in double precision: a JSON list, one entry a case."""

import json
import os

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np
from jax import numpy as jnp
from keras.src.backend.jax import nn

from zoo.backend.jax_convolutions import fast_convolutions

jax.config.update("jax_enable_x64", True)

# name, transposed, (height, width), kernel, channels from and to, then what Keras' function takes
CASES = [
    ("odd kernel, stride 2", False, (8, 6), (5, 5), 3, 4, {"strides": 2, "padding": "same"}),
    ("even kernel, odd size", False, (7, 5), (4, 4), 20, 3, {"strides": 2, "padding": "same"}),
    ("samples that no window reaches", False, (8, 9), (3, 3), 20, 3, {"strides": 2, "padding": "valid"}),
    ("stride 1", False, (6, 5), (3, 3), 20, 3, {"strides": 1, "padding": "same"}),
    ("stride 3 above the kernel", False, (8, 7), (2, 2), 20, 3, {"strides": 3, "padding": "valid"}),
    ("unequal axes", False, (6, 7), (3, 2), 20, 3, {"strides": (2, 1), "padding": "same"}),
    ("kernel larger than the map", False, (2, 3), (5, 5), 20, 3, {"strides": 1, "padding": "same"}),
    ("transposed, odd kernel", True, (4, 3), (5, 5), 4, 20, {"strides": 2, "padding": "same"}),
    ("transposed, even kernel, narrow", True, (3, 4), (4, 4), 4, 3, {"strides": 2, "padding": "same"}),
    ("transposed, valid, stride 3", True, (3, 2), (4, 4), 4, 20, {"strides": 3, "padding": "valid"}),
    ("transposed, stride above the kernel", True, (3, 2), (2, 2), 4, 20, {"strides": 3, "padding": "same"}),
    (
        "transposed, output padding",
        True,
        (3, 4),
        (3, 3),
        4,
        20,
        {"strides": 2, "padding": "same", "output_padding": 1},
    ),
    ("transposed, stride 1", True, (3, 4), (4, 3), 4, 20, {"strides": 1, "padding": "valid"}),
    ("dilated", False, (9, 8), (3, 3), 3, 4, {"padding": "same", "dilation_rate": 2}),
    ("grouped", False, (5, 5), (3, 3), 2, 4, {"padding": "same", "groups": 2}),
    ("channels first", False, (5, 6), (3, 3), 3, 4, {"strides": 2, "padding": "same", "data_format": "channels_first"}),
]


def outcome(case: tuple, wanted: bool) -> list[np.ndarray]:
    """The value, its gradients, and those of a gradient penalty, each by samples and kernel."""
    _, transposed, size, window, source, target, settings = case
    settings = dict(settings)
    groups = settings.pop("groups", 1)
    shape = (2, source * groups, *size) if "data_format" in settings else (2, *size, source * groups)
    draw = np.random.default_rng(0)
    samples = jnp.asarray(draw.normal(size=shape))
    kernel = jnp.asarray(draw.normal(size=(*window, target, source) if transposed else (*window, source, target)))

    def call(samples, kernel):
        return (keras.ops.conv_transpose if transposed else keras.ops.conv)(samples, kernel, **settings)

    def total(samples, kernel):
        return jnp.sum(jnp.sin(call(samples, kernel)))

    def penalty(samples, kernel):
        return jnp.sum(jax.grad(total)(samples, kernel) ** 2)

    def everything(samples, kernel):
        gradients = [*jax.grad(total, (0, 1))(samples, kernel), *jax.grad(penalty, (0, 1))(samples, kernel)]
        return [call(samples, kernel), *gradients]

    with fast_convolutions(wanted):
        return [np.asarray(each) for each in jax.jit(everything)(samples, kernel)]


def layers(wanted: bool, dtype: str) -> tuple[str, float]:
    """The dtype and the sum of what a stack of Keras' layers gives in a precision."""
    with fast_convolutions(wanted):
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [
                keras.layers.Input((8, 8, 3)),
                keras.layers.Conv2D(20, 5, strides=2, padding="same", dtype=dtype),
                keras.layers.Conv2DTranspose(3, 5, strides=2, padding="same", dtype=dtype),
            ]
        )
        result = model(np.random.default_rng(0).normal(size=(2, 8, 8, 3)))
    return str(result.dtype), float(jnp.sum(jnp.abs(result.astype("float32"))))


if __name__ == "__main__":
    before = nn.conv, nn.conv_transpose
    cases = {}
    for case in CASES:
        plain, cured = outcome(case, False), outcome(case, True)
        errors = [float(np.linalg.norm(a - b) / np.linalg.norm(a)) for a, b in zip(plain, cured, strict=True)]
        shapes = [[a.shape, b.shape] for a, b in zip(plain, cured, strict=True)]
        cases[case[0]] = {"errors": errors, "shapes": shapes, "dtypes": sorted({str(each.dtype) for each in cured})}
    try:
        with fast_convolutions():
            inside = nn.conv is not before[0] and nn.conv_transpose is not before[1]
            raise RuntimeError
    except RuntimeError:
        restored = (nn.conv, nn.conv_transpose) == before
    found = {"cases": cases, "inside": inside, "restored": restored}
    print(json.dumps({**found, "bfloat16": [layers(wanted, "mixed_bfloat16") for wanted in (False, True)]}))
