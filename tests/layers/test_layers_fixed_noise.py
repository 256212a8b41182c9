"""Noise that is drawn once and for all: the same as the layers draw by those states, and nothing else is changed."""

import keras
import numpy as np
from keras import ops

from zoo.backend.keras_internals import SEED_STATE
from zoo.layers.dropout import NoiseDropout
from zoo.layers.fixed_noise import FixedNoise, with_fixed_noise
from zoo.layers.modulation import NoiseInjection


class Jitter(keras.layers.Layer):
    """Draws, and is no affine function of its input."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, inputs: object) -> object:
        return ops.square(inputs) * keras.random.uniform(ops.shape(inputs), seed=self.seed_generator)


def test_a_copy_answers_what_the_model_draws_by_these_states() -> None:
    x = inputs = keras.Input((4, 4, 2))
    x = NoiseDropout(0.5, seed=1)(x)
    injection = NoiseInjection(seed=2)
    x = injection(keras.layers.Conv2D(3, 3, padding="same", activation="relu")(x))
    model = keras.Model(inputs, x)
    injection.strength.assign(0.7 * np.ones(injection.strength.shape))
    states = np.array([[3, 5], [7, 11]], "uint32")
    samples = np.random.default_rng(0).normal(size=(1, 4, 4, 2)).astype("float32")
    fixed = with_fixed_noise(model, states)
    for variable, state in zip(
        [each for each in model.variables if each.path.endswith(SEED_STATE)], states, strict=True
    ):
        variable.assign(state)
    expected = ops.convert_to_numpy(model(samples, training=False))
    for _ in range(2):  # the same again
        np.testing.assert_allclose(ops.convert_to_numpy(fixed(samples, training=False)), expected, rtol=1e-5, atol=1e-6)
    assert (ops.convert_to_numpy(model(samples, training=False)) != expected).any()
    assert sum(isinstance(each, FixedNoise) for each in fixed.layers) == 2


def test_what_is_not_affine_stays() -> None:
    inputs = keras.Input((3,))
    model = keras.Model(inputs, Jitter()(inputs))
    assert isinstance(with_fixed_noise(model, np.array([[1, 2]], "uint32")).layers[-1], Jitter)
