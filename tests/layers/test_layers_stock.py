"""A generator in Keras' own layers alone makes the same samples, and needs no zoo to be opened."""

from contextlib import nullcontext
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from zoo import layers
from zoo.layers.stock import foreign_layers, in_stock_layers
from zoo.training.sampler import write_note


def trained(layer: keras.Layer) -> keras.Model:
    """A small model around a layer, its weights and statistics random."""
    samples = keras.Input((6, 6, 8))
    inner = keras.Model(one := keras.Input((6, 6, 8)), layer(one))
    model = keras.Model(samples, keras.layers.Activation("tanh")(inner(keras.layers.Conv2D(8, 1)(samples))))
    draw = np.random.default_rng(0)
    for variable in model.variables:
        variable.assign(draw.uniform(0.5, 1.5, variable.shape))
    return model


@pytest.mark.parametrize(
    "layer",
    [
        layers.BatchNormalization(epsilon=1e-2),
        layers.BatchNormalization(affine=False),
        layers.LayerNormalization(),
        layers.GroupNormalization(groups=6),
        layers.InstanceNormalization(),
        layers.InstanceNormalization(affine=False),
        layers.SpectralNormalization(keras.layers.Conv2D(3, 3)),
    ],
    ids=lambda layer: f"{type(layer).__name__}",
)
def test_stock_layers_compute_the_same(layer: keras.Layer) -> None:
    model = trained(layer)
    copy = in_stock_layers(model, nullcontext())
    assert foreign_layers(model) != []
    assert foreign_layers(copy) == []
    inputs = np.random.default_rng(1).normal(size=(4, 6, 6, 8)).astype("float32")
    expected = ops.convert_to_numpy(model(inputs, training=False))
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(ops.convert_to_numpy(copy(inputs, training=False)), expected, atol=2e-6)


def test_operations_between_layers_stay_what_they_are() -> None:
    samples = keras.Input((6, 6, 8))
    one, other = ops.split(layers.BatchNormalization()(samples), 2, axis=-1)
    model = keras.Model(samples, keras.layers.Multiply()([one, other]))
    copy = in_stock_layers(model, nullcontext())
    assert foreign_layers(copy) == []
    inputs = np.random.default_rng(1).normal(size=(4, 6, 6, 8)).astype("float32")
    np.testing.assert_allclose(copy(inputs, training=False), model(inputs, training=False), atol=2e-6)


def test_a_model_of_stock_layers_is_left_as_it_is() -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    assert in_stock_layers(model, nullcontext()) is model


def test_layers_without_an_equal_are_told_beside_the_file(tmp_path: Path) -> None:
    model = trained(layers.PixelShuffle(2))
    write_note(tmp_path / "generator.md", foreign_layers(model))
    told = (tmp_path / "generator.md").read_text()
    assert "zoo.layers.pixels.PixelShuffle" in told
    assert "import zoo.layers" in told
    write_note(tmp_path / "generator.md", [])
    assert list(tmp_path.iterdir()) == []
